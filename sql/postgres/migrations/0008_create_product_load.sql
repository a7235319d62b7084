-- What an upsert decides for products: as for users, with a recency of its own in each row (event_at).
CREATE FUNCTION pipeline.load_products(p_chunk_key bigint) RETURNS pipeline.chunk LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid bigint := pg_current_xact_id()::text::bigint;
    n   record;
BEGIN
    INSERT INTO commerce.products AS p
          (product_key, product_id, recency, content_hash, name, category, price, inventory_count, supplier_id, extra,
           flags, version, source_chunk, source_line, change_seq)
    SELECT coalesce(k.product_key, nextval(pg_get_serial_sequence('commerce.products', 'product_key'))), c.product_id,
           c.event_at, c.content_hash, c.name, c.category, c.price, c.inventory_count, c.supplier_id, c.extra, c.flags,
           1, p_chunk_key, c.line, xid
    FROM (SELECT DISTINCT ON (product_id) * FROM pg_temp.staged_product ORDER BY product_id, event_at DESC, line) c
    LEFT JOIN commerce.products k USING (product_id)
    ORDER BY c.product_id
    ON CONFLICT (product_id) DO UPDATE SET
        (inferred, recency, content_hash, name, category, price, inventory_count, supplier_id, extra, flags, version,
         source_chunk, source_line, change_seq)
        = (SELECT false,
                  excluded.recency,
                  CASE WHEN r.other THEN excluded.content_hash ELSE p.content_hash END,
                  CASE WHEN r.other THEN excluded.name ELSE p.name END,
                  CASE WHEN r.other THEN excluded.category ELSE p.category END,
                  CASE WHEN r.other THEN excluded.price ELSE p.price END,
                  CASE WHEN r.other THEN excluded.inventory_count ELSE p.inventory_count END,
                  CASE WHEN r.other THEN excluded.supplier_id ELSE p.supplier_id END,
                  CASE WHEN r.other THEN excluded.extra ELSE p.extra END,
                  CASE WHEN r.other THEN excluded.flags ELSE p.flags END,
                  CASE WHEN r.other THEN p.version + 1 ELSE p.version END,
                  CASE WHEN r.other THEN excluded.source_chunk ELSE p.source_chunk END,
                  CASE WHEN r.other THEN excluded.source_line ELSE p.source_line END,
                  CASE WHEN r.other THEN excluded.change_seq ELSE p.change_seq END
           FROM (SELECT excluded.content_hash IS DISTINCT FROM p.content_hash AS other) r)
    WHERE p.recency IS NULL OR excluded.recency > p.recency;

    PERFORM pipeline.note_inventory(p_chunk_key);
    PERFORM pipeline.weave_product_history(xid);

    WITH verdict AS (
        SELECT s.line,
               s.product_id,
               CASE WHEN p.source_chunk = p_chunk_key AND p.source_line = s.line
                    THEN CASE WHEN p.version = 1 THEN 'inserted' ELSE 'updated' END
                    WHEN s.content_hash = p.content_hash THEN 'unchanged'
                    WHEN s.event_at < p.recency THEN 'superseded'
                    ELSE 'conflict' END AS outcome
        FROM pg_temp.staged_product s
        JOIN commerce.products p USING (product_id)
    ), quarantined AS (
        INSERT INTO pipeline.quarantined_row (chunk_key, line, reason, row_id)
        SELECT p_chunk_key, line, 'conflicting_duplicate', product_id FROM verdict WHERE outcome = 'conflict'
    )
    SELECT count(*) FILTER (WHERE outcome = 'inserted') AS inserted,
           count(*) FILTER (WHERE outcome = 'updated') AS updated,
           count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE outcome = 'superseded') AS superseded,
           count(*) FILTER (WHERE outcome = 'conflict') AS conflicts
    FROM verdict INTO n;
    RETURN pipeline.finish_chunk(p_chunk_key, n.inserted, n.updated, n.unchanged, n.superseded, n.conflicts);
END $$;

-- What this chunk says and no version has seen: one observation for each product and time, the first line among equals.
-- A conflicting row is none: its time was seen, with the content that stands.
CREATE FUNCTION pipeline.fresh_products() RETURNS TABLE (
    product_key int, recency timestamptz, name text, category text, price numeric, supplier_id text, quantity int
) LANGUAGE plpgsql ROWS 10000 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT p.product_key, c.event_at, c.name, c.category, c.price, c.supplier_id, c.inventory_count
    FROM (SELECT DISTINCT ON (s.product_id, s.event_at) s.* FROM pg_temp.staged_product s
          ORDER BY s.product_id, s.event_at, s.line) c
    JOIN commerce.products p USING (product_id)
    WHERE NOT EXISTS (SELECT FROM commerce.product_version v
                      WHERE v.product_key = p.product_key AND c.event_at = ANY (v.seen));
