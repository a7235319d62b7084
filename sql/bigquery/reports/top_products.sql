-- Products by net revenue, the highest first, under the name and category they were last seen with.
-- Parameters: first_day, last_day, category, most
-- Result: one row per product; its columns are in catalogue.yaml
WITH ranked AS (
    SELECT
        product_key,
        SUM(net_base) AS net_base
    FROM marts.product_performance AS p
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND (@category = '' OR category = @category)
    GROUP BY product_key
    HAVING SUM(p.transactions) > 0
    ORDER BY net_base DESC, product_key
    LIMIT @most
)

-- All else is read of the ranked products alone: most of what the mart holds is not of them.
SELECT
    p.product_id,
    ARRAY_AGG(p.product_name IGNORE NULLS ORDER BY p.sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS product_name,
    ARRAY_AGG(p.category ORDER BY p.sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS category,
    SUM(p.orders) AS orders,
    SUM(p.units) AS units,
    SUM(p.gross_base) AS gross_base,
    SUM(p.refunds_base) AS refunds_base,
    MAX(r.net_base) AS net_base,
    SUM(p.transactions_without_rate) AS transactions_without_rate
FROM ranked AS r
INNER JOIN marts.product_performance AS p ON r.product_key = p.product_key
WHERE p.sale_date BETWEEN @first_day AND @last_day
    AND (@category = '' OR p.category = @category)
GROUP BY p.product_id
ORDER BY net_base DESC, p.product_id
LIMIT @most
