-- Whether the feed has a transaction to write.
-- Parameters: none; reads feed_transaction
-- Result: true or false
SELECT exists(SELECT FROM pg_temp.feed_transaction) AS changed
