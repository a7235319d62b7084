-- Rows and money of the mart by day, for verify.
-- Parameters: first_day, last_day
-- Result: period, transactions, net
SELECT
    sale_date AS period,
    SUM(transactions) AS transactions,
    SUM(net_revenue_base) AS net
FROM marts.daily_sales_summary
WHERE sale_date BETWEEN @first_day AND @last_day
GROUP BY period
ORDER BY period
