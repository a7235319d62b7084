-- The query jobs of the pipeline since a time, by their labels; a script's children are counted in their parent.
-- Parameters: since (RFC 3339)
-- Result: stage, name, jobs, size (bytes processed)
SELECT
    (SELECT l.value FROM UNNEST(labels) AS l WHERE l.key = 'stage') AS stage,
    (SELECT l.value FROM UNNEST(labels) AS l WHERE l.key = 'table') AS name,
    COUNT(*) AS jobs,
    SUM(IFNULL(total_bytes_processed, 0)) AS size
FROM `region-eu`.INFORMATION_SCHEMA.JOBS
WHERE creation_time >= TIMESTAMP(@since)
    AND parent_job_id IS NULL
    AND job_type = 'QUERY'
GROUP BY stage, name
ORDER BY stage, name
