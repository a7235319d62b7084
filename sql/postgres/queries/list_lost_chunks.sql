-- Chunks that a file was cut into and that the ledger does not have.
-- Parameters: none
-- Result: source, chunk_id, file (as verify_files names it)
SELECT
    f.source,
    f.file_id || '-' || to_char(n.ordinal, 'FM000000') AS chunk_id,
    'file ' || f.object_name || '#' || f.generation AS file
FROM pipeline.file AS f
CROSS JOIN LATERAL generate_series(0, f.chunks - 1) AS n (ordinal)
WHERE
    f.state = 'cut'
    AND f.chunks <> (SELECT count(*) FROM pipeline.chunk AS c WHERE c.file_id = f.file_id)
    AND NOT EXISTS (SELECT FROM pipeline.chunk AS c WHERE c.file_id = f.file_id AND c.ordinal = n.ordinal)
ORDER BY f.file_id, n.ordinal
