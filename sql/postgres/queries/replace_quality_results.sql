-- Keep the verdicts of a run: what differs is written, and what the same rules said of these days and no longer say goes.
-- Parameters: results (JSON array of the columns), days, rules
-- Result: none; measured_at moves only where a verdict is another
WITH told AS MATERIALIZED (
    SELECT
        scope,
        subject,
        dataset,
        day,
        rule,
        value,
        threshold,
        severity,
        passed,
        rows
    FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS x (
        scope text, subject text, dataset text, day date, rule text, value numeric, threshold numeric, severity text,
        passed bool, rows bigint
    )
),

gone AS (
    DELETE FROM pipeline.quality_result AS q
    WHERE
        q.day = ANY(CAST(:days AS date[]))
        AND q.rule = ANY(CAST(:rules AS text[]))
        AND NOT EXISTS (
            SELECT FROM told AS t
            WHERE (t.scope, t.day, t.dataset, t.rule, t.subject) = (q.scope, q.day, q.dataset, q.rule, q.subject)
        )
)

INSERT INTO pipeline.quality_result AS q
(scope, subject, dataset, day, rule, value, threshold, severity, passed, rows)
SELECT
    scope,
    subject,
    dataset,
    day,
    rule,
    value,
    threshold,
    severity,
    passed,
    rows
FROM told
ON CONFLICT (scope, day, dataset, rule, subject) DO UPDATE SET
    value = excluded.value,
    threshold = excluded.threshold,
    severity = excluded.severity,
    passed = excluded.passed,
    rows = excluded.rows,
    measured_at = now()
WHERE
    (q.value, q.threshold, q.severity, q.passed, q.rows)
    IS DISTINCT FROM (excluded.value, excluded.threshold, excluded.severity, excluded.passed, excluded.rows)
