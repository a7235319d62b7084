-- Closes whose lines are not in BigQuery yet, oldest first.
-- Parameters: none
-- Result: period
SELECT period
FROM finance.close
WHERE published_at IS NULL
ORDER BY period
