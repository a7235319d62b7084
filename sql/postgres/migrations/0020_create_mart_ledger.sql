-- The ledger of the marts: which periods are out of date, and what every build did.

-- A period (a day, or the first day of a month) that a mart must build anew. `marked` rises with each mark: a build
-- clears only the marks that it had seen before it read anything.
CREATE SEQUENCE pipeline.mart_mark;
CREATE TABLE pipeline.mart_dirty (
    mart      text COLLATE "C" NOT NULL,
    period    date NOT NULL,
    marked    bigint NOT NULL DEFAULT nextval('pipeline.mart_mark'),
    marked_at timestamptz NOT NULL DEFAULT now(),
    urgent    bool NOT NULL DEFAULT false,                -- an order, or a close: it does not wait for the mart's hour
    PRIMARY KEY (mart, period)
);

CREATE TABLE pipeline.mart_build (
    build_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mart       text COLLATE "C" NOT NULL,
    periods    date[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,                               -- null: it runs, or it was cut off and was done again
    kept_back  date[] NOT NULL DEFAULT '{}',              -- periods whose previous version stands: a check failed
    told       text NOT NULL DEFAULT ''                   -- what failed
);
CREATE INDEX mart_build_mart ON pipeline.mart_build (mart, build_id);

-- When the days of a feed were marked; before that nothing says that the marts are behind it.
ALTER TABLE pipeline.feed_batch ADD COLUMN marked_at timestamptz;
