-- A job may start: it counts from now on, once.
-- Parameters: job_id, stage, table_name, target, kind, partitions
-- Result: none
INSERT INTO pipeline.warehouse_job (job_id, stage, table_name, target, kind, partitions, started_at, state)
VALUES (:job_id, :stage, :table_name, :target, :kind, :partitions, clock_timestamp(), 'running')
ON CONFLICT (job_id) DO NOTHING
