-- The webhook took the alert, or refused it for good; what is marked stays as it is.
-- Parameters: alert_id, alert_key, refused (HTTP status, or null)
-- Result: none
UPDATE pipeline.alert
SET
    delivered_at = CASE WHEN CAST(:refused AS int) IS NULL THEN now() END,
    refused_status = CAST(:refused AS int)
WHERE
    alert_id = :alert_id
    AND alert_key = :alert_key
    AND delivered_at IS NULL
    AND refused_status IS NULL
