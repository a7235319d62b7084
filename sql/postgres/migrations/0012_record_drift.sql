-- Schema drift: fields that no schema names, fields that came with another JSON type, fields that went. Names, types and
-- counts, never a value. The scheduled function watch_schema reads the profile of each chunk once (query record_drift).
ALTER TABLE pipeline.chunk
    ADD COLUMN drift_recorded bool NOT NULL DEFAULT false;
CREATE INDEX chunk_drift ON pipeline.chunk (chunk_key) WHERE profile IS NOT NULL AND NOT drift_recorded;

ALTER TABLE pipeline.schema_drift
    ADD COLUMN state       text COLLATE "C" NOT NULL CHECK (state IN ('new', 'retyped', 'vanished')),
    ADD COLUMN ended_at    timestamptz,                   -- the field is known to a schema now, or it came back
    ADD COLUMN accepted_at timestamptz,                   -- an operator knows of it: it is told no more
    ADD COLUMN accepted_by text,
    ADD CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    DROP CONSTRAINT schema_drift_pkey,
    ADD PRIMARY KEY (source, field, state, json_type);   -- json_type of a vanished field: absent

-- What is usual: the JSON types that a known field ever had, and in how many rows it was there.
CREATE TABLE pipeline.schema_baseline (
    source        text COLLATE "C" NOT NULL,
    field         text COLLATE "C" NOT NULL,
    types         text[] NOT NULL,
    rows          bigint NOT NULL,
    present       bigint NOT NULL CHECK (present BETWEEN 0 AND rows),
    silent_rows   bigint NOT NULL DEFAULT 0,              -- rows of small chunks and messages since one had the field
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (source, field)
);
