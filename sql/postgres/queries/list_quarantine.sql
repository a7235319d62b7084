-- Quarantined rows, newest first.
-- Parameters: source (null: all), reason (null: all), file (part of the object's name, null: all), most
-- Result: chunk_id, line, source, reason, fields, object_name, quarantined_at
SELECT
    c.chunk_id,
    q.line,
    c.source,
    q.reason,
    q.fields,
    coalesce(f.object_name, 'stream') AS object_name,
    q.quarantined_at
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
LEFT JOIN pipeline.file AS f USING (file_id)
WHERE
    (CAST(:source AS text) IS NULL OR c.source = :source)
    AND (CAST(:reason AS text) IS NULL OR q.reason = :reason)
    AND (CAST(:file AS text) IS NULL OR strpos(coalesce(f.object_name, 'stream'), :file) > 0)
ORDER BY q.quarantined_at DESC, c.chunk_key, q.line
LIMIT CAST(:most AS bigint)
