-- What the ledger knows of a file.
-- Parameters: file_id
-- Result: state, rows_received, checkpoint; no row for a file that is not known
SELECT
    state,
    rows_received,
    checkpoint
FROM pipeline.file
WHERE file_id = :file_id
