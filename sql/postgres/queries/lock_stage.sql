-- Let one instance of a stage run at a time; freed by unlock_stage or with the session.
-- Parameters: stage
-- Result: true, or false where another session has it
SELECT pg_try_advisory_lock(hashtextextended('stage ' || :stage, 0)) AS locked
