-- Products by net revenue, the highest first, under the name and category they were last seen with.
-- Parameters: first_day, last_day, category, most
-- Result: one row per product; its columns are in catalogue.yaml
WITH ranked AS (
    SELECT
        product_key,
        SUM(orders) AS orders,
        SUM(units) AS units,
        SUM(gross_base) AS gross_base,
        SUM(refunds_base) AS refunds_base,
        SUM(net_base) AS net_base,
        SUM(transactions_without_rate) AS transactions_without_rate
    FROM marts.product_performance AS p
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND (@category = '' OR category = @category)
    GROUP BY product_key
    HAVING SUM(p.transactions) > 0
    ORDER BY net_base DESC, product_key
    LIMIT @most
)

-- Names are looked up for the ranked products alone: most of what the mart holds is not among them.
SELECT
    p.product_id,
    ARRAY_AGG(p.product_name IGNORE NULLS ORDER BY p.sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS product_name,
    ARRAY_AGG(p.category ORDER BY p.sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS category,
    MAX(r.orders) AS orders,
    MAX(r.units) AS units,
    MAX(r.gross_base) AS gross_base,
    MAX(r.refunds_base) AS refunds_base,
    MAX(r.net_base) AS net_base,
    MAX(r.transactions_without_rate) AS transactions_without_rate
FROM ranked AS r
INNER JOIN marts.product_performance AS p ON r.product_key = p.product_key
WHERE p.sale_date BETWEEN @first_day AND @last_day
    AND (@category = '' OR p.category = @category)
GROUP BY p.product_id
ORDER BY net_base DESC, p.product_id
LIMIT @most
