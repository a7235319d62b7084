-- Whether the feed has a level to write.
-- Parameters: none; reads feed_level
-- Result: true or false
SELECT exists(SELECT FROM pg_temp.feed_level) AS changed
