-- The days on which a whole refeed must clear away and the mart must be built anew, whatever Postgres has on them.
-- Parameters: feed_id of the refeed, first_day, last_day (its scope)
-- Result: level_date
SELECT level_date
FROM sales.inventory_levels
WHERE level_date BETWEEN @first_day AND @last_day
    AND feed_id < @feed_id
UNION DISTINCT
SELECT sale_date AS level_date
FROM marts.product_performance
WHERE sale_date BETWEEN @first_day AND @last_day
