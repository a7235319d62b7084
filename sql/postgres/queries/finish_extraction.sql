-- A run is landed.
-- Parameters: run_id, products
-- Result: none
UPDATE pipeline.extraction
SET
    products = :products,
    finished_at = now()
WHERE run_id = :run_id AND finished_at IS NULL
