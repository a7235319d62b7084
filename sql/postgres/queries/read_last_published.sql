-- The last month whose close BigQuery has.
-- Parameters: none
-- Result: period, null where there is none
SELECT max(period) AS period
FROM finance.close
WHERE published_at IS NOT NULL
