-- Rows and money of the system of record by day of sale and currency.
-- Parameters: none
-- Result: sale_date, currency, transactions, amount
SELECT
    sale_date,
    currency,
    count(*) AS transactions,
    sum(amount) AS amount
FROM commerce.transactions
GROUP BY sale_date, currency
ORDER BY sale_date, currency
