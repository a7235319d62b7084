-- Replace every copy of a refeed's rows in sales.products by one; a row of a newer feed stays as it is.
-- Parameters: feed_id. ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each refeed, in place of the merge, which would leave a doubled row doubled.
MERGE INTO sales.products AS t
USING (
    WITH newer AS (
        SELECT product_key
        FROM sales.products
        WHERE feed_id > @feed_id
    )

    SELECT
        comes,
        f.product_key,
        f.product_id,
        f.name,
        f.category,
        f.price,
        f.inventory_count,
        f.supplier_id,
        f.inferred
    FROM ${feed} AS f
    CROSS JOIN UNNEST([FALSE, TRUE]) AS comes
    LEFT JOIN newer AS n
        ON comes
        AND f.product_key = n.product_key
    WHERE n.product_key IS NULL
) AS s
    ON NOT s.comes
    AND t.product_key = s.product_key
    AND t.feed_id <= @feed_id
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED AND s.comes THEN INSERT (
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
