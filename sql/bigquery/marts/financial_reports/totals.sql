-- Rows and money of the mart by day and currency, for verify and for the close.
-- Parameters: first_day, last_day
-- Result: sale_date, currency, transactions, amount
SELECT
    sale_date,
    currency,
    SUM(transactions) AS transactions,
    SUM(amount) AS amount
FROM marts.financial_reports
WHERE sale_date BETWEEN @first_day AND @last_day
GROUP BY sale_date, currency
ORDER BY sale_date, currency
