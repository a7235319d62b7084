-- Loads what is staged for a claimed chunk of transactions and finishes its ledger row.
-- Parameters: :chunk_key.
-- Result: one row, the counts; received is the sum of the others.
SELECT received, inserted, updated, unchanged, superseded, quarantined, held
FROM pipeline.load_transactions(:chunk_key);
