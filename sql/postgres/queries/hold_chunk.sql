-- Records that a claimed chunk waits for an operator; one that was decided before is not held again.
-- Parameters: :chunk_key, :valid rows, :validated the message to send again on release.
-- Result: one row with the key where it is held now, else none.
SELECT chunk_key
FROM pipeline.hold(:chunk_key, :valid, :validated);
