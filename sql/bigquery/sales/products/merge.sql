-- Merge one feed into sales.products; an older feed never overwrites a newer one.
-- Parameters: feed_id. ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each feed.
MERGE INTO sales.products AS t
USING (
    SELECT
        product_key,
        product_id,
        name,
        category,
        price,
        inventory_count,
        supplier_id,
        inferred
    FROM ${feed}
) AS s
    ON t.product_key = s.product_key
WHEN MATCHED AND @feed_id > t.feed_id THEN
    UPDATE SET
        product_id = s.product_id,
        name = s.name,
        category = s.category,
        price = s.price,
        inventory_count = s.inventory_count,
        supplier_id = s.supplier_id,
        inferred = s.inferred,
        feed_id = @feed_id
WHEN NOT MATCHED THEN INSERT (
    product_key,
    product_id,
    name,
    category,
    price,
    inventory_count,
    supplier_id,
    inferred,
    feed_id
) VALUES (
    s.product_key,
    s.product_id,
    s.name,
    s.category,
    s.price,
    s.inventory_count,
    s.supplier_id,
    s.inferred,
    @feed_id
)
