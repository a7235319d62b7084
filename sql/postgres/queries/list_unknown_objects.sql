-- Which of some landing objects the ledger does not know.
-- Parameters: bucket, objects (JSON array of name and generation)
-- Result: name, generation
SELECT
    o.name,
    o.generation
FROM jsonb_to_recordset(CAST(:objects AS jsonb)) AS o (name text, generation bigint)
LEFT JOIN pipeline.file AS f ON f.bucket = :bucket AND f.object_name = o.name AND f.generation = o.generation
WHERE f.file_id IS NULL
ORDER BY o.name
