-- The alert is in the topic.
-- Parameters: alert_id
-- Result: none
UPDATE pipeline.alert
SET published_at = now()
WHERE alert_id = :alert_id AND published_at IS NULL
