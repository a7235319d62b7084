-- Forget the marks of periods that were built; a mark that came meanwhile stays.
-- Parameters: mart, periods, marked (the highest mark that the build had seen)
-- Result: none
DELETE FROM pipeline.mart_dirty
WHERE mart = :mart
  AND period = ANY(CAST(:periods AS date[]))
  AND marked <= :marked
