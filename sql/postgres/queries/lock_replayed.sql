-- Locks the ledger row of a loaded chunk, for a replay of some of its rows.
-- Parameters: :chunk_id.
-- Result: one row, the key; null where the chunk is not loaded.
SELECT pipeline.lock_replayed(:chunk_id);
