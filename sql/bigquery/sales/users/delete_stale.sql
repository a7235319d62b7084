-- Delete what a whole refeed did not write: Postgres no longer has it.
-- Parameters: feed_id of the refeed
-- Run by load_warehouse after the merge of a whole refeed.
DELETE FROM sales.users
WHERE feed_id < @feed_id
