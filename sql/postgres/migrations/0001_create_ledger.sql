-- The ledger: every file, every chunk of it, and what became of each of its rows.
CREATE SCHEMA pipeline;

CREATE TABLE pipeline.file (
    file_id       text COLLATE "C" PRIMARY KEY,           -- sha256 of bucket/name#generation
    bucket        text NOT NULL,
    object_name   text NOT NULL,
    generation    bigint NOT NULL,
    source        text COLLATE "C",                       -- null: rejected before a source was known
    size          bigint NOT NULL,
    crc32c        text,
    landed_at     timestamptz NOT NULL,
    state         text COLLATE "C" NOT NULL DEFAULT 'registered'
                  CHECK (state IN ('registered', 'cutting', 'cut', 'rejected')),
    reason        text COLLATE "C",
    told          text,                                   -- why it was rejected, and what to do
    rows_received bigint NOT NULL DEFAULT 0,
    chunks        int NOT NULL DEFAULT 0,
    checkpoint    jsonb,                                  -- where cutting goes on: position, ordinal, lines so far
    registered_at timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    UNIQUE (bucket, object_name, generation),
    CHECK ((state = 'rejected') = (reason IS NOT NULL))
);
CREATE INDEX file_unfinished ON pipeline.file (registered_at) WHERE state IN ('registered', 'cutting');
CREATE INDEX file_landed ON pipeline.file (landed_at);

-- A chunk's counts are all 0 while it is registered (its rows are pending), and sum to received from then on:
-- a row that is lost or counted twice breaks the CHECK and with it the transaction.
CREATE TABLE pipeline.chunk (
    chunk_key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk_id      text COLLATE "C" NOT NULL UNIQUE,
    file_id       text COLLATE "C" REFERENCES pipeline.file,   -- null: a stream message
    source        text COLLATE "C" NOT NULL,
    ordinal       int NOT NULL DEFAULT 0,
    day           date NOT NULL,                          -- ledger day: of landing, or of publishing
    bucket        text,                                   -- where the chunk's bytes lie
    object_name   text,
    generation    bigint,
    byte_offset   bigint,
    byte_length   bigint,
    first_line    bigint NOT NULL DEFAULT 1,
    received      int NOT NULL CHECK (received >= 0),
    valid         int,                                    -- rows that validate passed
    inserted      int NOT NULL DEFAULT 0 CHECK (inserted >= 0),
    updated       int NOT NULL DEFAULT 0 CHECK (updated >= 0),
    unchanged     int NOT NULL DEFAULT 0 CHECK (unchanged >= 0),
    superseded    int NOT NULL DEFAULT 0 CHECK (superseded >= 0),
    quarantined   int NOT NULL DEFAULT 0 CHECK (quarantined >= 0),
    held          int NOT NULL DEFAULT 0 CHECK (held >= 0),
    state         text COLLATE "C" NOT NULL DEFAULT 'registered' CHECK (state IN ('registered', 'loaded', 'held')),
    validated     jsonb,                                  -- the message of a held chunk, to be sent again on release
    registered_at timestamptz NOT NULL DEFAULT now(),
    held_at       timestamptz,
    decided_at    timestamptz,                            -- an operator released or rejected it: never held again
    loaded_at     timestamptz,
    loaded_xid    bigint,
    CHECK (inserted + updated + unchanged + superseded + quarantined + held
           = CASE WHEN state = 'registered' THEN 0 ELSE received END),
    CHECK (state = 'held' OR held = 0),
    CHECK ((state = 'loaded') = (loaded_xid IS NOT NULL))
);
CREATE INDEX chunk_file ON pipeline.chunk (file_id, ordinal);
CREATE INDEX chunk_day ON pipeline.chunk (day);
CREATE INDEX chunk_open ON pipeline.chunk (registered_at) WHERE state <> 'loaded';

CREATE TABLE pipeline.quarantined_row (
    chunk_key      bigint NOT NULL REFERENCES pipeline.chunk,
    line           int NOT NULL,
    reason         text COLLATE "C" NOT NULL,
    fields         jsonb,                                 -- field -> what was wrong; never the value of a user's row
    row_id         text COLLATE "C",                      -- the row's own id, never for users
    raw_object     text,                                  -- the bytes, in the quarantine bucket alone
    raw_offset     bigint,
    raw_length     bigint,
    attempt        int NOT NULL DEFAULT 1,
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chunk_key, line)
);
CREATE INDEX quarantined_row_reason ON pipeline.quarantined_row (reason, quarantined_at);

-- Every day that a transaction has left: the warehouse may still hold it under any of them.
CREATE TABLE pipeline.moved_day (
    transaction_id text COLLATE "C" NOT NULL,
    day            date NOT NULL,
    PRIMARY KEY (transaction_id, day)
);

CREATE TABLE pipeline.feed_batch (
    feed_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position      bigint NOT NULL,
    next_position bigint NOT NULL CHECK (next_position >= position),
    objects       jsonb NOT NULL DEFAULT '{}',
    days          date[] NOT NULL DEFAULT '{}',
    rows          jsonb NOT NULL DEFAULT '{}',
    state         text COLLATE "C" NOT NULL DEFAULT 'exported'
                  CHECK (state IN ('exported', 'published', 'loaded', 'built')),
    exported_at   timestamptz NOT NULL DEFAULT now(),
    published_at  timestamptz,
    loaded_at     timestamptz,
    built_at      timestamptz
);
CREATE INDEX feed_batch_open ON pipeline.feed_batch (feed_id) WHERE state <> 'built';

-- Where the warehouse feed stands, and in which cluster: transaction ids mean nothing in another one.
CREATE TABLE pipeline.feed_position (
    singleton         bool PRIMARY KEY DEFAULT true CHECK (singleton),
    position          bigint NOT NULL,
    system_identifier bigint NOT NULL,                    -- differs after dump and restore or an upgrade
    timeline          int NOT NULL,                       -- differs after promotion, recovery, a clone of a backup
    moved_at          timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pipeline.extraction_watermark (
    source       text COLLATE "C" PRIMARY KEY,
    watermark    timestamptz NOT NULL,
    full_at      timestamptz,
    extracted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pipeline.schema_drift (
    source           text COLLATE "C" NOT NULL,
    field            text COLLATE "C" NOT NULL,
    json_type        text COLLATE "C" NOT NULL,
    first_seen_chunk text COLLATE "C" NOT NULL,
    first_seen_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at     timestamptz NOT NULL DEFAULT now(),
    rows             bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (source, field, json_type)
);

CREATE TABLE pipeline.quality_result (
    dataset     text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    rule        text COLLATE "C" NOT NULL,
    value       numeric NOT NULL,
    threshold   numeric NOT NULL,
    passed      bool NOT NULL,
    measured_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dataset, day, rule)
);
