-- Quarantine as a product: rows are replayed or discarded, held chunks are decided on, and every order is on record.
ALTER TABLE pipeline.quarantined_row
    ADD COLUMN discarded_at timestamptz,                  -- given up by an operator; it stays counted as quarantined
    ADD COLUMN discarded_by text,
    ADD COLUMN discarded_why text,
    ADD CHECK ((discarded_at IS NULL) = (discarded_why IS NULL));
ALTER TABLE pipeline.chunk
    ADD COLUMN decision   text COLLATE "C" CHECK (decision IN ('released', 'rejected')),
    ADD COLUMN decided_by text,
    ADD COLUMN landed_at  timestamptz,                    -- of a stream message with quarantined rows; else the file's
    ADD CHECK ((decision IS NULL) = (decided_at IS NULL));

-- What an operator ordered. The request id makes an order one order, however often it is sent; its result is kept in a
-- row of its own, written when all is done: an order without a result was cut off and is done again.
CREATE TABLE audit.operator_action (
    action_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text COLLATE "C" NOT NULL UNIQUE,
    at         timestamptz NOT NULL DEFAULT now(),
    operator   text NOT NULL,
    action     text COLLATE "C" NOT NULL,
    filters    jsonb NOT NULL,
    details    jsonb NOT NULL                             -- reasons and set fields; never a value of a users' field
);
CREATE TABLE audit.operator_result (
    action_id bigint PRIMARY KEY REFERENCES audit.operator_action,
    at        timestamptz NOT NULL DEFAULT now(),
    result    jsonb NOT NULL                              -- counts
);
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.operator_action
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.operator_result
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- Every replay of a row that was judged: why it lay in quarantine, and why it does again (null: it found an outcome).
CREATE TABLE pipeline.replayed_row (
    chunk_key   bigint NOT NULL REFERENCES pipeline.chunk,
    line        int NOT NULL,
    attempt     int NOT NULL,
    reason      text COLLATE "C" NOT NULL,
    became      text COLLATE "C",
    action_id   bigint,
    replayed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chunk_key, line, attempt)
);
CREATE INDEX replayed_row_action ON pipeline.replayed_row (action_id);

