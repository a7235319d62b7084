-- Products whose last observed stock covers at most so many days at the pace of the period; the shortest cover first.
-- Parameters: first_day, last_day, category, most_cover, most
-- Result: one row per product; its columns are in catalogue.yaml
WITH observed AS (
    SELECT
        product_key,
        product_id,
        product_name,
        category,
        inventory_count,
        sale_date AS observed_on
    FROM marts.product_performance
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND inventory_count IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY product_key ORDER BY sale_date DESC) = 1
),

sold AS (
    SELECT
        product_key,
        -- An order of unknown units counts as one, the least it can be.
        SUM(units + orders - transactions_with_units) AS least_units
    FROM marts.product_performance
    WHERE sale_date BETWEEN @first_day AND @last_day
    GROUP BY product_key
),

covered AS (
    SELECT
        o.product_id,
        o.product_name,
        o.category,
        o.inventory_count,
        o.observed_on,
        s.least_units,
        ROUND(
            SAFE_DIVIDE(
                CAST(o.inventory_count * (DATE_DIFF(@last_day, @first_day, DAY) + 1) AS NUMERIC),
                CAST(s.least_units AS NUMERIC)
            ),
            1
        ) AS days_of_cover
    FROM observed AS o
    INNER JOIN sold AS s ON o.product_key = s.product_key
)

SELECT
    product_id,
    product_name,
    category,
    inventory_count,
    observed_on,
    least_units,
    days_of_cover
FROM covered
WHERE days_of_cover <= CAST(@most_cover AS NUMERIC)
    AND (@category = '' OR category = @category)
ORDER BY days_of_cover, least_units DESC, product_id
LIMIT @most
