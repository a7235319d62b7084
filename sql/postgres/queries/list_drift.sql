-- Schema drift by source, field and state, newest first.
-- Parameters: none
-- Result: source, field, state, types (JSON type: rows), rows, first_seen_at, last_seen_at, chunk, status, accepted_by, was
SELECT
    d.source,
    d.field,
    d.state,
    jsonb_object_agg(d.json_type, d.rows ORDER BY d.json_type) AS types,
    sum(d.rows)::bigint AS rows,
    min(d.first_seen_at) AS first_seen_at,
    max(d.last_seen_at) AS last_seen_at,
    (array_agg(d.first_seen_chunk ORDER BY d.first_seen_at))[1] AS chunk,
    CASE
        WHEN bool_and(d.accepted_at IS NOT NULL) THEN 'accepted'
        WHEN bool_and(d.ended_at IS NOT NULL OR d.accepted_at IS NOT NULL) THEN 'over'
        ELSE 'open'
    END AS status,
    max(d.accepted_by) AS accepted_by,
    (SELECT b.types FROM pipeline.schema_baseline b WHERE b.source = d.source AND b.field = d.field) AS was
FROM pipeline.schema_drift d
GROUP BY d.source, d.field, d.state
ORDER BY first_seen_at DESC, d.source, d.field, d.state
