-- Ledger days with chunks whose rows got another outcome since the last run.
-- Parameters: position
-- Result: day, in order
SELECT DISTINCT day
FROM pipeline.chunk
WHERE changed_xid >= CAST(:position AS bigint) AND state <> 'registered'
ORDER BY day
