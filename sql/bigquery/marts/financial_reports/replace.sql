-- Replace the given days by what is staged of them: the same days twice give the same rows.
-- Parameters: periods. ${staged} is the staging table that query.sql filled.
-- Run by build_marts with the days that checks.sql finds no failure in.
MERGE INTO marts.financial_reports AS t
USING (
    SELECT
        sale_date,
        booking_date,
        entry,
        is_closed,
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
    FROM ${staged}
    WHERE sale_date IN UNNEST(@periods)
) AS s
    ON FALSE
WHEN NOT MATCHED BY SOURCE AND t.sale_date IN UNNEST(@periods) THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (
    sale_date,
    booking_date,
    entry,
    is_closed,
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
    s.booking_date,
    s.entry,
    s.is_closed,
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
