-- Keep what somebody must look at, once for its key; the same finding again is only counted.
-- Parameters: alert_key, kind, severity, subject, told
-- Result: one row, true where the alert is new
INSERT INTO pipeline.alert AS a (alert_key, kind, severity, subject, told)
VALUES (:alert_key, :kind, :severity, :subject, :told)
ON CONFLICT (alert_key) DO UPDATE SET
    seen = a.seen + 1,
    last_seen_at = now()
RETURNING seen = 1 AS new
