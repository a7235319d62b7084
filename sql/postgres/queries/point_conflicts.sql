-- Say where the raw text of a stream chunk's conflicting rows was put, and when it was published: a replay needs both.
-- Parameters: chunk_id, raw_object, places (a JSON array of line, raw_offset, raw_length), landed_at
-- Result: none
WITH dated AS (
    UPDATE pipeline.chunk
    SET landed_at = :landed_at
    WHERE chunk_id = :chunk_id AND landed_at IS NULL
)

UPDATE pipeline.quarantined_row q
SET
    raw_object = :raw_object,
    raw_offset = p.raw_offset,
    raw_length = p.raw_length
FROM
    pipeline.chunk AS c,
    jsonb_to_recordset(CAST(:places AS jsonb)) AS p (line int, raw_offset bigint, raw_length bigint)
WHERE
    c.chunk_key = q.chunk_key
    AND c.chunk_id = :chunk_id
    AND q.line = p.line
    AND q.reason = 'conflicting_duplicate'
    AND q.raw_object IS NULL
