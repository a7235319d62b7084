-- Verdicts on datasets and days, oldest first.
-- Parameters: dataset (null: all), days (null: all), first_day, last_day (null: without a bound)
-- Result: subject, dataset, day, rule, value, threshold, severity, passed, rows, measured_at
SELECT
    subject,
    dataset,
    day,
    rule,
    value,
    threshold,
    severity,
    passed,
    rows,
    measured_at
FROM pipeline.quality_result
WHERE
    scope = 'day'
    AND (CAST(:dataset AS text) IS NULL OR dataset = :dataset)
    AND (CAST(:days AS date[]) IS NULL OR day = ANY(CAST(:days AS date[])))
    AND (CAST(:first_day AS date) IS NULL OR day >= :first_day)
    AND (CAST(:last_day AS date) IS NULL OR day <= :last_day)
ORDER BY dataset, day, rule, subject
