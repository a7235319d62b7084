-- What was reconciled when a month was closed.
-- Parameters: period
-- Result: store, currency, transactions, amount
SELECT
    store,
    currency,
    transactions,
    amount
FROM finance.close_total
WHERE period = :period
ORDER BY store DESC, currency
