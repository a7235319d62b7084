-- The account of everything; the columns of Account.
-- Parameters: none
-- Result: where, received, inserted, updated, unchanged, superseded, quarantined, held, pending, quarantine_rows
SELECT
    'overall' AS "where",
    coalesce(sum(received), 0) AS received,
    coalesce(sum(inserted), 0) AS inserted,
    coalesce(sum(updated), 0) AS updated,
    coalesce(sum(unchanged), 0) AS unchanged,
    coalesce(sum(superseded), 0) AS superseded,
    coalesce(sum(quarantined), 0) AS quarantined,
    coalesce(sum(held), 0) AS held,
    coalesce(sum(received) FILTER (WHERE state = 'registered'), 0) AS pending,
    (SELECT count(*) FROM pipeline.quarantined_row) AS quarantine_rows
FROM pipeline.chunk
