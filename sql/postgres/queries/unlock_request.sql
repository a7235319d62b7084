-- Frees what lock_request holds.
-- Parameters: request_id
-- Result: true
SELECT pg_advisory_unlock(hashtextextended('operator ' || :request_id, 0)) AS unlocked
