-- Writes what was reconciled when a month was closed.
-- Parameters: period, totals (JSON: a list of store, currency, transactions, amount)
-- Result: none
INSERT INTO finance.close_total (period, store, currency, transactions, amount)
SELECT
    CAST(:period AS date),
    t.store,
    t.currency,
    t.transactions,
    t.amount
FROM jsonb_to_recordset(CAST(:totals AS jsonb)) AS t (store text, currency text, transactions bigint, amount numeric)
