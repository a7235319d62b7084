-- Delete what a refeed did not write within its days: Postgres no longer has it there.
-- Parameters: feed_id of the refeed, days
-- Run by load_warehouse after the merge of a refeed.
DELETE FROM sales.transactions
WHERE sale_date IN UNNEST(@days)
    AND feed_id < @feed_id
