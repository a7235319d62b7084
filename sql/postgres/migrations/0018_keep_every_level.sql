-- Every level of stock that a product's rows tell is kept, one for each time. Leaving out what equals the level before it
-- lost a level for good where an older, different one arrived later in between; so the levels depended on the order.
CREATE OR REPLACE FUNCTION pipeline.note_inventory(p_chunk_key bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    INSERT INTO commerce.inventory_level (product_key, observed_at, quantity)
    SELECT product_key, recency, quantity
    FROM pipeline.fresh_products()
    WHERE p_chunk_key IS NOT NULL
      AND quantity IS NOT NULL
    ORDER BY product_key, recency
    ON CONFLICT (product_key, observed_at) DO NOTHING;
END $$;
