-- One job at a time is admitted to a table; freed with the transaction.
-- Parameters: target
-- Result: one row without a meaning
SELECT pg_advisory_xact_lock(hashtextextended('warehouse table ' || :target, 0))
