-- What somebody must look at. A stage writes the alert in the same database as its finding; send_alerts publishes it, and
-- notify delivers it. The key makes it one alert however often the same thing is found.
CREATE TABLE pipeline.alert (
    alert_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_key    text COLLATE "C" NOT NULL UNIQUE,        -- kind/subject, and the day where it may come again
    kind         text COLLATE "C" NOT NULL,               -- section of docs/runbook.md
    severity     text COLLATE "C" NOT NULL CHECK (severity IN ('warning', 'critical')),
    subject      text COLLATE "C" NOT NULL,               -- what it is about: a dataset, file, chunk or table
    told         text NOT NULL,                           -- what was found, in numbers; never a value of a row
    seen         int NOT NULL DEFAULT 1 CHECK (seen > 0),
    raised_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    delivered_at timestamptz
);
CREATE INDEX alert_unpublished ON pipeline.alert (alert_id) WHERE published_at IS NULL;
CREATE INDEX alert_raised ON pipeline.alert (raised_at);
