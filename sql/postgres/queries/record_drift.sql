-- Take the profiles of chunks that were not looked at yet, at most :most, and record what drifted in them.
-- Parameters: most, least_rows (so many rows without a field say that it vanished), most_fields (names kept for a source)
-- Result: one row: chunks taken; findings, a JSON array of what opened now
WITH taken AS (
    UPDATE pipeline.chunk
    SET drift_recorded = true
    WHERE chunk_key IN (
        SELECT chunk_key
        FROM pipeline.chunk
        WHERE profile IS NOT NULL AND NOT drift_recorded
        ORDER BY chunk_key
        LIMIT CAST(:most AS bigint)
        FOR UPDATE SKIP LOCKED
    )
    RETURNING chunk_key, chunk_id, source, registered_at, object_name, profile
),

-- A canary of `sluice doctor` is taken and tells nothing of what its source sends.
told AS (
    SELECT
        chunk_key,
        chunk_id,
        source,
        registered_at,
        profile,
        coalesce(CAST(profile ->> 'read' AS int), 0) AS read
    FROM taken
    WHERE chunk_id NOT LIKE 'canary-%' AND object_name IS DISTINCT FROM 'products/sluice-canary.ndjson'
),

-- A known field in a chunk.
observed AS (
    SELECT
        t.chunk_key,
        t.chunk_id,
        t.source,
        t.registered_at,
        f.field,
        t.read,
        t.read - coalesce(CAST(t.profile -> 'missing' ->> f.field AS int), 0) AS present
    FROM told t
    CROSS JOIN LATERAL (
        SELECT jsonb_object_keys(t.profile -> 'types')
        UNION
        SELECT jsonb_object_keys(t.profile -> 'missing')
    ) f (field)
    WHERE t.read > 0
),

-- A chunk of enough rows is judged by itself; small ones and the messages of a stream are judged together.
unit AS (
    SELECT
        source,
        field,
        CASE WHEN read >= CAST(:least_rows AS int) THEN chunk_key END AS chunk_key,
        sum(read) AS rows,
        sum(present) AS present,
        (array_agg(chunk_id ORDER BY chunk_key))[1] AS first_chunk,
        min(registered_at) AS since,
        max(registered_at) AS until
    FROM observed
    GROUP BY 1, 2, 3
),

typed AS (
    SELECT
        t.source,
        f.field,
        k.json_type,
        sum(CAST(k.rows AS bigint)) AS rows,
        (array_agg(t.chunk_id ORDER BY t.chunk_key))[1] AS first_chunk,
        min(t.registered_at) AS since,
        max(t.registered_at) AS until
    FROM told t
    CROSS JOIN LATERAL jsonb_each(t.profile -> 'types') f (field, types)
    CROSS JOIN LATERAL jsonb_each_text(f.types) k (json_type, rows)
    GROUP BY 1, 2, 3
),

usual AS (
    SELECT
        u.source,
        u.field,
        (SELECT coalesce(array_agg(DISTINCT k ORDER BY k), '{}')
         FROM (SELECT unnest(b.types) UNION
               SELECT t.json_type FROM typed t WHERE t.source = u.source AND t.field = u.field) x (k)) AS types,
        coalesce(b.rows, 0) + sum(u.rows) AS rows,
        coalesce(b.present, 0) + sum(u.present) AS present,
        CASE
            WHEN sum(u.present) FILTER (WHERE u.chunk_key IS NULL) > 0 THEN 0
            ELSE coalesce(b.silent_rows, 0) + coalesce(sum(u.rows) FILTER (WHERE u.chunk_key IS NULL), 0)
        END AS silent_rows,
        min(u.since) AS since,
        max(u.until) AS until,
        coalesce(b.present >= CAST(:least_rows AS int) AND 2 * b.present >= b.rows, false) AS was_usual
    FROM unit u
    LEFT JOIN pipeline.schema_baseline b USING (source, field)
    GROUP BY u.source, u.field, b.source, b.field
),

based AS (
    INSERT INTO pipeline.schema_baseline AS b
          (source, field, types, rows, present, silent_rows, first_seen_at, last_seen_at)
    SELECT source, field, types, rows, present, silent_rows, since, until
    FROM usual
    ON CONFLICT (source, field) DO UPDATE SET
        types = excluded.types,
        rows = excluded.rows,
        present = excluded.present,
        silent_rows = excluded.silent_rows,
        last_seen_at = greatest(b.last_seen_at, excluded.last_seen_at)
),

unknown AS (
    SELECT
        t.source,
        f.field,
        k.json_type,
        sum(CAST(k.rows AS bigint)) AS rows,
        (array_agg(t.chunk_id ORDER BY t.chunk_key))[1] AS first_chunk,
        min(t.registered_at) AS since,
        max(t.registered_at) AS until
    FROM told t
    CROSS JOIN LATERAL jsonb_each(t.profile -> 'unknown') f (field, types)
    CROSS JOIN LATERAL jsonb_each_text(f.types) k (json_type, rows)
    GROUP BY 1, 2, 3
),

