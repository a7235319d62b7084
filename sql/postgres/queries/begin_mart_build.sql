-- Put a build of some periods of a mart on record.
-- Parameters: mart, periods
-- Result: build_id, which names its jobs and its staging table
INSERT INTO pipeline.mart_build (mart, periods)
VALUES (:mart, CAST(:periods AS date[]))
RETURNING build_id
