-- The closed months, oldest first.
-- Parameters: none
-- Result: period, closed_at, operator, base_currency, lines, adjustments, transactions, gross_base, refunds_base, net_base, transactions_without_rate, action_id, published_at
SELECT
    period,
    closed_at,
    operator,
    base_currency,
    lines,
    adjustments,
    transactions,
    gross_base,
    refunds_base,
    net_base,
    transactions_without_rate,
    action_id,
    published_at
FROM finance.close
ORDER BY period
