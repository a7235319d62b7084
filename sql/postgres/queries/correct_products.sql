-- Corrects what earlier passes over the same file read otherwise from the very lines that are staged; before the load.
-- Parameters: :chunk_key.
-- Result: one row without a value.
SELECT pipeline.correct_products(:chunk_key);
