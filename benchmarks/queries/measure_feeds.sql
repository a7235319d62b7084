-- The seconds that all feeds together spent in each stage; exported_at is when the export began.
-- Parameters: none
-- Result: first_at, built_at, export, load, build, to_warehouse
SELECT
    min(exported_at) AS first_at,
    max(built_at) AS built_at,
    sum(extract(EPOCH FROM published_at - exported_at)) AS export,
    sum(extract(EPOCH FROM loaded_at - published_at)) AS load,
    sum(extract(EPOCH FROM built_at - loaded_at)) AS build,
    sum(extract(EPOCH FROM loaded_at - exported_at)) AS to_warehouse
FROM pipeline.feed_batch
