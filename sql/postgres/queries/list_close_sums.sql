-- What BigQuery must have of each close, oldest first.
-- Parameters: none
-- Result: period, published, lines, transactions, gross_base, refunds_base, transactions_without_rate
SELECT
    period,
    published_at IS NOT NULL AS published,
    lines,
    transactions,
    gross_base,
    refunds_base,
    transactions_without_rate
FROM finance.close
ORDER BY period
