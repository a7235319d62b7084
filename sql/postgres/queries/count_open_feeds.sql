-- Feeds that have not reached the mart.
-- Parameters: none
-- Result: feeds
SELECT count(*) AS feeds
FROM pipeline.feed_batch
WHERE state NOT IN ('built', 'replaced')
