-- Delete what a whole refeed did not write: Postgres no longer has it.
-- Parameters: feed_id of the refeed, days
-- Run by load_warehouse after the merge of a whole refeed.
DELETE FROM sales.inventory_levels
WHERE level_date IN UNNEST(@days)
    AND feed_id < @feed_id
