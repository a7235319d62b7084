-- Runs of an extraction, page by page: whatever ends a call, the next one goes on behind the last page that was stored.
CREATE TABLE pipeline.extraction (
    run_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text COLLATE "C" NOT NULL,
    scheduled_at timestamptz NOT NULL,                    -- of the call that began it; names the landing object
    since        timestamptz,                             -- null: the whole catalogue
    page_size    int NOT NULL CHECK (page_size > 0),
    round        int NOT NULL DEFAULT 1,                  -- rises when the pages did not fit and are read afresh
    pages_stored int NOT NULL DEFAULT 0,
    pages_told   int,                                     -- by the first page of the round, as the next one
    total_told   bigint,
    digest       text COLLATE "C",                        -- of an earlier round that had a product on two pages
    wait_until   timestamptz,                             -- the API asked not to be called before
    calls        int NOT NULL DEFAULT 1,
    products     bigint,                                  -- in the landing object
    started_at   timestamptz NOT NULL,                    -- becomes the watermark
    finished_at  timestamptz,
    UNIQUE (source, scheduled_at),
    CHECK ((finished_at IS NULL) = (products IS NULL))
);
CREATE UNIQUE INDEX extraction_open ON pipeline.extraction (source) WHERE finished_at IS NULL;
