-- How far the marts are: when each was last built, and what of it is out of date.
-- Parameters: none
-- Result: mart, last_built_at, dirty, urgent (whether something does not wait for the mart's hour), oldest_mark
SELECT
    mart,
    b.last_built_at,
    coalesce(d.dirty, 0)::int AS dirty,
    coalesce(d.urgent, false) AS urgent,
    d.oldest_mark
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
        min(marked_at) AS oldest_mark
    FROM pipeline.mart_dirty
    GROUP BY mart
) AS d USING (mart)
ORDER BY mart
