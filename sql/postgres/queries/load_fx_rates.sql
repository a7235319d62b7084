-- Loads what is staged for a claimed chunk of fx_rates and finishes its ledger row.
-- Parameters: :chunk_key, and :recency of the file.
-- Result: one row, the counts; received is the sum of the others.
SELECT received, inserted, updated, unchanged, superseded, quarantined, held
FROM pipeline.load_fx_rates(:chunk_key, :recency);