-- A held chunk is claimed by the message that carries the operator's decision, and by no other.
DROP FUNCTION pipeline.claim(text, text, text, int, date, int, text, text, bigint, bigint, bigint, bigint, jsonb);
CREATE FUNCTION pipeline.claim(
    p_chunk_id text, p_file_id text, p_source text, p_ordinal int, p_day date, p_received int, p_bucket text,
    p_object text, p_generation bigint, p_offset bigint, p_length bigint, p_first_line bigint, p_profile jsonb,
    p_decision text DEFAULT NULL, p_landed_at timestamptz DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    mine  bigint;
    known int;
BEGIN
    INSERT INTO pipeline.chunk AS c (chunk_id, file_id, source, ordinal, day, received, bucket, object_name,
                                     generation, byte_offset, byte_length, first_line, profile, landed_at)
    VALUES (p_chunk_id, p_file_id, p_source, p_ordinal, p_day, p_received, p_bucket, p_object,
            p_generation, p_offset, p_length, p_first_line, p_profile, p_landed_at)
    ON CONFLICT (chunk_id) DO UPDATE SET profile = p_profile
    WHERE c.state = 'registered' OR (c.state = 'held' AND c.decision = p_decision)
    RETURNING chunk_key, received INTO mine, known;
    IF known <> p_received THEN
        RAISE EXCEPTION 'chunk % was registered with % rows, but % were validated', p_chunk_id, known, p_received
            USING ERRCODE = 'data_exception';
    END IF;
    RETURN mine;
END $$;

-- The end of every load and of every replay. Of a chunk that is loaded already, the staged rows come out of quarantine:
-- what found an outcome is moved to it, what conflicts stays.
CREATE OR REPLACE FUNCTION pipeline.finish_chunk(
    p_chunk_key bigint, p_inserted bigint, p_updated bigint, p_unchanged bigint, p_superseded bigint, p_conflicts bigint
) RETURNS pipeline.chunk LANGUAGE plpgsql AS $$
DECLARE
    bad    int;
    result pipeline.chunk;
BEGIN
    INSERT INTO pipeline.quarantined_row (chunk_key, line, reason, fields, row_id, raw_object, raw_offset, raw_length,
                                          source_offset, source_length)
    SELECT p_chunk_key, line, reason, fields, row_id, raw_object, raw_offset, raw_length, source_offset, source_length
    FROM pg_temp.staged_bad;
    GET DIAGNOSTICS bad = ROW_COUNT;
    UPDATE pipeline.chunk
    SET state = 'loaded', loaded_xid = pg_current_xact_id()::text::bigint, loaded_at = now(), valid = received - bad,
        inserted = p_inserted, updated = p_updated, unchanged = p_unchanged, superseded = p_superseded,
        quarantined = bad + p_conflicts, held = 0
    WHERE chunk_key = p_chunk_key AND state <> 'loaded'
    RETURNING * INTO result;
    IF NOT FOUND THEN
        UPDATE pipeline.chunk
        SET inserted = inserted + p_inserted, updated = updated + p_updated, unchanged = unchanged + p_unchanged,
            superseded = superseded + p_superseded,
            quarantined = quarantined - p_inserted - p_updated - p_unchanged - p_superseded
        WHERE chunk_key = p_chunk_key
        RETURNING * INTO STRICT result;
    END IF;
    RETURN result;
END $$;

-- A replay moves rows of a loaded chunk out of quarantine in one transaction: lock_replayed, COPY, replay. Of the staged
-- rows only those count that still lie in quarantine with this attempt: a second delivery finds none.
CREATE FUNCTION pipeline.lock_replayed(p_chunk_id text) RETURNS bigint LANGUAGE sql AS $$
    SELECT chunk_key FROM pipeline.chunk WHERE chunk_id = p_chunk_id AND state = 'loaded' FOR UPDATE
$$;

CREATE FUNCTION pipeline.replay(p_chunk_key bigint, p_attempt int, p_recency timestamptz, p_action bigint)
RETURNS pipeline.chunk LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    chunk  pipeline.chunk;
    staged text;
BEGIN
    SELECT * FROM pipeline.chunk WHERE chunk_key = p_chunk_key INTO STRICT chunk;
    staged := CASE chunk.source WHEN 'transactions' THEN 'staged_transaction' WHEN 'users' THEN 'staged_user'
                                WHEN 'products' THEN 'staged_product' WHEN 'fx_rates' THEN 'staged_fx_rate' END;
    PERFORM pipeline.drop_settled(p_chunk_key, p_attempt, staged);
    EXECUTE format($sql$
        INSERT INTO pipeline.replayed_row (chunk_key, line, attempt, reason, became, action_id)
        SELECT q.chunk_key, q.line, q.attempt, q.reason, b.reason, $2
        FROM pipeline.quarantined_row q
        JOIN (SELECT line, NULL AS reason FROM pg_temp.%I UNION ALL SELECT line, reason FROM pg_temp.staged_bad) b
            USING (line)
        WHERE q.chunk_key = $1 $sql$, staged) USING p_chunk_key, p_action;

    -- Bad again: the reason is the new one, the raw text stays where it is.
    UPDATE pipeline.quarantined_row q
    SET reason = b.reason, fields = b.fields, row_id = coalesce(b.row_id, q.row_id), attempt = q.attempt + 1
    FROM pg_temp.staged_bad b
    WHERE q.chunk_key = p_chunk_key AND q.line = b.line;
    DELETE FROM pg_temp.staged_bad;

    -- The load writes a conflicting row anew, so the old ones stand aside under a negative line meanwhile.
    EXECUTE format('UPDATE pipeline.quarantined_row q SET line = -q.line FROM pg_temp.%I s
                    WHERE q.chunk_key = $1 AND q.line = s.line', staged) USING p_chunk_key;
    CASE chunk.source
        WHEN 'transactions' THEN PERFORM pipeline.load_transactions(p_chunk_key);
        WHEN 'users' THEN PERFORM pipeline.load_users(p_chunk_key, p_recency);
        WHEN 'products' THEN PERFORM pipeline.load_products(p_chunk_key);
        WHEN 'fx_rates' THEN PERFORM pipeline.load_fx_rates(p_chunk_key, p_recency);
    END CASE;
    RETURN pipeline.settle_replay(p_chunk_key, p_attempt);
END $$;

-- Only what still lies in quarantine with this attempt is replayed. The rows are locked, so that no discard comes between.
CREATE FUNCTION pipeline.drop_settled(p_chunk_key bigint, p_attempt int, p_staged text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM pipeline.quarantined_row
    WHERE chunk_key = p_chunk_key AND attempt = p_attempt AND discarded_at IS NULL
    ORDER BY line FOR UPDATE;
    EXECUTE format($sql$
        DELETE FROM pg_temp.%I s
        WHERE NOT EXISTS (SELECT FROM pipeline.quarantined_row q
                          WHERE q.chunk_key = $1 AND q.line = s.line AND q.attempt = $2 AND q.discarded_at IS NULL)
        $sql$, p_staged) USING p_chunk_key, p_attempt;
    DELETE FROM pg_temp.staged_bad s
    WHERE NOT EXISTS (SELECT FROM pipeline.quarantined_row q
                      WHERE q.chunk_key = p_chunk_key AND q.line = s.line AND q.attempt = p_attempt
                        AND q.discarded_at IS NULL);
END $$;

-- A row that conflicts is the one that stood aside: it keeps its raw text and its time. The others are out of quarantine.
CREATE FUNCTION pipeline.settle_replay(p_chunk_key bigint, p_attempt int) RETURNS pipeline.chunk LANGUAGE plpgsql AS $$
DECLARE
    result pipeline.chunk;
BEGIN
    UPDATE pipeline.replayed_row r
    SET became = n.reason
    FROM pipeline.quarantined_row o
    JOIN pipeline.quarantined_row n ON n.chunk_key = o.chunk_key AND n.line = -o.line
    WHERE o.chunk_key = p_chunk_key AND o.line < 0 AND r.chunk_key = o.chunk_key AND r.line = n.line
      AND r.attempt = p_attempt;
    UPDATE pipeline.quarantined_row n
    SET attempt = o.attempt + 1, quarantined_at = o.quarantined_at, raw_object = o.raw_object,
        raw_offset = o.raw_offset, raw_length = o.raw_length, source_offset = o.source_offset,
        source_length = o.source_length
    FROM pipeline.quarantined_row o
    WHERE o.chunk_key = p_chunk_key AND o.line < 0 AND n.chunk_key = o.chunk_key AND n.line = -o.line;
    DELETE FROM pipeline.quarantined_row WHERE chunk_key = p_chunk_key AND line < 0;
    UPDATE pipeline.chunk c
    SET valid = c.received - (SELECT count(*) FROM pipeline.quarantined_row q
                              WHERE q.chunk_key = p_chunk_key AND q.reason <> 'conflicting_duplicate')
    WHERE c.chunk_key = p_chunk_key
    RETURNING * INTO STRICT result;
    RETURN result;
END $$;
