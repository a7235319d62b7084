-- The statements of a store are read up to a time.
-- Parameters: store, watched_to
-- Result: none
INSERT INTO pipeline.query_watermark (store, watched_to)
VALUES (:store, :watched_to)
ON CONFLICT (store) DO UPDATE SET watched_to = excluded.watched_to
