-- How far the message of a canary of `sluice doctor` is.
-- Parameters: chunk_id
-- Result: state, inserted; no row before it has come to Postgres
SELECT
    state,
    inserted
FROM pipeline.chunk
WHERE chunk_id = :chunk_id
