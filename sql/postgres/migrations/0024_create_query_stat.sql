-- How statements behave from day to day, and up to where they were read. No text of a statement: it might name a person.
CREATE TABLE pipeline.query_stat (
    store         text COLLATE "C" NOT NULL CHECK (store IN ('bigquery', 'postgres')),
    day           date NOT NULL,
    stage         text COLLATE "C" NOT NULL,              -- the function or label; empty in Postgres
    table_name    text COLLATE "C" NOT NULL,              -- what it is for; empty where it is for none
    fingerprint   text COLLATE "C" NOT NULL,              -- BigQuery: SHA256 without literals; Postgres: queryid
    runs          bigint NOT NULL CHECK (runs > 0),
    failed        bigint NOT NULL,
    total_seconds numeric(18,3) NOT NULL,
    max_seconds   numeric(18,3),                          -- null in Postgres, which knows no longest run of a day
    p95_seconds   numeric(18,3),                          -- the same
    bytes_billed  bigint NOT NULL DEFAULT 0,
    slot_ms       bigint NOT NULL DEFAULT 0,
    cost_usd      numeric(18,9) NOT NULL DEFAULT 0,
    PRIMARY KEY (day, store, stage, table_name, fingerprint)
);

CREATE TABLE pipeline.query_watermark (
    store      text COLLATE "C" PRIMARY KEY,
    watched_to timestamptz NOT NULL                       -- jobs that were made before it and ended by then are known
);

-- pg_stat_statements counts from the start of the server: what a day adds is the difference to what was seen before.
CREATE TABLE pipeline.statement_seen (
    query_id bigint PRIMARY KEY,
    calls    bigint NOT NULL,
    total_ms double precision NOT NULL
);
