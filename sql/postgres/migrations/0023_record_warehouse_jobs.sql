-- Each job of the warehouse: what ran it, what it read and wrote, and what it cost. The governor counts by it before the
-- next one starts; a job is a row from its admission on, so the count holds over all instances.
CREATE TABLE pipeline.warehouse_job (
    job_id          text COLLATE "C" PRIMARY KEY,         -- BigQuery's, ours with its attempt
    stage           text COLLATE "C" NOT NULL,            -- the function; ad_hoc for a query that is not ours
    table_name      text COLLATE "C" NOT NULL,            -- what the job is for, dataset.table; empty where it is for none
    target          text COLLATE "C" NOT NULL,            -- the table that it writes; empty for a query that only reads
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('load', 'query', 'dml', 'script')),
    partitions      int NOT NULL DEFAULT 1,               -- how many of the target it may modify
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    state           text COLLATE "C" NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    error           text COLLATE "C" NOT NULL DEFAULT '', -- BigQuery's reason code, never its message
    bytes_processed bigint NOT NULL DEFAULT 0,
    bytes_billed    bigint NOT NULL DEFAULT 0,
    slot_ms         bigint NOT NULL DEFAULT 0,
    rows            bigint NOT NULL DEFAULT 0,            -- loaded, changed or given
    cost_usd        numeric(18,9) NOT NULL DEFAULT 0,     -- by shared/prices.yaml on the day that it ended
    fingerprint     text COLLATE "C" NOT NULL DEFAULT '', -- of the statement without its literals; set by watch_queries
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX warehouse_job_started ON pipeline.warehouse_job (started_at);
CREATE INDEX warehouse_job_target ON pipeline.warehouse_job (target, started_at) WHERE target <> '';
