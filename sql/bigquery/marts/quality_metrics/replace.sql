-- Replace the verdicts of the given days by those of one run: the same days twice give the same rows.
-- Parameters: days. ${run} is the run's staging table.
-- Run by check_quality.
MERGE INTO marts.quality_metrics AS t
USING (
    SELECT
        day,
        dataset,
        rule,
        subject,
        value,
        threshold,
        severity,
        passed,
        row_count,
        score,
        measured_at
    FROM ${run}
    WHERE day IN UNNEST(@days)
) AS s
    ON FALSE
WHEN NOT MATCHED BY SOURCE AND t.day IN UNNEST(@days) THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (
    day,
    dataset,
    rule,
    subject,
    value,
    threshold,
    severity,
    passed,
    row_count,
    score,
    measured_at
) VALUES (
    s.day,
    s.dataset,
    s.rule,
    s.subject,
    s.value,
    s.threshold,
    s.severity,
    s.passed,
    s.row_count,
    s.score,
    s.measured_at
)
