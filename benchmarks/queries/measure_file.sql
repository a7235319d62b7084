-- When one file and its chunks passed each stage, by the database's clock.
-- Parameters: file_id
-- Result: landed_at, registered_at, cut_at, first_chunk_at, committed_at, chunks, median_chunk (seconds to commit)
SELECT
    f.landed_at,
    f.registered_at,
    f.finished_at AS cut_at,
    min(c.registered_at) AS first_chunk_at,
    max(c.loaded_at) AS committed_at,
    count(c.chunk_key) AS chunks,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(EPOCH FROM c.loaded_at - c.registered_at)) AS median_chunk
FROM pipeline.file AS f
INNER JOIN pipeline.chunk AS c ON f.file_id = c.file_id
WHERE f.file_id = :file_id
GROUP BY f.file_id
