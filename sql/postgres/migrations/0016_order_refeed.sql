-- An order to feed the warehouse anew from Postgres; enrich takes it with its next run. Without days it is the whole, and
-- then the position is taken anew too. `floor` is the highest feed_id that the warehouse held when it was ordered.
CREATE TABLE pipeline.refeed_order (
    order_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ordered_at timestamptz NOT NULL DEFAULT now(),
    ordered_by text NOT NULL,
    first_day  date,
    last_day   date,
    floor      bigint NOT NULL,
    feed_id    bigint UNIQUE,                             -- null: not taken yet
    taken_at   timestamptz,
    CHECK ((first_day IS NULL) = (last_day IS NULL)),
    CHECK (last_day >= first_day)
);

-- A whole refeed writes everything that the feeds before it were to write: those that are under way are replaced.
ALTER TABLE pipeline.feed_batch
    DROP CONSTRAINT feed_batch_state_check,
    ADD CHECK (state IN ('exported', 'published', 'loaded', 'built', 'replaced'));
