-- Orders that the warehouse is fed anew from Postgres.
-- Parameters: operator, first_day, last_day (null: the whole), floor (the highest feed_id in the warehouse)
-- Result: order_id
INSERT INTO pipeline.refeed_order (ordered_by, first_day, last_day, floor)
VALUES (:operator, :first_day, :last_day, :floor)
RETURNING order_id
