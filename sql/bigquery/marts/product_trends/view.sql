-- Each day of a product with what depends on other days: change of price, stock carried forward, cover, rank and trend.
-- It reads the whole mart product_performance, which is small; days before its first one count as days without sales.
-- Result: one row per day and product of the mart.
WITH day AS (
    SELECT
        sale_date,
        product_key,
        product_id,
        product_name,
        category,
        orders,
        net_base,
        -- An order of unknown units counts as one, the least it can be.
        units + orders - transactions_with_units AS least_units,
        list_price,
        inventory_count
    FROM marts.product_performance
    WHERE sale_date >= DATE '2000-01-01'
),

change AS (
    -- A day comes into the last 28 days as it is, goes over to the 28 before them after 28 days, and leaves after 56.
    SELECT
        d.product_key,
        DATE_ADD(d.sale_date, INTERVAL s.after_days DAY) AS changed_on,
        SUM(s.into_last * d.least_units) AS least_units,
        SUM(s.into_last * d.net_base) AS net_base,
        SUM(s.into_before * d.net_base) AS net_base_before
    FROM day AS d
    CROSS JOIN
        UNNEST([
            STRUCT(0 AS after_days, 1 AS into_last, 0 AS into_before),
            STRUCT(28 AS after_days, -1 AS into_last, 1 AS into_before),
            STRUCT(56 AS after_days, 0 AS into_last, -1 AS into_before)
        ]) AS s
    GROUP BY d.product_key, changed_on
),

trailing AS (
    SELECT
        product_key,
        changed_on,
        SUM(least_units) OVER (
            PARTITION BY product_key
            ORDER BY changed_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS least_units_28_days,
        SUM(net_base) OVER (
            PARTITION BY product_key
            ORDER BY changed_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS net_base_28_days,
        SUM(net_base_before) OVER (
            PARTITION BY product_key
            ORDER BY changed_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS net_base_28_days_before
    FROM change
),

followed AS (
    SELECT
        sale_date,
        product_key,
        product_id,
        product_name,
        category,
        orders,
        net_base,
        list_price,
        LAST_VALUE(list_price IGNORE NULLS) OVER (
            PARTITION BY product_key
            ORDER BY sale_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS price_before,
        LAST_VALUE(inventory_count IGNORE NULLS) OVER (
            PARTITION BY product_key
            ORDER BY sale_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS inventory_count,
        RANK() OVER (PARTITION BY sale_date, category ORDER BY net_base DESC) AS rank_in_category
    FROM day
)

SELECT
    f.sale_date,
    f.product_key,
    f.product_id,
    f.product_name,
    f.category,
    f.orders,
    f.net_base,
    f.list_price,
    f.price_before,
    f.list_price - f.price_before AS price_change,
    f.inventory_count,
    t.least_units_28_days,
    ROUND(
        SAFE_DIVIDE(CAST(f.inventory_count * 28 AS NUMERIC), CAST(t.least_units_28_days AS NUMERIC)),
        1
    ) AS days_of_cover,
    f.rank_in_category,
    t.net_base_28_days,
    t.net_base_28_days_before,
    ROUND(
        IF(
            t.net_base_28_days_before > 0,
            SAFE_DIVIDE(t.net_base_28_days - t.net_base_28_days_before, t.net_base_28_days_before),
            NULL
        ),
        4
    ) AS trend
FROM followed AS f
INNER JOIN trailing AS t ON f.product_key = t.product_key AND f.sale_date = t.changed_on
