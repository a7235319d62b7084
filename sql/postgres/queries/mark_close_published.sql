-- Notes that the lines of a close are in BigQuery.
-- Parameters: period
-- Result: none
UPDATE finance.close
SET published_at = now()
WHERE period = :period AND published_at IS NULL
