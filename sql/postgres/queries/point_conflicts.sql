-- Say where the raw text of a stream chunk's conflicting rows was put.
-- Parameters: chunk_id, raw_object
-- Result: none
UPDATE pipeline.quarantined_row q
SET raw_object = :raw_object
FROM pipeline.chunk c
WHERE
    c.chunk_key = q.chunk_key
    AND c.chunk_id = :chunk_id
    AND q.reason = 'conflicting_duplicate'
    AND q.raw_object IS NULL
