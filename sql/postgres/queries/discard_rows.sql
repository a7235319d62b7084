-- Gives up quarantined rows: they stay counted and are no longer listed or replayed. A row under replay is waited for.
-- Parameters: source, reason, file (part of the object's name), day (of the ledger), chunk_id, line (null: all), operator, why
-- Result: one row for each discarded one
UPDATE pipeline.quarantined_row q
SET
    discarded_at = now(),
    discarded_by = :operator,
    discarded_why = :why
FROM pipeline.chunk AS c
LEFT JOIN pipeline.file AS f USING (file_id)
WHERE
    c.chunk_key = q.chunk_key
    AND (CAST(:source AS text) IS NULL OR c.source = :source)
    AND (CAST(:reason AS text) IS NULL OR q.reason = :reason)
    AND (CAST(:file AS text) IS NULL OR strpos(coalesce(f.object_name, 'stream'), :file) > 0)
    AND (CAST(:day AS date) IS NULL OR c.day = :day)
    AND (CAST(:chunk_id AS text) IS NULL OR c.chunk_id = :chunk_id)
    AND (CAST(:line AS int) IS NULL OR q.line = :line)
    AND q.discarded_at IS NULL
RETURNING q.line
