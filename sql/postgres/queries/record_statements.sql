-- Add to a day what Postgres ran since the last look; the first look only notes where the counters stand.
-- Parameters: day
-- Result: fingerprint of each statement that ran
WITH counted AS (
    SELECT
        queryid AS query_id,
        CAST(sum(calls) AS bigint) AS calls,
        sum(total_exec_time) AS total_ms
    FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND queryid IS NOT NULL
    GROUP BY queryid
),

fresh AS (
    SELECT
        c.query_id,
        CASE WHEN s.calls <= c.calls THEN c.calls - s.calls ELSE c.calls END AS calls,
        CASE WHEN s.calls <= c.calls THEN greatest(c.total_ms - s.total_ms, 0) ELSE c.total_ms END AS total_ms
    FROM counted AS c
    LEFT JOIN pipeline.statement_seen AS s ON c.query_id = s.query_id
    WHERE EXISTS (SELECT FROM pipeline.statement_seen)
),

kept AS (
    INSERT INTO pipeline.statement_seen (query_id, calls, total_ms)
    SELECT
        query_id,
        calls,
        total_ms
    FROM counted
    ON CONFLICT (query_id) DO UPDATE SET calls = excluded.calls, total_ms = excluded.total_ms
)

INSERT INTO pipeline.query_stat AS q (store, day, stage, table_name, fingerprint, runs, failed, total_seconds)
SELECT
    'postgres',
    :day,
    '',
    '',
    CAST(query_id AS text),
    calls,
    0,
    CAST(total_ms / 1000 AS numeric)
FROM fresh
WHERE calls > 0
ON CONFLICT (day, store, stage, table_name, fingerprint) DO UPDATE SET
    runs = q.runs + excluded.runs,
    total_seconds = q.total_seconds + excluded.total_seconds
RETURNING fingerprint
