-- Alerts, newest first.
-- Parameters: most
-- Result: alert_id, kind, severity, subject, told, state, seen, raised_at, last_seen_at, delivered_at, refused_status
SELECT
    alert_id,
    kind,
    severity,
    subject,
    told,
    CASE
        WHEN delivered_at IS NOT NULL THEN 'delivered'
        WHEN refused_status IS NOT NULL THEN 'refused'
        WHEN published_at IS NOT NULL THEN 'published'
        ELSE 'raised'
    END AS state,
    seen,
    raised_at,
    last_seen_at,
    delivered_at,
    refused_status
FROM pipeline.alert
ORDER BY alert_id DESC
LIMIT CAST(:most AS bigint)
