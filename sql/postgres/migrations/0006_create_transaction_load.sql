-- What an upsert decides for transactions. Recency is (event time, status rank); see docs/architecture.md.
CREATE FUNCTION pipeline.infer_parents(p_chunk_key bigint, p_change_seq bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    -- NOT EXISTS keeps the identity sequence from burning a value for each known parent; ON CONFLICT covers the
    -- parent that another writer commits meanwhile. ORDER BY is the lock order.
    INSERT INTO commerce.users (user_id, inferred, version, change_seq, source_chunk)
    SELECT DISTINCT user_id, true, 0, p_change_seq, p_chunk_key
    FROM pg_temp.staged_transaction s
    WHERE user_id IS NOT NULL AND NOT EXISTS (SELECT FROM commerce.users u WHERE u.user_id = s.user_id)
    ORDER BY user_id
    ON CONFLICT (user_id) DO NOTHING;

    INSERT INTO commerce.products (product_id, inferred, version, change_seq, source_chunk)
    SELECT DISTINCT product_id, true, 0, p_change_seq, p_chunk_key
    FROM pg_temp.staged_transaction s
    WHERE NOT EXISTS (SELECT FROM commerce.products p WHERE p.product_id = s.product_id)
    ORDER BY product_id
    ON CONFLICT (product_id) DO NOTHING;
END $$;

-- In the upsert, `newer` content is one of higher recency that differs; of equal content only the recency moves on.
-- change_seq and version move when others see a change: newer content, or an earlier occurred_at.
CREATE FUNCTION pipeline.load_transactions(p_chunk_key bigint) RETURNS pipeline.chunk LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan             -- never run a 20,000-row chunk by a plan made for one row
AS $$
DECLARE
    xid     bigint := pg_current_xact_id()::text::bigint;
    n       record;
BEGIN
    PERFORM pipeline.infer_parents(p_chunk_key, xid);

    -- One candidate for each id: the highest recency, the first line among equals; occurred_at is its earliest event.
    -- A row that the WHERE refuses is locked all the same: nobody else can change a row of this chunk until we commit.
    INSERT INTO commerce.transactions AS t
          (transaction_id, occurred_at, last_event_at, last_rank, change_seq, source_chunk, source_line, content_hash,
           version, user_key, product_key, flags, amount, currency, payment_method, status, extra)
    SELECT DISTINCT ON (s.transaction_id)
           s.transaction_id, min(s.event_at) OVER (PARTITION BY s.transaction_id), s.event_at, s.rank, xid,
           p_chunk_key, s.line, s.content_hash, 1, u.user_key, p.product_key, s.flags, s.amount, s.currency,
           s.payment_method, s.status, s.extra
    FROM pg_temp.staged_transaction s
    JOIN commerce.products p USING (product_id)
    LEFT JOIN commerce.users u USING (user_id)
    ORDER BY s.transaction_id, s.event_at DESC, s.rank DESC, s.line
    ON CONFLICT (transaction_id) DO UPDATE SET
        (occurred_at, last_event_at, last_rank, change_seq, version, source_chunk, source_line, content_hash, user_key,
         product_key, flags, amount, currency, payment_method, status, extra)
        = (SELECT least(t.occurred_at, excluded.occurred_at),
                  CASE WHEN r.newer THEN excluded.last_event_at ELSE t.last_event_at END,
                  CASE WHEN r.newer THEN excluded.last_rank ELSE t.last_rank END,
                  CASE WHEN r.seen THEN excluded.change_seq ELSE t.change_seq END,
                  CASE WHEN r.seen THEN t.version + 1 ELSE t.version END,
                  CASE WHEN r.other THEN excluded.source_chunk ELSE t.source_chunk END,
                  CASE WHEN r.other THEN excluded.source_line ELSE t.source_line END,
                  CASE WHEN r.other THEN excluded.content_hash ELSE t.content_hash END,
                  CASE WHEN r.other THEN excluded.user_key ELSE t.user_key END,
                  CASE WHEN r.other THEN excluded.product_key ELSE t.product_key END,
                  CASE WHEN r.other THEN excluded.flags ELSE t.flags END,
                  CASE WHEN r.other THEN excluded.amount ELSE t.amount END,
                  CASE WHEN r.other THEN excluded.currency ELSE t.currency END,
                  CASE WHEN r.other THEN excluded.payment_method ELSE t.payment_method END,
                  CASE WHEN r.other THEN excluded.status ELSE t.status END,
                  CASE WHEN r.other THEN excluded.extra ELSE t.extra END
           FROM (SELECT c.newer, c.newer AND c.differs AS other,
                        c.newer AND c.differs OR excluded.occurred_at < t.occurred_at AS seen
                 FROM (SELECT (excluded.last_event_at, excluded.last_rank) > (t.last_event_at, t.last_rank) AS newer,
                              excluded.content_hash <> t.content_hash AS differs) c) r)
    WHERE (excluded.last_event_at, excluded.last_rank) > (t.last_event_at, t.last_rank)
       OR excluded.occurred_at < t.occurred_at;

    -- The verdict on each row, against the row that stands now: its own snapshot, so it must be its own statement.
    WITH verdict AS (
        SELECT s.line,
               s.transaction_id,
               CASE WHEN t.source_chunk = p_chunk_key AND t.source_line = s.line
                    THEN CASE WHEN t.version = 1 THEN 'inserted' ELSE 'updated' END
                    WHEN s.content_hash = t.content_hash THEN 'unchanged'
                    WHEN (s.event_at, s.rank) < (t.last_event_at, t.last_rank) THEN 'superseded'
                    ELSE 'conflict' END AS outcome
        FROM pg_temp.staged_transaction s
        JOIN commerce.transactions t USING (transaction_id)
    ), quarantined AS (
        INSERT INTO pipeline.quarantined_row (chunk_key, line, reason, row_id)
        SELECT p_chunk_key, line, 'conflicting_duplicate', transaction_id FROM verdict WHERE outcome = 'conflict'
    )
    SELECT count(*) FILTER (WHERE outcome = 'inserted') AS inserted,
           count(*) FILTER (WHERE outcome = 'updated') AS updated,
           count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE outcome = 'superseded') AS superseded,
           count(*) FILTER (WHERE outcome = 'conflict') AS conflicts
    FROM verdict INTO n;
    RETURN pipeline.finish_chunk(p_chunk_key, n.inserted, n.updated, n.unchanged, n.superseded, n.conflicts);
