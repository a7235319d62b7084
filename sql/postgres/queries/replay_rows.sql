-- Moves the staged rows of a locked chunk out of quarantine, those that still lie there with this attempt.
-- Parameters: :chunk_key, :attempt, :recency of the file (users, fx_rates), :action_id of the order (null: none).
-- Result: one row, the counts; received is the sum of the others.
SELECT received, inserted, updated, unchanged, superseded, quarantined, held
FROM pipeline.replay(:chunk_key, :attempt, :recency, :action_id);
