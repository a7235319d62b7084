-- Levels of stock go to the warehouse. Whatever writes a level stamps it with its transaction, by default; the levels that
-- are here already have 0.
ALTER TABLE commerce.inventory_level ADD COLUMN change_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE commerce.inventory_level ALTER COLUMN change_seq SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX inventory_level_change_seq ON commerce.inventory_level (change_seq);

-- How far the levels are fed: 0 takes every one. A release that does not feed them moves only the position of the others,
-- before an upgrade is through as after a step back, and so skips none.
ALTER TABLE pipeline.feed_position ADD COLUMN level_position bigint NOT NULL DEFAULT 0;
ALTER TABLE pipeline.feed_batch ADD COLUMN level_days date[] NOT NULL DEFAULT '{}';

-- A level is corrected where it stands: the load would not write it again, because the history has seen its time. One that
-- its line no longer tells stays as null: deleted, it would be forgotten here and stand in the warehouse for good.
ALTER TABLE commerce.inventory_level ALTER COLUMN quantity DROP NOT NULL;

CREATE OR REPLACE FUNCTION pipeline.correct_products(p_chunk_key bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid     bigint := pg_current_xact_id()::text::bigint;
    touched int[];
BEGIN
    PERFORM FROM commerce.products p JOIN pg_temp.staged_product s USING (product_id)
    ORDER BY p.product_id FOR UPDATE OF p;
    INSERT INTO commerce.inventory_level AS l (product_key, observed_at, quantity)
    SELECT p.product_key, p.recency, s.inventory_count
    FROM pg_temp.staged_product s
    JOIN commerce.products p USING (product_id)
    WHERE p.source_line = s.line AND p.recency = s.event_at
      AND p.content_hash IS DISTINCT FROM s.content_hash AND p.inventory_count IS DISTINCT FROM s.inventory_count
      AND p.source_chunk IN (SELECT chunk_key FROM pipeline.earlier_chunks(p_chunk_key))
    ORDER BY p.product_key, p.recency
    ON CONFLICT (product_key, observed_at) DO UPDATE SET quantity = excluded.quantity, change_seq = excluded.change_seq;
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
