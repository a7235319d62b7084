-- Keep other deliveries of the same upload from cutting the file at the same time; freed by unlock_file or with the session.
-- Parameters: file_id
-- Result: true, or false where another session has it
SELECT pg_try_advisory_lock(hashtextextended(:file_id, 0)) AS locked
