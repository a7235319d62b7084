-- Products by net revenue, the highest first, under the name and category they were last seen with.
-- Parameters: first_day, last_day, category, most
-- Result: one row per product; its columns are in catalogue.yaml
SELECT
    product_id,
    ARRAY_AGG(product_name IGNORE NULLS ORDER BY sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS product_name,
    ARRAY_AGG(category ORDER BY sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS category,
    SUM(orders) AS orders,
    SUM(units) AS units,
    SUM(gross_base) AS gross_base,
    SUM(refunds_base) AS refunds_base,
    SUM(net_base) AS net_base,
    SUM(transactions_without_rate) AS transactions_without_rate
FROM marts.product_performance
WHERE sale_date BETWEEN @first_day AND @last_day
    AND (@category = '' OR category = @category)
GROUP BY product_id
HAVING SUM(transactions) > 0
ORDER BY net_base DESC, product_id
LIMIT @most
