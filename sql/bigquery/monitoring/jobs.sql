-- The jobs that were made in a span of time and have ended; the children of a script are left out, for it counts them.
-- Parameters: since, until (TIMESTAMP, of the creation). ${region} is the location of the datasets.
-- Run by watch_queries.
SELECT
    job_id,
    job_type,
    statement_type,
    creation_time,
    end_time,
    query,
    total_bytes_processed,
    total_bytes_billed,
    total_slot_ms,
    error_result,
    labels
FROM `region-${region}`.INFORMATION_SCHEMA.JOBS
WHERE creation_time >= @since
    AND creation_time < @until
    AND state = 'DONE'
    AND parent_job_id IS NULL
ORDER BY creation_time
