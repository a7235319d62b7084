-- Makes the list of transactions that the feed will write, empty; it lives as long as the database transaction.
-- Parameters: none.
-- Result: none.
CREATE TEMP TABLE feed_transaction (transaction_id text COLLATE "C" NOT NULL) ON COMMIT DROP;
