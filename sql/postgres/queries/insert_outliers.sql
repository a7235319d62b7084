-- Amounts far from the trailing days' median of their category and currency, on the scale of logarithms.
-- Parameters: days, first_day, last_day (of days), trailing (days), fewest (amounts), spreads and smallest (decimals as text)
-- Result: day, amounts, outliers; the trailing amounts are read once, into buckets of two percent
WITH day AS MATERIALIZED (
    SELECT unnest(CAST(:days AS date[])) AS day
),

histogram AS MATERIALIZED (
    SELECT
        t.sale_date,
        coalesce(p.category, 'unknown') AS category,
        t.currency,
        round(ln(t.amount::float8) * 50)::int AS bucket,
        count(*) AS n
    FROM commerce.transactions AS t
    INNER JOIN commerce.products AS p USING (product_key)
    WHERE
        t.occurred_at >= (CAST(:first_day AS date) - CAST(:trailing AS int))::timestamp AT TIME ZONE 'UTC'
        AND t.occurred_at < CAST(:last_day AS date)::timestamp AT TIME ZONE 'UTC'
        AND t.amount > 0
    GROUP BY t.sale_date, category, t.currency, bucket
),

earlier AS (
    SELECT
        d.day,
        h.category,
        h.currency,
        h.bucket,
        sum(h.n) AS n
    FROM day AS d
    INNER JOIN histogram AS h ON h.sale_date >= d.day - CAST(:trailing AS int) AND h.sale_date < d.day
    GROUP BY d.day, h.category, h.currency, h.bucket
),

running AS (
    SELECT
        *,
        sum(n) OVER (PARTITION BY day, category, currency ORDER BY bucket) AS upto,
        sum(n) OVER (PARTITION BY day, category, currency) AS total
    FROM earlier
),

middle AS (
    SELECT
        day,
        category,
        currency,
        total,
        min(bucket) FILTER (WHERE 2 * upto >= total) AS median
    FROM running
    WHERE total >= CAST(:fewest AS bigint)
    GROUP BY day, category, currency, total
),

distance AS (
    SELECT
        t.day,
        t.category,
        t.currency,
        m.median,
        m.total,
        abs(t.bucket - m.median) AS far,
        sum(sum(t.n)) OVER (PARTITION BY t.day, t.category, t.currency ORDER BY abs(t.bucket - m.median)) AS upto
    FROM earlier AS t
    INNER JOIN middle AS m USING (day, category, currency)
    GROUP BY t.day, t.category, t.currency, m.median, m.total, far
),

usual AS MATERIALIZED (
    SELECT
        day,
        category,
        currency,
        total,
        median / 50.0::float8 AS median,
        greatest(
            1.4826 * min(far) FILTER (WHERE 2 * upto >= total) / 50.0::float8, CAST(:smallest AS numeric)::float8
        ) AS spread
    FROM distance
    GROUP BY day, category, currency, total, median
),

sale AS MATERIALIZED (
    SELECT
        t.sale_date AS day,
        t.transaction_id,
        coalesce(p.category, 'unknown') AS category,
        t.currency,
        t.amount
    FROM commerce.transactions AS t
    INNER JOIN commerce.products AS p USING (product_key)
    WHERE
        t.occurred_at >= CAST(:first_day AS date)::timestamp AT TIME ZONE 'UTC'
        AND t.occurred_at < (CAST(:last_day AS date) + 1)::timestamp AT TIME ZONE 'UTC'
        AND t.sale_date = ANY(CAST(:days AS date[]))
        AND t.amount > 0
),

judged AS MATERIALIZED (
    SELECT
        s.day,
        s.transaction_id,
        s.category,
        s.currency,
        s.amount,
        (ln(s.amount::float8) - u.median) / u.spread AS z,
        u.median,
        u.total
    FROM sale AS s
    INNER JOIN usual AS u USING (day, category, currency)
),

found AS (
    INSERT INTO pipeline.outlier (day, transaction_id, category, currency, amount, z, usual, rows)
    SELECT
        day,
        transaction_id,
        category,
        currency,
        amount,
        round(z::numeric, 2),
        round(exp(median)::numeric, 2),
        total
    FROM judged
    WHERE abs(z) > CAST(:spreads AS numeric)::float8
    RETURNING day
)

SELECT
    j.day,
    count(*) AS amounts,
    (SELECT count(*) FROM found AS f WHERE f.day = j.day) AS outliers
FROM judged AS j
GROUP BY j.day
ORDER BY j.day
