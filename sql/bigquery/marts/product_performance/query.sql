-- What each product sold on the given days, with the price and the stock observed on them.
-- Parameters: days, base_currency
-- Result: the columns of the mart. Run by build_marts into a staging table.
WITH sale AS (
    SELECT
        sale_date,
        product_key,
        product_id,
        product_name,
        category,
        transaction_id,
        occurred_at,
        amount,
        list_price,
        rate,
        gross,
        gross_base,
        refunds_base,
        net_base,
        CASE
            WHEN currency = @base_currency AND list_price > 0 AND gross > 0
                THEN ROUND(SAFE_DIVIDE(amount, list_price))
        END AS whole
    FROM sales.transactions
    WHERE sale_date IN UNNEST(@days)
),

counted AS (
    -- The units of an order are known where its amount is one or more whole list prices, to within half a cent.
    SELECT
        sale_date,
        product_key,
        rate,
        gross,
        gross_base,
        refunds_base,
        net_base,
        CASE
            WHEN whole >= 1 AND ABS(amount - whole * list_price) <= NUMERIC '0.005' THEN CAST(whole AS INT64)
        END AS units
    FROM sale
),

sold AS (
    SELECT
        sale_date,
        product_key,
        COUNT(*) AS transactions,
        COUNTIF(gross > 0) AS orders,
        IFNULL(SUM(units), 0) AS units,
        COUNT(units) AS transactions_with_units,
        IFNULL(SUM(gross_base), NUMERIC '0') AS gross_base,
        IFNULL(SUM(refunds_base), NUMERIC '0') AS refunds_base,
        IFNULL(SUM(net_base), NUMERIC '0') AS net_base,
        COUNTIF(rate IS NULL) AS transactions_without_rate
    FROM counted
    GROUP BY sale_date, product_key
),

latest AS (
    SELECT
        sale_date,
        product_key,
        product_id,
        product_name,
        category,
        list_price
    FROM sale
    QUALIFY ROW_NUMBER() OVER (PARTITION BY sale_date, product_key ORDER BY occurred_at DESC, transaction_id DESC) = 1
),

level AS (
    -- A level without a count was taken back by a reprocessed file: it is none.
    SELECT
        level_date,
        product_key,
        product_id,
        product_name,
        category,
        price,
        inventory_count,
        observed_at
    FROM sales.inventory_levels
    WHERE level_date IN UNNEST(@days)
        AND inventory_count IS NOT NULL
)

SELECT
    COALESCE(l.level_date, s.sale_date) AS sale_date,
    COALESCE(l.product_key, s.product_key) AS product_key,
    COALESCE(l.product_id, n.product_id) AS product_id,
    COALESCE(l.product_name, n.product_name) AS product_name,
    COALESCE(l.category, n.category, 'unknown') AS category,
    IFNULL(s.transactions, 0) AS transactions,
    IFNULL(s.orders, 0) AS orders,
    IFNULL(s.units, 0) AS units,
    IFNULL(s.transactions_with_units, 0) AS transactions_with_units,
    IFNULL(s.gross_base, NUMERIC '0') AS gross_base,
    IFNULL(s.refunds_base, NUMERIC '0') AS refunds_base,
    IFNULL(s.net_base, NUMERIC '0') AS net_base,
    IFNULL(s.transactions_without_rate, 0) AS transactions_without_rate,
    COALESCE(l.price, n.list_price) AS list_price,
    l.inventory_count,
    l.observed_at AS inventory_observed_at
FROM sold AS s
INNER JOIN latest AS n ON s.sale_date = n.sale_date AND s.product_key = n.product_key
FULL JOIN level AS l ON s.sale_date = l.level_date AND s.product_key = l.product_key
