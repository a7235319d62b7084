-- Chunks whose account is off or still open; the columns of Account.
-- Parameters: none
-- Result: where, received, inserted, updated, unchanged, superseded, quarantined, held, pending, quarantine_rows
WITH account AS (
    SELECT
        c.chunk_key,
        'chunk ' || c.chunk_id AS "where",
        c.received,
        c.inserted,
        c.updated,
        c.unchanged,
        c.superseded,
        c.quarantined,
        c.held,
        CASE WHEN c.state = 'registered' THEN c.received ELSE 0 END AS pending,
        coalesce(q.quarantine_rows, 0) AS quarantine_rows
    FROM pipeline.chunk AS c
    LEFT JOIN (
        SELECT
            chunk_key,
            count(*) AS quarantine_rows
        FROM pipeline.quarantined_row
        GROUP BY chunk_key
    ) AS q USING (chunk_key)
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
    quarantine_rows
FROM account
WHERE
    received <> inserted + updated + unchanged + superseded + quarantined + held + pending
    OR pending > 0
    OR quarantined <> quarantine_rows
ORDER BY chunk_key
