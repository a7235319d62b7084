-- Replace the verdicts of the given days by those of one run: the same days twice give the same rows.
-- Parameters: days. ${run} is the run's staging table.
-- Run by check_quality.
BEGIN TRANSACTION;
DELETE FROM marts.quality_metrics
WHERE day IN UNNEST(@days);
INSERT INTO marts.quality_metrics (
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
)
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
FROM ${run};
COMMIT TRANSACTION;
