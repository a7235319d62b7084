-- Alerts that were raised and not published yet, oldest first.
-- Parameters: most
-- Result: alert_id, alert_key, kind, severity, subject, told, raised_at
SELECT
    alert_id,
    alert_key,
    kind,
    severity,
    subject,
    told,
    raised_at
FROM pipeline.alert
WHERE published_at IS NULL
ORDER BY alert_id
LIMIT CAST(:most AS bigint)
