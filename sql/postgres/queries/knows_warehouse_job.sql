-- Whether a job was admitted before.
-- Parameters: job_id
-- Result: one row, true or false
SELECT EXISTS (SELECT FROM pipeline.warehouse_job WHERE job_id = :job_id) AS known
