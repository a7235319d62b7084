-- Whether a job was admitted and counts: not refused, and ended or begun within seven hours (BigQuery ends it in six).
-- Parameters: job_id
-- Result: one row, true or false
SELECT EXISTS (
    SELECT FROM pipeline.warehouse_job
    WHERE job_id = :job_id
        AND state <> 'refused'
        AND (state <> 'running' OR started_at > clock_timestamp() - interval '7 hours')
) AS known
