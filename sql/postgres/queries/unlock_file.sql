-- Free what lock_file took.
-- Parameters: file_id
-- Result: true
SELECT pg_advisory_unlock(hashtextextended(:file_id, 0)) AS unlocked
