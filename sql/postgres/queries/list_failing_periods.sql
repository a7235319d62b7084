-- Of some periods of a mart those of which checks told something at the last build of each.
-- Parameters: mart, periods
-- Result: period, kept (it failed, its previous version stands; else a check warned)
SELECT
    period,
    kept
FROM (
    SELECT DISTINCT ON (p.period)
        p.period,
        p.period = ANY(b.kept_back) AS kept,
        p.period = ANY(b.warned) AS warned
    FROM pipeline.mart_build AS b
    CROSS JOIN LATERAL unnest(b.periods) AS p (period)
    WHERE b.mart = :mart AND b.ended_at IS NOT NULL AND b.periods && CAST(:periods AS date[])
    ORDER BY p.period, b.build_id DESC
) AS last_build
WHERE (kept OR warned) AND period = ANY(CAST(:periods AS date[]))
ORDER BY period
