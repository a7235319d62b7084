-- Counters of the rows that came in, for each chunk, file, and source and day of the given ledger days.
-- Parameters: days, fewest (rows of a chunk that is judged by itself). Canaries of `sluice doctor` are no rows of a source.
-- Result: scope, subject, dataset, day, counts (jsonb); the ledger is read, never the facts
WITH chunk AS MATERIALIZED (
    SELECT
        chunk_key,
        chunk_id,
        file_id,
        source,
        day,
        received,
        valid,
        profile
    FROM pipeline.chunk
    WHERE
        day = ANY(CAST(:days AS date[]))
        AND state <> 'registered'
        AND chunk_id NOT LIKE 'canary-%'
        AND object_name IS DISTINCT FROM 'products/sluice-canary.ndjson'
),

refused AS (
    SELECT
        q.chunk_key,
        count(*) FILTER (WHERE q.reason = 'conflicting_duplicate') AS conflicting,
        count(*) FILTER (
            WHERE q.reason = 'conflicting_duplicate' OR q.fields ?| ARRAY['amount', 'currency', 'status']
        ) AS financial
    FROM pipeline.quarantined_row AS q
    INNER JOIN chunk AS c USING (chunk_key)
    GROUP BY q.chunk_key
),

counter AS (
    SELECT
        c.chunk_id,
        c.file_id,
        c.source,
        c.day,
        v.name,
        v.n
    FROM chunk AS c
    LEFT JOIN refused AS r USING (chunk_key)
    CROSS JOIN LATERAL (
        VALUES
        ('received', c.received::bigint),
        ('invalid', c.received - coalesce(c.valid, 0)::bigint),
        ('conflicting', coalesce(r.conflicting, 0)),
        ('financial', coalesce(r.financial, 0))
        UNION ALL
        SELECT
            'missing.' || key,
            value::bigint
        FROM jsonb_each_text(c.profile -> 'missing')
    ) AS v (name, n)
),

summed AS (
    SELECT
        CASE WHEN grouping(chunk_id) = 0 THEN 'chunk' WHEN grouping(file_id) = 0 THEN 'file' ELSE 'day' END AS scope,
        CASE WHEN grouping(chunk_id) = 0 THEN chunk_id WHEN grouping(file_id) = 0 THEN file_id ELSE '' END AS subject,
        source,
        day,
        name,
        sum(n)::bigint AS n
    FROM counter
    GROUP BY GROUPING SETS ((source, day, name, chunk_id), (source, day, name, file_id), (source, day, name))
)

SELECT
    scope,
    subject,
    source AS dataset,
    day,
    jsonb_object_agg(name, n) AS counts
FROM summed
WHERE subject IS NOT NULL
GROUP BY scope, subject, source, day
HAVING scope <> 'chunk' OR max(n) FILTER (WHERE name = 'received') >= CAST(:fewest AS bigint)
ORDER BY day, scope, source, subject
