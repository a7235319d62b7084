-- Rows and money of the mart by day and currency, for verify.
-- Parameters: first_day, last_day
-- Result: sale_date, currency, transactions, amount, net_revenue_base
SELECT
    sale_date,
    currency,
    SUM(transactions) AS transactions,
    SUM(amount) AS amount,
    SUM(net_revenue_base) AS net_revenue_base
FROM marts.daily_sales_summary
WHERE sale_date BETWEEN @first_day AND @last_day
GROUP BY sale_date, currency
ORDER BY sale_date, currency
