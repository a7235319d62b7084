-- Fills feed_level with each product and UTC day of which a level changed since the position, or what the catalogue said then.
-- Parameters: :position; 0 takes every level.
-- Result: none; ANALYZE feed_level before it is joined.
INSERT INTO pg_temp.feed_level (product_key, level_date)
SELECT
    product_key,
    (observed_at AT TIME ZONE 'UTC')::date AS level_date
FROM commerce.inventory_level
WHERE change_seq >= :position
UNION
SELECT
    l.product_key,
    (l.observed_at AT TIME ZONE 'UTC')::date AS level_date
FROM commerce.product_version AS v
INNER JOIN commerce.inventory_level AS l
    ON l.product_key = v.product_key AND l.observed_at >= v.valid_from AND l.observed_at < v.valid_to
WHERE v.change_seq >= :position AND :position > 0;
