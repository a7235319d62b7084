-- Replace every copy of a refeed's rows in sales.inventory_levels by one; a row of a newer feed stays as it is.
-- Parameters: feed_id, days (of the levels; none ever moves to another). ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each refeed, in place of the merge, which would leave a doubled row doubled.
MERGE INTO sales.inventory_levels AS t
USING (
    WITH newer AS (
        SELECT
            level_date,
            product_key
        FROM sales.inventory_levels
        WHERE level_date IN UNNEST(@days)
            AND feed_id > @feed_id
    )

    SELECT
        comes,
        f.level_date,
        f.product_key,
        f.product_id,
        f.product_name,
        f.category,
        f.observed_at,
        f.inventory_count,
        f.price
    FROM ${feed} AS f
    CROSS JOIN UNNEST([FALSE, TRUE]) AS comes
    LEFT JOIN newer AS n
        ON comes
        AND f.level_date = n.level_date
        AND f.product_key = n.product_key
    WHERE n.product_key IS NULL
) AS s
    ON NOT s.comes
    AND t.level_date = s.level_date
    AND t.product_key = s.product_key
    AND t.level_date IN UNNEST(@days)
    AND t.feed_id <= @feed_id
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED AND s.comes THEN INSERT (
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
