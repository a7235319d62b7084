-- How far the marts are: when each was last built, and what of it is out of date.
-- Parameters: none
-- Result: mart, last_built_at, dirty, urgent (something does not wait for its hour), oldest_mark, oldest_untried (not kept back since)
WITH kept AS (
    SELECT
        mart,
        unnest(kept_back) AS period,
        max(ended_at) AS kept_at
    FROM pipeline.mart_build
    WHERE kept_back <> '{}'
    GROUP BY
        mart,
        period
)

SELECT
    mart,
    b.last_built_at,
    coalesce(d.dirty, 0)::int AS dirty,
    coalesce(d.urgent, false) AS urgent,
    d.oldest_mark,
    d.oldest_untried
FROM (
    SELECT
        mart,
        max(ended_at) AS last_built_at
    FROM pipeline.mart_build
    GROUP BY mart
) AS b
FULL JOIN (
    SELECT
        mart,
        count(*) AS dirty,
        bool_or(urgent) AS urgent,
        min(marked_at) AS oldest_mark,
        min(marked_at) FILTER (WHERE k.kept_at IS NULL OR k.kept_at < marked_at) AS oldest_untried
    FROM pipeline.mart_dirty
    LEFT JOIN kept AS k USING (mart, period)
    GROUP BY mart
) AS d USING (mart)
ORDER BY mart
