-- What all closes together have booked, by currency; a currency whose sales have all left it is not listed.
-- Parameters: none
-- Result: currency, transactions, amount
SELECT
    currency,
    sum(transactions)::bigint AS transactions,
    sum(amount) AS amount
FROM finance.close_line
GROUP BY currency
HAVING sum(transactions) <> 0 OR sum(amount) <> 0
ORDER BY currency
