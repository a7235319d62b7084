-- What is under way for longer than it may be: files that are not cut, chunks and feeds that are not through.
-- Parameters: settled_before
-- Result: where, told
SELECT
    'file ' || object_name || '#' || generation AS "where",
    'is ' || state || ' since ' || to_char(registered_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC, not cut to its end' AS told
FROM pipeline.file
WHERE state IN ('registered', 'cutting') AND registered_at < CAST(:settled_before AS timestamptz)
UNION ALL
SELECT
    'chunk ' || chunk_id AS "where",
    received || ' rows have no outcome since ' || to_char(registered_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS told
FROM pipeline.chunk
WHERE state = 'registered' AND registered_at < CAST(:settled_before AS timestamptz)
UNION ALL
SELECT
    'feed ' || feed_id AS "where",
    'is ' || state || ' since ' || to_char(exported_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC, not built; it touches '
    || cardinality(days) || ' days' AS told
FROM pipeline.feed_batch
WHERE state NOT IN ('built', 'replaced') AND exported_at < CAST(:settled_before AS timestamptz)
UNION ALL
SELECT
    'chunk ' || (array_agg(c.chunk_id ORDER BY c.loaded_at))[1] AS "where",
    'loaded at ' || to_char(min(c.loaded_at), 'YYYY-MM-DD HH24:MI:SS') || ' UTC; ' || count(*) || ' rows of it and of '
    || count(DISTINCT c.chunk_key) - 1 || ' later chunks are in no feed' AS told
FROM commerce.transactions AS t
INNER JOIN pipeline.chunk AS c ON c.loaded_xid = t.change_seq
WHERE
    t.change_seq >= coalesce((SELECT position FROM pipeline.feed_position), 0)
    AND c.loaded_at < CAST(:settled_before AS timestamptz)
HAVING count(*) > 0
