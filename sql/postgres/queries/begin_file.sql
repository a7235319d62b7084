-- The source of a file is known and its cutting begins.
-- Parameters: file_id, source
-- Result: none
UPDATE pipeline.file
SET
    state = 'cutting',
    source = :source
WHERE file_id = :file_id AND state = 'registered'
