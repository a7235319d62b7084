-- Conflicting rows of a chunk whose raw text lies nowhere yet.
-- Parameters: chunk_id
-- Result: line
SELECT q.line
FROM pipeline.quarantined_row AS q
INNER JOIN pipeline.chunk AS c USING (chunk_key)
WHERE c.chunk_id = :chunk_id AND q.reason = 'conflicting_duplicate' AND q.raw_object IS NULL
ORDER BY q.line
