-- Keeps a second sending of the same order waiting until the first is through.
-- Parameters: request_id
-- Result: one row without a value
SELECT pg_advisory_lock(hashtextextended('operator ' || :request_id, 0))
