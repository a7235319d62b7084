-- Chunks with quarantined rows that an operator chose, discarded ones left out.
-- Parameters: source, reason, file (part of the object's name), day (of the ledger), chunk_id, line (null: all), guard (rows judged as often stay)
-- Result: chunk_key, facts (chunk_id, file_id, source, ordinal, landed_at, where its bytes lie, the file's checkpoint), rows, guarded
SELECT
    c.chunk_key,
    (to_jsonb(c) - 'validated') || jsonb_build_object(
        'file_id', coalesce(c.file_id, ''),
        'landed_at', coalesce(f.landed_at, c.landed_at, c.registered_at),
        'checkpoint', f.checkpoint
    ) AS facts,
    count(*) FILTER (WHERE q.attempt < CAST(:guard AS int)) AS rows,
    count(*) FILTER (WHERE q.attempt >= CAST(:guard AS int)) AS guarded
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
    AND q.discarded_at IS NULL
GROUP BY c.chunk_key, f.file_id
ORDER BY c.chunk_key
