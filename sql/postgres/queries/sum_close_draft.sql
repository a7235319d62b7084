-- What a close would write.
-- Parameters: none; reads close_draft
-- Result: lines, adjustments, transactions, gross_base, refunds_base, net_base, transactions_without_rate
SELECT
    count(*) AS lines,
    count(*) FILTER (WHERE entry = 'adjustment') AS adjustments,
    coalesce(sum(transactions), 0)::bigint AS transactions,
    coalesce(sum(gross_base), 0)::numeric(24, 2) AS gross_base,
    coalesce(sum(refunds_base), 0)::numeric(24, 2) AS refunds_base,
    coalesce(sum(net_base), 0)::numeric(24, 2) AS net_base,
    coalesce(sum(transactions_without_rate), 0)::bigint AS transactions_without_rate
FROM pg_temp.close_draft
