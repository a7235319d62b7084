-- Held chunks that an operator decided on and that are not loaded yet.
-- Parameters: none
-- Result: where, told
SELECT
    'chunk ' || chunk_id AS "where",
    'was ' || decision || ' at ' || to_char(decided_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC and is not loaded yet' AS told
FROM pipeline.chunk
WHERE state = 'held' AND decision IS NOT NULL
ORDER BY chunk_key
