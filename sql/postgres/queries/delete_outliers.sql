-- Forget the outliers of days of sale that are found anew.
-- Parameters: days
-- Result: none
DELETE FROM pipeline.outlier
WHERE day = ANY(CAST(:days AS date[]))
