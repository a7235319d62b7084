-- Of some periods of a mart those that the last build of each kept back.
-- Parameters: mart, periods
-- Result: period
SELECT period
FROM (
    SELECT DISTINCT ON (p.period)
        p.period,
        p.period = ANY(b.kept_back) AS kept
    FROM pipeline.mart_build AS b
    CROSS JOIN LATERAL unnest(b.periods) AS p (period)
    WHERE b.mart = :mart AND b.ended_at IS NOT NULL AND b.periods && CAST(:periods AS date[])
    ORDER BY p.period, b.build_id DESC
) AS last_build
WHERE kept AND period = ANY(CAST(:periods AS date[]))
ORDER BY period
