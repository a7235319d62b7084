-- Which of some alerts were raised before.
-- Parameters: alert_keys
-- Result: alert_key
SELECT alert_key
FROM pipeline.alert
WHERE alert_key = ANY(CAST(:alert_keys AS text[]))
ORDER BY alert_key
