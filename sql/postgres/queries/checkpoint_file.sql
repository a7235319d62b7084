-- Everything of the file before the checkpoint is registered and published.
-- Parameters: file_id, checkpoint (JSON), rows_received, chunks
-- Result: none
UPDATE pipeline.file
SET
    checkpoint = CAST(:checkpoint AS jsonb),
    rows_received = :rows_received,
    chunks = :chunks
WHERE file_id = :file_id
