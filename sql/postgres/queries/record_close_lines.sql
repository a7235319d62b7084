-- Writes the lines of a close.
-- Parameters: none; reads close_draft
-- Result: none
INSERT INTO finance.close_line (
    period,
    sale_date,
    entry,
    currency,
    payment_method,
    status,
    transactions,
    amount,
    gross,
    refunds,
    net,
    gross_base,
    refunds_base,
    net_base,
    rate,
    transactions_without_rate
)
SELECT
    period,
    sale_date,
    entry,
    currency,
    payment_method,
    status,
    transactions,
    amount,
    gross,
    refunds,
    net,
    gross_base,
    refunds_base,
    net_base,
    rate,
    transactions_without_rate
FROM pg_temp.close_draft
ORDER BY sale_date, entry, currency, payment_method, status