END $$;

-- A message of a few valid rows in one round trip and one transaction: the same statements, staged from the COPY text.
-- Call it in autocommit. COPY escapes other than \N are refused: such a message goes through COPY.
CREATE FUNCTION pipeline.load_message(
    p_chunk_id text, p_day date, p_received int, p_bucket text, p_object text, p_generation bigint, p_lines text
) RETURNS TABLE (loaded_now bool, counts pipeline.chunk) LANGUAGE plpgsql AS $$
DECLARE
    mine bigint := pipeline.claim(p_chunk_id, NULL, 'transactions', 0, p_day, p_received, p_bucket, p_object,
                                  p_generation, NULL, NULL, 1);
BEGIN
    loaded_now := mine IS NOT NULL;
    IF NOT loaded_now THEN
        SELECT c.* FROM pipeline.chunk c WHERE c.chunk_id = p_chunk_id INTO STRICT counts;
        RETURN NEXT;
        RETURN;
    END IF;
    IF strpos(replace(p_lines, '\N', ''), '\') > 0 THEN
        RAISE EXCEPTION 'load_message takes no COPY escapes; use COPY' USING ERRCODE = 'feature_not_supported';
    END IF;
    INSERT INTO pg_temp.staged_transaction
    SELECT f[1]::int, f[2]::timestamptz, f[3]::smallint, f[4]::uuid, f[5]::int, f[6], f[7], f[8], f[9]::numeric, f[10],
           f[11], f[12], f[13]::jsonb
    FROM (SELECT string_to_array(l, E'\t', '\N') FROM string_to_table(rtrim(p_lines, E'\n'), E'\n') l) x (f);
    counts := pipeline.load_transactions(mine);
    RETURN NEXT;
END $$;
