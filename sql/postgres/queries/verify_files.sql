-- Files whose chunks do not add up to what was cut, or that are not cut to their end; the columns of Account.
-- Parameters: none
-- Result: where, received, inserted, updated, unchanged, superseded, quarantined, held, pending, quarantine_rows
WITH account AS (
    SELECT
        f.registered_at,
        'file ' || f.object_name || '#' || f.generation
        || CASE WHEN f.pass > 0 THEN ' pass ' || f.pass ELSE '' END AS "where",
        f.state,
        f.chunks,
        f.rows_received AS received,
        count(c.chunk_key) AS known_chunks,
        coalesce(sum(c.inserted), 0) AS inserted,
        coalesce(sum(c.updated), 0) AS updated,
        coalesce(sum(c.unchanged), 0) AS unchanged,
        coalesce(sum(c.superseded), 0) AS superseded,
        coalesce(sum(c.quarantined), 0) AS quarantined,
        coalesce(sum(c.held), 0) AS held,
        coalesce(sum(c.received) FILTER (WHERE c.state = 'registered'), 0)
        + CASE WHEN f.state IN ('registered', 'cutting') THEN 1 ELSE 0 END AS pending
    FROM pipeline.file AS f
    LEFT JOIN pipeline.chunk AS c USING (file_id)
    GROUP BY f.file_id
)
SELECT
    "where",
    received,
    inserted,
    updated,
    unchanged,
    superseded,
    quarantined,
    held,
    pending,
    quarantined AS quarantine_rows
FROM account
WHERE
    received <> inserted + updated + unchanged + superseded + quarantined + held + pending
    OR pending > 0
    OR chunks <> known_chunks
ORDER BY registered_at
