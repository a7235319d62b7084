-- One chunk is one READ COMMITTED transaction (REPEATABLE READ would fail on the first concurrent parent):
--   1  pipeline.claim(…)          the chunk's key, or null: done before, or held (waits while another delivery is in flight)
--   2  COPY staged_… FROM STDIN   temporary tables of the session, empty at the start of each transaction
--   3  pipeline.load_…(key)       the ledger row with the counts
-- Locks are always taken in this order, so no cycle can form: chunk, users by id, products by id, transactions by id.
-- The functions of step 3 are VOLATILE on purpose: each of their statements sees what was committed before it.

-- Templates of the staging tables: CREATE TEMP TABLE … (LIKE pipeline.staged_…) ON COMMIT DELETE ROWS, once a session.
CREATE TABLE pipeline.staged_transaction (
    line int NOT NULL, event_at timestamptz NOT NULL, rank smallint NOT NULL, content_hash uuid NOT NULL,
    flags int NOT NULL, transaction_id text COLLATE "C" NOT NULL, user_id text COLLATE "C",
    product_id text COLLATE "C" NOT NULL, amount numeric(18,4) NOT NULL, currency char(3) NOT NULL,
    payment_method text COLLATE "C" NOT NULL, status text COLLATE "C" NOT NULL, extra jsonb
);
CREATE TABLE pipeline.staged_user (
    line int NOT NULL, content_hash uuid NOT NULL, flags int NOT NULL, user_id text COLLATE "C" NOT NULL, email text,
    registration_date date, country char(2), age_group text COLLATE "C", customer_tier text COLLATE "C", extra jsonb
);
CREATE TABLE pipeline.staged_product (
    line int NOT NULL, event_at timestamptz NOT NULL, content_hash uuid NOT NULL, flags int NOT NULL,
    product_id text COLLATE "C" NOT NULL, name text, category text COLLATE "C", price numeric(14,2),
    inventory_count int, supplier_id text COLLATE "C", extra jsonb
);
CREATE TABLE pipeline.staged_fx_rate (
    line int NOT NULL, content_hash uuid NOT NULL, rate_date date NOT NULL, currency char(3) NOT NULL,
    rate numeric(18,8) NOT NULL
);
CREATE TABLE pipeline.staged_bad (
    line int NOT NULL, reason text COLLATE "C" NOT NULL, fields jsonb, row_id text COLLATE "C",
    raw_object text, raw_offset bigint, raw_length bigint
);

-- The row lock is the guard: a second delivery waits here for the first, then finds the chunk done.
CREATE FUNCTION pipeline.claim(
    p_chunk_id text, p_file_id text, p_source text, p_ordinal int, p_day date, p_received int, p_bucket text,
    p_object text, p_generation bigint, p_offset bigint, p_length bigint, p_first_line bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    mine  bigint;
    known int;
BEGIN
    INSERT INTO pipeline.chunk AS c (chunk_id, file_id, source, ordinal, day, received, bucket, object_name,
                                     generation, byte_offset, byte_length, first_line)
    VALUES (p_chunk_id, p_file_id, p_source, p_ordinal, p_day, p_received, p_bucket, p_object,
            p_generation, p_offset, p_length, p_first_line)
    ON CONFLICT (chunk_id) DO UPDATE SET chunk_id = c.chunk_id WHERE c.state = 'registered'
    RETURNING chunk_key, received INTO mine, known;
    IF known <> p_received THEN
        RAISE EXCEPTION 'chunk % was registered with % rows, but % were validated', p_chunk_id, known, p_received
            USING ERRCODE = 'data_exception';
    END IF;
    RETURN mine;
END $$;

-- Record a chunk that waits for an operator. One that was decided is not held a second time by a late redelivery.
CREATE FUNCTION pipeline.hold(p_chunk_key bigint, p_valid int, p_validated jsonb)
RETURNS SETOF pipeline.chunk LANGUAGE sql AS $$
    UPDATE pipeline.chunk
    SET state = 'held', held = received, valid = p_valid, validated = p_validated, held_at = now()
    WHERE chunk_key = p_chunk_key AND state = 'registered' AND decided_at IS NULL
    RETURNING *
$$;

-- The end of every load: the rows that validate refused, and the counts. The ledger's CHECK finds a lost row.
CREATE FUNCTION pipeline.finish_chunk(
    p_chunk_key bigint, p_inserted bigint, p_updated bigint, p_unchanged bigint, p_superseded bigint, p_conflicts bigint
) RETURNS pipeline.chunk LANGUAGE plpgsql AS $$
DECLARE
    bad    int;
    result pipeline.chunk;
BEGIN
    INSERT INTO pipeline.quarantined_row (chunk_key, line, reason, fields, row_id, raw_object, raw_offset, raw_length)
    SELECT p_chunk_key, line, reason, fields, row_id, raw_object, raw_offset, raw_length
    FROM pg_temp.staged_bad;
    GET DIAGNOSTICS bad = ROW_COUNT;
    UPDATE pipeline.chunk
    SET state = 'loaded', loaded_xid = pg_current_xact_id()::text::bigint, loaded_at = now(), valid = received - bad,
        inserted = p_inserted, updated = p_updated, unchanged = p_unchanged, superseded = p_superseded,
        quarantined = bad + p_conflicts
    WHERE chunk_key = p_chunk_key
    RETURNING * INTO STRICT result;
    RETURN result;
END $$;
