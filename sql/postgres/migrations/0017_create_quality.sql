-- Verdicts of the quality rules, where check_quality stands, and the amounts that are far from what is usual.
-- Nothing wrote the table of 0001, so it is made anew.
DROP TABLE pipeline.quality_result;
CREATE TABLE pipeline.quality_result (
    scope       text COLLATE "C" NOT NULL CHECK (scope IN ('chunk', 'file', 'day')),
    subject     text COLLATE "C" NOT NULL,                -- chunk_id, file_id; for a day the currency, or empty
    dataset     text COLLATE "C" NOT NULL,                -- a source; sales (by day of sale); reconcile
    day         date NOT NULL,
    rule        text COLLATE "C" NOT NULL,                -- shared/domain/quality/rules.py
    value       numeric NOT NULL,
    threshold   numeric NOT NULL,
    severity    text COLLATE "C" NOT NULL CHECK (severity IN ('warning', 'critical')),
    passed      bool NOT NULL,
    rows        bigint NOT NULL CHECK (rows >= 0),        -- how many the value was counted over
    measured_at timestamptz NOT NULL DEFAULT now(),       -- when it was last found to be another
    PRIMARY KEY (scope, day, dataset, rule, subject)
);

CREATE TABLE pipeline.quality_watermark (
    singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
    position  bigint NOT NULL,                            -- what transactions below it wrote is measured
    ran_on    date NOT NULL,                              -- the day of the last run: it was not over then
    runs      bigint NOT NULL                             -- numbers the runs, whose objects and jobs are named after it
);

-- Whatever gives the rows of a chunk another outcome (a load, a hold, a decision, a replay) leaves its transaction here.
ALTER TABLE pipeline.chunk ADD COLUMN changed_xid bigint NOT NULL DEFAULT 0;
CREATE INDEX chunk_changed ON pipeline.chunk (changed_xid);
CREATE FUNCTION pipeline.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER note_change BEFORE INSERT OR UPDATE ON pipeline.chunk
    FOR EACH ROW WHEN (NEW.state <> 'registered') EXECUTE FUNCTION pipeline.note_change();

CREATE TABLE pipeline.outlier (
    day            date NOT NULL,                         -- day of sale
    transaction_id text COLLATE "C" NOT NULL,
    category       text COLLATE "C" NOT NULL,
    currency       char(3) NOT NULL,
    amount         numeric(18,4) NOT NULL,
    z              numeric(8,2) NOT NULL,                 -- spreads from the median log amount of the trailing days
    usual          numeric(18,2) NOT NULL,                -- that median, as an amount
    rows           bigint NOT NULL,                       -- amounts in the trailing days
    PRIMARY KEY (day, transaction_id)
);

-- A receiver that refuses an alert for good is asked no more.
ALTER TABLE pipeline.alert
    ADD COLUMN refused_status int,                        -- HTTP status by which the webhook refused it
    ADD CHECK (refused_status IS NULL OR delivered_at IS NULL);
