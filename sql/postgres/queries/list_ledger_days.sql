-- Ledger days with chunks that were loaded, held or decided since the last run.
-- Parameters: position, since (a time before the last run)
-- Result: day, in order
SELECT DISTINCT day
FROM pipeline.chunk
WHERE
    loaded_xid >= CAST(:position AS bigint)
    OR (state <> 'loaded' AND greatest(held_at, decided_at) >= CAST(:since AS timestamptz))
ORDER BY day
