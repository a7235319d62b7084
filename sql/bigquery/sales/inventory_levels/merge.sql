-- Merge one feed into sales.inventory_levels; an older feed never overwrites a newer one.
-- Parameters: feed_id, days (those of the feed's levels; a level never moves to another). ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each feed.
MERGE INTO sales.inventory_levels AS t
USING (
    SELECT
        level_date,
        product_key,
        product_id,
        product_name,
        category,
        observed_at,
        inventory_count,
        price
    FROM ${feed}
) AS s
    ON t.level_date = s.level_date
    AND t.product_key = s.product_key
    AND t.level_date IN UNNEST(@days)
WHEN MATCHED AND @feed_id > t.feed_id THEN UPDATE SET
    product_id = s.product_id,
    product_name = s.product_name,
    category = s.category,
    observed_at = s.observed_at,
    inventory_count = s.inventory_count,
    price = s.price,
    feed_id = @feed_id
WHEN NOT MATCHED THEN INSERT (
    level_date,
    product_key,
    product_id,
    product_name,
    category,
    observed_at,
    inventory_count,
    price,
    feed_id
) VALUES (
    s.level_date,
    s.product_key,
    s.product_id,
    s.product_name,
    s.category,
    s.observed_at,
    s.inventory_count,
    s.price,
    @feed_id
)
