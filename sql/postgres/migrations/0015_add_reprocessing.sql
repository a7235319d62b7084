-- A landing file may be processed again: each pass is a file of its own in the ledger, and points at its first pass.
ALTER TABLE pipeline.file
    ADD COLUMN pass int NOT NULL DEFAULT 0 CHECK (pass >= 0),
    ADD COLUMN reprocess_of text COLLATE "C" REFERENCES pipeline.file,
    ADD CHECK ((pass = 0) = (reprocess_of IS NULL)),
    DROP CONSTRAINT file_bucket_object_name_generation_key,
    ADD UNIQUE (bucket, object_name, generation, pass);
CREATE INDEX file_reprocess_of ON pipeline.file (reprocess_of) WHERE pass > 0;

-- The chunks of all passes over the file of a chunk of a reprocessed file, the chunk itself left out; else none.
CREATE FUNCTION pipeline.earlier_chunks(p_chunk_key bigint) RETURNS TABLE (chunk_key bigint) LANGUAGE sql STABLE AS $$
    SELECT c.chunk_key
    FROM pipeline.chunk mine
    JOIN pipeline.file f ON f.file_id = mine.file_id AND f.pass > 0
    JOIN pipeline.file other ON other.file_id = f.reprocess_of OR other.reprocess_of = f.reprocess_of
    JOIN pipeline.chunk c ON c.file_id = other.file_id
    WHERE mine.chunk_key = p_chunk_key AND c.chunk_key <> p_chunk_key
$$;

-- Where the code of today reads other content from the very line that the standing row came from, at the same recency,
-- the row is corrected: a conflict is a matter between two lines. It is done before the upsert, for reprocessed files only,
-- and the verdict then finds the row to be this chunk's.
CREATE FUNCTION pipeline.correct_transactions(p_chunk_key bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid bigint := pg_current_xact_id()::text::bigint;
BEGIN
    PERFORM pipeline.infer_parents(p_chunk_key, xid);
    WITH earlier AS MATERIALIZED (
        SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key)
    ), wrong AS MATERIALIZED (
        SELECT t.transaction_id, s.line
        FROM pg_temp.staged_transaction s
        JOIN commerce.transactions t USING (transaction_id)
        WHERE t.source_chunk IN (SELECT chunk_key FROM earlier) AND t.source_line = s.line
          AND (t.last_event_at, t.last_rank) = (s.event_at, s.rank) AND t.content_hash <> s.content_hash
        ORDER BY t.transaction_id
        FOR UPDATE OF t
    )
    UPDATE commerce.transactions t
    SET change_seq = xid, version = t.version + 1, source_chunk = p_chunk_key, content_hash = s.content_hash,
        user_key = u.user_key, product_key = p.product_key, flags = s.flags, amount = s.amount, currency = s.currency,
        payment_method = s.payment_method, status = s.status, extra = s.extra
    FROM wrong w
    JOIN pg_temp.staged_transaction s ON s.line = w.line
    JOIN commerce.products p USING (product_id)
    LEFT JOIN commerce.users u USING (user_id)
    WHERE t.transaction_id = w.transaction_id;
END $$;

CREATE FUNCTION pipeline.correct_fx_rates(p_chunk_key bigint, p_recency timestamptz) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    UPDATE commerce.fx_rates r
    SET rate = s.rate, content_hash = s.content_hash, version = r.version + 1, source_chunk = p_chunk_key,
        change_seq = pg_current_xact_id()::text::bigint
    FROM pg_temp.staged_fx_rate s
    WHERE r.currency = s.currency AND r.rate_date = s.rate_date AND r.source_line = s.line AND r.recency = p_recency
      AND r.content_hash <> s.content_hash
      AND r.source_chunk IN (SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key));
END $$;

-- Of a person or product the history is corrected too: the time is struck from the version that saw it, so that the load
-- weaves what the file says now. A line that an earlier pass has quarantined has left no trace there to be struck.
CREATE FUNCTION pipeline.correct_users(p_chunk_key bigint, p_recency timestamptz) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid     bigint := pg_current_xact_id()::text::bigint;
    touched int[];
