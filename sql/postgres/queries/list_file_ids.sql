-- Every file that was registered.
-- Parameters: none
-- Result: file_id
SELECT file_id
FROM pipeline.file
ORDER BY registered_at
