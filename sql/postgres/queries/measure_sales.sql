-- What was sold on each of the given days of sale, by currency, day by day; positive amounts of completed and refunded rows.
-- Parameters: days
-- Result: day, currency, rows, amount (sum), median
SELECT
    d.day,
    s.currency,
    s.rows,
    s.amount,
    s.median
FROM unnest(CAST(:days AS date[])) AS d (day)
CROSS JOIN LATERAL (
    SELECT
        t.currency,
        count(*) AS rows,
        sum(t.amount) AS amount,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY t.amount) AS median
    FROM commerce.transactions AS t
    WHERE
        t.occurred_at >= d.day::timestamp AT TIME ZONE 'UTC'
        AND t.occurred_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
        AND t.amount > 0
        AND t.status IN ('completed', 'refunded')
    GROUP BY t.currency
) AS s
ORDER BY d.day, s.currency