BEGIN
    PERFORM FROM commerce.users u JOIN pg_temp.staged_user s USING (user_id) ORDER BY u.user_id FOR UPDATE OF u;
    UPDATE commerce.users u
    SET content_hash = s.content_hash, registration_date = s.registration_date, country = s.country,
        age_group = s.age_group, customer_tier = s.customer_tier, flags = s.flags, version = u.version + 1,
        source_chunk = p_chunk_key, change_seq = xid
    FROM pg_temp.staged_user s
    WHERE u.user_id = s.user_id AND u.source_line = s.line AND u.recency = p_recency
      AND u.content_hash IS DISTINCT FROM s.content_hash
      AND u.source_chunk IN (SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key));

    WITH struck AS MATERIALIZED (
        SELECT v.user_key, v.recency, array_remove(v.seen, p_recency) AS left_over
        FROM (SELECT DISTINCT ON (user_id) * FROM pg_temp.staged_user ORDER BY user_id, line) s
        JOIN commerce.users u USING (user_id)
        JOIN commerce.user_version v ON v.user_key = u.user_key AND p_recency = ANY (v.seen)
        WHERE (v.country, v.age_group, v.customer_tier) IS DISTINCT FROM (s.country, s.age_group, s.customer_tier)
          AND NOT EXISTS (SELECT FROM pipeline.quarantined_row q
                          WHERE q.chunk_key IN (SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key))
                            AND q.line = s.line)
          AND EXISTS (SELECT FROM pipeline.earlier_chunks(p_chunk_key))
    ), emptied AS (
        DELETE FROM commerce.user_version v USING struck g
        WHERE v.user_key = g.user_key AND v.recency = g.recency AND g.left_over = '{}'
    ), kept AS (
        UPDATE commerce.user_version v
        SET seen = g.left_over, recency = g.left_over[1]
        FROM struck g
        WHERE v.user_key = g.user_key AND v.recency = g.recency AND g.left_over <> '{}'
    )
    SELECT array_agg(DISTINCT user_key) FROM struck INTO touched;
    IF touched IS NOT NULL THEN
        PERFORM pipeline.weave_user_history(p_recency, xid);
        UPDATE commerce.user_version SET change_seq = xid WHERE user_key = ANY (touched) AND p_recency = ANY (seen);
    END IF;
END $$;

CREATE FUNCTION pipeline.correct_products(p_chunk_key bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid     bigint := pg_current_xact_id()::text::bigint;
    touched int[];
BEGIN
    PERFORM FROM commerce.products p JOIN pg_temp.staged_product s USING (product_id)
    ORDER BY p.product_id FOR UPDATE OF p;
    -- A level that this very line has written; the load writes it again where it still differs.
    DELETE FROM commerce.inventory_level l
    USING pg_temp.staged_product s, commerce.products p
    WHERE p.product_id = s.product_id AND p.source_line = s.line AND p.recency = s.event_at
      AND p.content_hash IS DISTINCT FROM s.content_hash AND p.inventory_count IS DISTINCT FROM s.inventory_count
      AND p.source_chunk IN (SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key))
      AND l.product_key = p.product_key AND l.observed_at = p.recency;
    UPDATE commerce.products p
    SET content_hash = s.content_hash, name = s.name, category = s.category, price = s.price,
        inventory_count = s.inventory_count, supplier_id = s.supplier_id, extra = s.extra, flags = s.flags,
        version = p.version + 1, source_chunk = p_chunk_key, change_seq = xid
    FROM pg_temp.staged_product s
    WHERE p.product_id = s.product_id AND p.source_line = s.line AND p.recency = s.event_at
      AND p.content_hash IS DISTINCT FROM s.content_hash
      AND p.source_chunk IN (SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key));

    WITH struck AS MATERIALIZED (
        SELECT v.product_key, v.recency, s.event_at, array_remove(v.seen, s.event_at) AS left_over
        FROM (SELECT DISTINCT ON (product_id, event_at) * FROM pg_temp.staged_product
              ORDER BY product_id, event_at, line) s
        JOIN commerce.products p USING (product_id)
        JOIN commerce.product_version v ON v.product_key = p.product_key AND s.event_at = ANY (v.seen)
        WHERE p.source_chunk = p_chunk_key AND p.source_line = s.line AND p.recency = s.event_at
          AND (v.name, v.category, v.price, v.supplier_id) IS DISTINCT FROM (s.name, s.category, s.price, s.supplier_id)
    ), emptied AS (
        DELETE FROM commerce.product_version v USING struck g
        WHERE v.product_key = g.product_key AND v.recency = g.recency AND g.left_over = '{}'
    ), kept AS (
        UPDATE commerce.product_version v
        SET seen = g.left_over, recency = g.left_over[1]
        FROM struck g
        WHERE v.product_key = g.product_key AND v.recency = g.recency AND g.left_over <> '{}'
    )
    SELECT array_agg(DISTINCT product_key) FROM struck INTO touched;
    IF touched IS NOT NULL THEN
        PERFORM pipeline.note_inventory(p_chunk_key);
        PERFORM pipeline.weave_product_history(xid);
        UPDATE commerce.product_version v SET change_seq = xid
        FROM commerce.products p
        WHERE v.product_key = p.product_key AND p.product_key = ANY (touched) AND p.recency = ANY (v.seen);
    END IF;
END $$;
