-- Writes the close of a month; its lines follow in the same transaction.
-- Parameters: period, action_id, operator, base_currency, and the columns of sum_close_draft as text
-- Result: none
INSERT INTO finance.close (
    period,
    action_id,
    operator,
    base_currency,
    lines,
    adjustments,
    transactions,
    gross_base,
    refunds_base,
    net_base,
    transactions_without_rate
) VALUES (
    :period,
    :action_id,
    :operator,
    :base_currency,
    CAST(:lines AS text)::int,
    CAST(:adjustments AS text)::int,
    CAST(:transactions AS text)::bigint,
    CAST(:gross_base AS text)::numeric,
    CAST(:refunds_base AS text)::numeric,
    CAST(:net_base AS text)::numeric,
    CAST(:transactions_without_rate AS text)::bigint
)
