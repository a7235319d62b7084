-- The lines of a close, in the order of the columns of sales.close_lines.
-- Parameters: period
-- Result: sale_date, period, entry, currency, payment_method, status, transactions, amount, gross, refunds, net, gross_base, refunds_base, net_base, rate, transactions_without_rate
SELECT
    sale_date,
    period,
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
FROM finance.close_line
WHERE period = :period
ORDER BY sale_date, entry, currency, payment_method, status
