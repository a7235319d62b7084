-- Append the lines of a close that are not there yet: the same lines twice add nothing.
-- Parameters: days (days of sale of the lines). ${lines} is the close's staging table.
-- Run by build_marts before it builds what reads them.
MERGE INTO sales.close_lines AS t
USING (
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
    FROM ${lines}
    WHERE sale_date IN UNNEST(@days)
) AS s
    ON t.sale_date = s.sale_date
    AND t.period = s.period
    AND t.entry = s.entry
    AND t.currency = s.currency
    AND t.payment_method = s.payment_method
    AND t.status = s.status
    AND t.sale_date IN UNNEST(@days)
WHEN NOT MATCHED THEN INSERT (
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
) VALUES (
    s.sale_date,
    s.period,
    s.entry,
    s.currency,
    s.payment_method,
    s.status,
    s.transactions,
    s.amount,
    s.gross,
    s.refunds,
    s.net,
    s.gross_base,
    s.refunds_base,
    s.net_base,
    s.rate,
    s.transactions_without_rate
)
