-- What all closes together have booked, by currency.
-- Parameters: none
-- Result: currency, transactions, amount
SELECT
    currency,
    sum(transactions)::bigint AS transactions,
    sum(amount) AS amount
FROM finance.close_line
GROUP BY currency
ORDER BY currency
