-- Every day that the warehouse can have rows of: days of sale now, days that a sale left, days of stock levels.
-- Parameters: first_day, last_day
-- Result: day, in order
SELECT sale_date AS day
FROM commerce.transactions
WHERE sale_date BETWEEN :first_day AND :last_day
UNION
SELECT day
FROM pipeline.moved_day
WHERE day BETWEEN :first_day AND :last_day
UNION
SELECT (observed_at AT TIME ZONE 'UTC')::date AS day
FROM commerce.inventory_level
WHERE (observed_at AT TIME ZONE 'UTC')::date BETWEEN :first_day AND :last_day
ORDER BY day
