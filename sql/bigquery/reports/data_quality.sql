-- Score of each dataset and day, with how many of its rules hold; the newest day first.
-- Parameters: first_day, last_day, dataset, most
-- Result: one row per dataset and day; its columns are in catalogue.yaml
SELECT
    day,
    dataset,
    MAX(score) AS score,
    COUNT(*) AS rules,
    COUNTIF(NOT passed) AS broken,
    COUNTIF(NOT passed AND severity = 'critical') AS broken_critical
FROM marts.quality_metrics
WHERE day BETWEEN @first_day AND @last_day
    AND (@dataset = '' OR dataset = @dataset)
GROUP BY day, dataset
ORDER BY day DESC, dataset
LIMIT @most
