-- The whole file is cut.
-- Parameters: file_id
-- Result: none
UPDATE pipeline.file
SET
    state = 'cut',
    finished_at = now()
WHERE file_id = :file_id AND state = 'cutting'
