-- Chunks that wait for an operator, or for the load that an operator decided on; oldest first.
-- Parameters: source, file (part of the object's name), day (of the ledger), chunk_id (null: all)
-- Result: chunk_id, source, object_name, received, bad, held_at, decision, decided_by, validated, checkpoint
SELECT
    c.chunk_id,
    c.source,
    coalesce(f.object_name, 'stream') AS object_name,
    c.received,
    c.received - c.valid AS bad,
    c.held_at,
    c.decision,
    c.decided_by,
    c.validated,
    f.checkpoint
FROM pipeline.chunk AS c
LEFT JOIN pipeline.file AS f USING (file_id)
WHERE
    c.state = 'held'
    AND (CAST(:source AS text) IS NULL OR c.source = :source)
    AND (CAST(:file AS text) IS NULL OR strpos(coalesce(f.object_name, 'stream'), :file) > 0)
    AND (CAST(:day AS date) IS NULL OR c.day = :day)
    AND (CAST(:chunk_id AS text) IS NULL OR c.chunk_id = :chunk_id)
ORDER BY c.chunk_key
