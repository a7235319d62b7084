-- Makes the list of levels that the feed will write, empty; it lives as long as the database transaction.
-- Parameters: none.
-- Result: none.
CREATE TEMP TABLE feed_level (product_key int NOT NULL, level_date date NOT NULL) ON COMMIT DROP;
