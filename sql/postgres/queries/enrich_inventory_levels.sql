-- The last level of each selected product and day, with what the catalogue said then; made to stand in COPY (…) TO STDOUT.
-- Parameters: none; reads feed_level.
-- Result: one row a product and day; a level that a correction took back (null) only where the day has no other.
SELECT
    f.level_date,
    f.product_key,
    p.product_id,
    v.name AS product_name,
    v.category,
    l.observed_at,
    l.quantity AS inventory_count,
    v.price
FROM pg_temp.feed_level AS f
INNER JOIN commerce.products AS p USING (product_key)
INNER JOIN LATERAL (
    SELECT
        i.observed_at,
        i.quantity
    FROM commerce.inventory_level AS i
    WHERE
        i.product_key = f.product_key
        AND i.observed_at >= f.level_date::timestamp AT TIME ZONE 'UTC'
        AND i.observed_at < (f.level_date + 1)::timestamp AT TIME ZONE 'UTC'
    ORDER BY
        i.quantity IS NULL,
        i.observed_at DESC
    LIMIT 1
) AS l ON true
LEFT JOIN commerce.product_version AS v
    ON v.product_key = f.product_key AND l.observed_at >= v.valid_from AND l.observed_at < v.valid_to
