-- Rows and money of the fact by day and currency, for verify.
-- Parameters: first_day, last_day
-- Result: sale_date, currency, transactions, amount
SELECT
    sale_date,
    currency,
    COUNT(*) AS transactions,
    SUM(amount) AS amount
FROM sales.transactions
WHERE sale_date BETWEEN @first_day AND @last_day
GROUP BY sale_date, currency
ORDER BY sale_date, currency
