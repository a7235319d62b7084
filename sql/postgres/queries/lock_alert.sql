-- Keep others from delivering an alert until the transaction ends.
-- Parameters: alert_id, alert_key
-- Result: whether it was delivered or refused for good; no row where this database does not know it
SELECT delivered_at IS NOT NULL OR refused_status IS NOT NULL AS done
FROM pipeline.alert
WHERE alert_id = :alert_id AND alert_key = :alert_key
FOR UPDATE
