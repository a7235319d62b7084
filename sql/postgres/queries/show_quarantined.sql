-- One quarantined row, with where its raw bytes lie: in quarantine, or (conflicts of a file) in the chunk's own bytes.
-- Parameters: chunk_id, line
-- Result: facts (of the chunk, with file, the object's name, and checkpoint), reason, fields, row_id, attempt, quarantined_at, discarded_why, raw_object, raw_offset, raw_length
SELECT
    (to_jsonb(c) - 'validated') || jsonb_build_object('file', f.object_name, 'checkpoint', f.checkpoint) AS facts,
    q.reason,
    q.fields,
    q.row_id,
    q.attempt,
    q.quarantined_at,
    q.discarded_why,
    q.raw_object,
    q.raw_offset,
    q.raw_length
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
LEFT JOIN pipeline.file AS f USING (file_id)
WHERE c.chunk_id = :chunk_id AND q.line = :line
