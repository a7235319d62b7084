-- Quarantined rows, newest first.
-- Parameters: source, reason, file (part of the object's name), day (of the ledger), chunk_id, line (null: all), discarded (whether those too), most
-- Result: chunk_id, line, source, reason, fields, object_name, attempt, discarded_why, quarantined_at
SELECT
    c.chunk_id,
    q.line,
    c.source,
    q.reason,
    q.fields,
    coalesce(f.object_name, 'stream') AS object_name,
    q.attempt,
    q.discarded_why,
    q.quarantined_at
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
LEFT JOIN pipeline.file AS f USING (file_id)
WHERE
    (CAST(:source AS text) IS NULL OR c.source = :source)
    AND (CAST(:reason AS text) IS NULL OR q.reason = :reason)
    AND (CAST(:file AS text) IS NULL OR strpos(coalesce(f.object_name, 'stream'), :file) > 0)
    AND (CAST(:day AS date) IS NULL OR c.day = :day)
    AND (CAST(:chunk_id AS text) IS NULL OR c.chunk_id = :chunk_id)
    AND (CAST(:line AS int) IS NULL OR q.line = :line)
    AND (q.discarded_at IS NULL OR CAST(:discarded AS bool))
ORDER BY q.quarantined_at DESC, c.chunk_key, q.line
LIMIT CAST(:most AS bigint)
