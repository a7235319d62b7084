-- The quarantined rows of a chunk that are to be replayed, with where their raw text lies.
-- Parameters: chunk_key, reason, line (null: all), guard (rows judged as often stay)
-- Result: line, attempt, raw_object, raw_offset, raw_length
SELECT
    line,
    attempt,
    raw_object,
    raw_offset,
    raw_length
FROM pipeline.quarantined_row
WHERE
    chunk_key = :chunk_key
    AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    AND (CAST(:line AS int) IS NULL OR line = :line)
    AND discarded_at IS NULL
    AND attempt < CAST(:guard AS int)
ORDER BY attempt, line
