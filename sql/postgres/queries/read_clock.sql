-- The database's clock, by which the ledger's times are written.
-- Parameters: none
-- Result: one row, the time
SELECT clock_timestamp() AS now
