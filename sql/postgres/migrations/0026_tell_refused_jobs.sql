-- A job that BigQuery refused to make is told from one that ran and failed: its id is free, and the next try runs by it.
ALTER TABLE pipeline.warehouse_job DROP CONSTRAINT warehouse_job_state_check;
ALTER TABLE pipeline.warehouse_job ADD CONSTRAINT warehouse_job_state_check
CHECK (state IN ('running', 'done', 'failed', 'refused'));
