-- Wait until no other session has the stage, and take it; freed by unlock_stage or with the session. Gives up after lock_timeout.
-- Parameters: stage
-- Result: one empty value
SELECT pg_advisory_lock(hashtextextended('stage ' || :stage, 0)) AS locked
