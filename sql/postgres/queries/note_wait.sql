-- The product API asked not to be called before a time; a later call keeps to it too.
-- Parameters: run_id, wait_until
-- Result: none
UPDATE pipeline.extraction
SET wait_until = :wait_until
WHERE run_id = :run_id
