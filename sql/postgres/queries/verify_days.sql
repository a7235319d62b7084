-- Days of a source whose account is off; the columns of Account.
-- Parameters: none
-- Result: where, received, inserted, updated, unchanged, superseded, quarantined, held, pending, quarantine_rows
SELECT
    source || ' of ' || day AS "where",
    sum(received) AS received,
    sum(inserted) AS inserted,
    sum(updated) AS updated,
    sum(unchanged) AS unchanged,
    sum(superseded) AS superseded,
    sum(quarantined) AS quarantined,
    sum(held) AS held,
    coalesce(sum(received) FILTER (WHERE state = 'registered'), 0) AS pending,
    sum(quarantined) AS quarantine_rows
FROM pipeline.chunk
GROUP BY source, day
HAVING
    sum(received) <> sum(inserted + updated + unchanged + superseded + quarantined + held)
ORDER BY day, source
