-- Free what lock_stage took.
-- Parameters: stage
-- Result: true
SELECT pg_advisory_unlock(hashtextextended('stage ' || :stage, 0)) AS unlocked
