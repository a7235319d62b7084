-- Up to where the statements of a store were read.
-- Parameters: store
-- Result: watched_to; no row before the first look
SELECT watched_to
FROM pipeline.query_watermark
WHERE store = :store