END $$;

-- A level is written when it differs from the last one before it. The level that stands is weighed along: an older one
-- that arrives late between two equal ones brings the later of them back.
CREATE FUNCTION pipeline.note_inventory(p_chunk_key bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    WITH fresh AS MATERIALIZED (
        SELECT f.product_key, f.recency, f.quantity FROM pipeline.fresh_products() f
    ), observation AS (
        SELECT product_key, recency, quantity FROM fresh WHERE quantity IS NOT NULL
        UNION
        SELECT p.product_key, p.recency, p.inventory_count
        FROM commerce.products p
        WHERE p.product_key IN (SELECT product_key FROM fresh) AND p.inventory_count IS NOT NULL
    ), compared AS (
        SELECT o.*,
               lag(o.recency) OVER by_time AS staged_at,
               lag(o.quantity) OVER by_time AS staged_quantity,
               l.observed_at,
               l.quantity AS known_quantity
        FROM observation o
        LEFT JOIN LATERAL (SELECT observed_at, i.quantity FROM commerce.inventory_level i
                           WHERE i.product_key = o.product_key AND i.observed_at < o.recency
                           ORDER BY i.observed_at DESC LIMIT 1) l ON true
        WINDOW by_time AS (PARTITION BY o.product_key ORDER BY o.recency)
    )
    INSERT INTO commerce.inventory_level (product_key, observed_at, quantity)
    SELECT DISTINCT ON (product_key, recency) product_key, recency, quantity
    FROM compared
    WHERE p_chunk_key IS NOT NULL
      AND quantity IS DISTINCT FROM
          CASE WHEN staged_at IS NULL OR observed_at > staged_at THEN known_quantity ELSE staged_quantity END
    ORDER BY product_key, recency
    ON CONFLICT (product_key, observed_at) DO NOTHING;
END $$;

-- The same weaving as pipeline.weave_user_history, over name, category, price and supplier.
CREATE FUNCTION pipeline.weave_product_history(p_change_seq bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    WITH fresh AS MATERIALIZED (
        SELECT * FROM pipeline.fresh_products()
    ), touched AS MATERIALIZED (
        SELECT DISTINCT product_key FROM fresh
    ), observation AS (
        SELECT product_key, recency, name, category, price, supplier_id FROM fresh
        UNION ALL
        SELECT v.product_key, s.recency, v.name, v.category, v.price, v.supplier_id
        FROM touched t JOIN commerce.product_version v USING (product_key) CROSS JOIN LATERAL unnest(v.seen) s (recency)
    ), marked AS (
        SELECT *,
               row_number() OVER by_time = 1 OR (name, category, price, supplier_id)
               IS DISTINCT FROM (lag(name) OVER by_time, lag(category) OVER by_time, lag(price) OVER by_time,
                                 lag(supplier_id) OVER by_time) AS starts
        FROM observation
        WINDOW by_time AS (PARTITION BY product_key ORDER BY recency)
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE starts) OVER (PARTITION BY product_key ORDER BY recency) AS island FROM marked
    ), version AS (
        SELECT product_key, min(recency) AS recency, array_agg(recency ORDER BY recency) AS seen, min(name) AS name,
               min(category) AS category, min(price) AS price, min(supplier_id) AS supplier_id
        FROM numbered
        GROUP BY product_key, island
    ), ranged AS MATERIALIZED (
        SELECT *,
               CASE WHEN row_number() OVER by_time = 1 THEN '-infinity' ELSE recency END AS valid_from,
               coalesce(lead(recency) OVER by_time, 'infinity') AS valid_to
        FROM version
        WINDOW by_time AS (PARTITION BY product_key ORDER BY recency)
    ), gone AS (
        DELETE FROM commerce.product_version v
        USING touched t
        WHERE v.product_key = t.product_key
          AND NOT EXISTS (SELECT FROM ranged r WHERE r.product_key = v.product_key AND r.recency = v.recency)
    )
    INSERT INTO commerce.product_version AS v
          (product_key, recency, valid_from, valid_to, change_seq, seen, name, category, price, supplier_id)
    SELECT r.product_key, r.recency, r.valid_from, r.valid_to, p_change_seq, r.seen, r.name, r.category, r.price,
           r.supplier_id
    FROM ranged r
    ORDER BY r.product_key, r.recency
    ON CONFLICT (product_key, recency) DO UPDATE
    SET valid_from = excluded.valid_from, valid_to = excluded.valid_to, seen = excluded.seen
    WHERE (v.valid_from, v.valid_to, v.seen) IS DISTINCT FROM (excluded.valid_from, excluded.valid_to, excluded.seen);
END $$;
