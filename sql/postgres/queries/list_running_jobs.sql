-- The jobs that were admitted to a table and have not been seen to end; BigQuery ends a job after six hours.
-- Parameters: target
-- Result: job_id, the oldest first
SELECT job_id
FROM pipeline.warehouse_job
WHERE target = :target AND state = 'running' AND started_at > clock_timestamp() - interval '7 hours'
ORDER BY started_at, job_id
