-- What became of the rows of each source.
-- Parameters: none
-- Result: source, received, inserted, updated, unchanged, superseded, quarantined, held, pending
SELECT
    source,
    sum(received) AS received,
    sum(inserted) AS inserted,
    sum(updated) AS updated,
    sum(unchanged) AS unchanged,
    sum(superseded) AS superseded,
    sum(quarantined) AS quarantined,
    sum(held) AS held,
    coalesce(sum(received) FILTER (WHERE state = 'registered'), 0) AS pending
FROM pipeline.chunk
GROUP BY source
ORDER BY source
