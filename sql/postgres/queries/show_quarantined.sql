-- One quarantined row, with where its raw bytes lie: in quarantine, or (conflicts of a file) in the chunk's own bytes.
-- Parameters: chunk_id, line
-- Result: source, reason, fields, row_id, attempt, quarantined_at, file, raw_object, raw_offset, raw_length, and the place of the chunk
SELECT
    c.source,
    q.reason,
    q.fields,
    q.row_id,
    q.attempt,
    q.quarantined_at,
    f.object_name AS file,
    q.raw_object,
    q.raw_offset,
    q.raw_length,
    c.bucket,
    c.object_name,
    c.generation,
    c.byte_offset,
    c.byte_length,
    c.first_line
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
LEFT JOIN pipeline.file AS f USING (file_id)
WHERE c.chunk_id = :chunk_id AND q.line = :line