-- A hostile source must not fill the table with names: those beyond the limit count as one.
ranked AS (
    SELECT
        u.*,
        d.field IS NULL AS is_first,
        dense_rank() OVER (PARTITION BY u.source, d.field IS NULL ORDER BY u.field)
        + (SELECT count(DISTINCT o.field) FROM pipeline.schema_drift o WHERE o.source = u.source AND o.state = 'new')
        AS number
    FROM unknown u
    LEFT JOIN (SELECT DISTINCT source, field FROM pipeline.schema_drift WHERE state = 'new') d USING (source, field)
),

drifted AS (
    SELECT
        source,
        CASE WHEN is_first AND number > CAST(:most_fields AS int) THEN '…' ELSE field END AS field,
        'new' AS state,
        json_type,
        sum(rows) AS rows,
        min(first_chunk) AS first_chunk,
        min(since) AS since,
        max(until) AS until
    FROM ranked
    GROUP BY 1, 2, 4
    UNION ALL
    SELECT t.source, t.field, 'retyped', t.json_type, t.rows, t.first_chunk, t.since, t.until
    FROM typed t
    JOIN pipeline.schema_baseline b USING (source, field)
    WHERE (cardinality(b.types) > 0 AND t.json_type <> ALL (b.types))
          OR EXISTS (SELECT FROM pipeline.schema_drift d
                     WHERE d.source = t.source AND d.field = t.field AND d.state = 'retyped'
                           AND d.json_type = t.json_type)
    UNION ALL
    SELECT u.source, u.field, 'vanished', 'absent', sum(u.rows), min(u.first_chunk), min(u.since), max(u.until)
    FROM unit u
    JOIN usual n USING (source, field)
    WHERE u.present = 0
          AND (u.chunk_key IS NOT NULL OR n.silent_rows >= CAST(:least_rows AS int))
          AND (n.was_usual
               OR (n.present >= CAST(:least_rows AS int) AND 2 * n.present >= n.rows)
               OR EXISTS (SELECT FROM pipeline.schema_drift d
                          WHERE d.source = u.source AND d.field = u.field AND d.state = 'vanished'
                                AND d.ended_at IS NULL))
    GROUP BY u.source, u.field
),

recorded AS (
    INSERT INTO pipeline.schema_drift AS d
          (source, field, state, json_type, rows, first_seen_chunk, first_seen_at, last_seen_at)
    SELECT source, field, state, json_type, rows, first_chunk, since, until
    FROM drifted
    ON CONFLICT (source, field, state, json_type) DO UPDATE SET
        rows = d.rows + excluded.rows,
        first_seen_chunk = CASE WHEN d.ended_at IS NULL THEN d.first_seen_chunk ELSE excluded.first_seen_chunk END,
        first_seen_at = CASE WHEN d.ended_at IS NULL THEN d.first_seen_at ELSE excluded.first_seen_at END,
        last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at),
        ended_at = NULL
    RETURNING source, field, state, json_type, rows, first_seen_chunk, first_seen_at
),

ended AS (
    UPDATE pipeline.schema_drift d
    SET ended_at = now()
    WHERE d.ended_at IS NULL
          AND NOT EXISTS (SELECT FROM drifted x
                          WHERE x.source = d.source AND x.field = d.field AND x.state = d.state)
          AND ((d.state = 'vanished' AND EXISTS (SELECT FROM unit u
                                                 WHERE u.source = d.source AND u.field = d.field AND u.present > 0))
               OR (d.state = 'new' AND EXISTS (SELECT FROM typed t WHERE t.source = d.source AND t.field = d.field)))
),

opened AS (
    SELECT
        r.source,
        r.field,
        r.state,
        jsonb_object_agg(r.json_type, r.rows) AS types,
        min(r.first_seen_at) AS since,
        min(r.first_seen_chunk) AS first_chunk
    FROM recorded r
    LEFT JOIN pipeline.schema_drift o USING (source, field, state, json_type)  -- as it was before this statement
    WHERE o.source IS NULL OR (o.ended_at IS NOT NULL AND o.accepted_at IS NULL)
    GROUP BY r.source, r.field, r.state
)

SELECT
    (SELECT count(*) FROM taken) AS chunks,
    (SELECT coalesce(
        jsonb_agg(
            jsonb_build_object(
                'source', source, 'field', field, 'state', state, 'types', o.types,
                'day', (o.since AT TIME ZONE 'UTC')::date, 'chunk', o.first_chunk,
                'known_types', coalesce(b.types, n.types),
                'known_rows', coalesce(b.rows, n.rows),
                'known_present', coalesce(b.present, n.present)
            )
            ORDER BY source, field, state
        ), '[]')
     FROM opened o
     LEFT JOIN pipeline.schema_baseline b USING (source, field)
     LEFT JOIN usual n USING (source, field)) AS findings
