-- What was sold on each of the given days of sale, by currency; positive amounts of completed and refunded rows.
-- Parameters: days
-- Result: day, currency, rows, amount (sum), median
SELECT
    d.day,
    t.currency,
    count(*) AS rows,
    sum(t.amount) AS amount,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY t.amount) AS median
FROM unnest(CAST(:days AS date[])) AS d (day)
INNER JOIN commerce.transactions AS t
    ON t.occurred_at >= d.day::timestamp AT TIME ZONE 'UTC'
    AND t.occurred_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
WHERE t.amount > 0 AND t.status IN ('completed', 'refunded')
GROUP BY d.day, t.currency
ORDER BY d.day, t.currency
