-- A job may start: it counts from now on, once. One that was refused, or that no process can have begun, starts anew.
-- Parameters: job_id, stage, table_name, target, kind, partitions
-- Result: none
INSERT INTO pipeline.warehouse_job AS j (job_id, stage, table_name, target, kind, partitions, started_at, state)
VALUES (:job_id, :stage, :table_name, :target, :kind, :partitions, clock_timestamp(), 'running')
ON CONFLICT (job_id) DO UPDATE SET
    state = 'running',
    started_at = excluded.started_at,
    ended_at = NULL,
    error = ''
WHERE j.state = 'refused' OR (j.state = 'running' AND j.started_at <= clock_timestamp() - interval '7 hours')
