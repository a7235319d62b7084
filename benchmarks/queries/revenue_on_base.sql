-- The question of the report revenue_by_day, asked of the base table: what a mart saves.
-- Parameters: first_day, last_day
-- Result: sale_date, orders, gross_revenue_base, refunds_base, net_revenue_base, transactions_without_rate
SELECT
    sale_date,
    COUNTIF(gross > 0) AS orders,
    SUM(gross_base) AS gross_revenue_base,
    SUM(refunds_base) AS refunds_base,
    SUM(net_base) AS net_revenue_base,
    COUNTIF(rate IS NULL) AS transactions_without_rate
FROM sales.transactions
WHERE sale_date BETWEEN @first_day AND @last_day
GROUP BY sale_date
ORDER BY sale_date
