-- The periods that a mart must build anew, the oldest first, with the mark that a build of them clears.
-- Parameters: mart, most
-- Result: period, marked
SELECT
    period,
    marked
FROM pipeline.mart_dirty
WHERE mart = :mart
ORDER BY period
LIMIT :most
