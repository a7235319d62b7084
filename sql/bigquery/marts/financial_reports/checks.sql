-- What is wrong with the staged days of sale; a day with a `fail` does not replace what stands.
-- Parameters: none. ${staged} is the staging table that query.sql filled.
-- Result: period, name, severity, failures (rows of the mart; of missing_rates, transactions), only where there are any
WITH keyed AS (
    SELECT
        sale_date,
        booking_date,
        entry,
        is_closed,
        currency,
        payment_method,
        status,
        transactions,
        gross,
        refunds,
        net,
        gross_base,
        refunds_base,
        net_base,
        transactions_without_rate,
        ROW_NUMBER() OVER (
            PARTITION BY sale_date, booking_date, entry, currency, payment_method, status
            ORDER BY transactions
        ) AS copy,
        -- The rows of a group sum to what stands: its count is never negative; without transactions there is no money.
        SUM(transactions) OVER (PARTITION BY sale_date, currency, payment_method, status) AS standing_transactions,
        SUM(gross) OVER (PARTITION BY sale_date, currency, payment_method, status) AS standing_gross,
        SUM(refunds) OVER (PARTITION BY sale_date, currency, payment_method, status) AS standing_refunds
    FROM ${staged}
),

counted AS (
    SELECT
        sale_date,
        COUNTIF(copy > 1) AS duplicate_keys,
        COUNTIF(
            sale_date IS NULL
            OR booking_date IS NULL
            OR entry IS NULL
            OR currency IS NULL
            OR payment_method IS NULL
            OR status IS NULL
        ) AS null_keys,
        COUNTIF(entry NOT IN ('sale', 'adjustment')) AS unknown_entries,
        COUNTIF(
            (entry = 'sale' AND booking_date <> sale_date)
            OR (
                entry = 'adjustment'
                AND (booking_date <= sale_date OR booking_date <> DATE_TRUNC(booking_date, MONTH))
            )
        ) AS wrong_booking_dates,
        COUNTIF(
            entry = 'sale'
            AND (
                transactions < 1
                OR gross < 0
                OR refunds < 0
                OR gross_base < 0
                OR refunds_base < 0
                OR transactions_without_rate NOT BETWEEN 0 AND transactions
            )
        ) AS impossible_sales,
        COUNTIF(
            standing_transactions < 0
            OR (standing_transactions = 0 AND (standing_gross <> 0 OR standing_refunds <> 0))
        ) AS impossible_totals,
        COUNTIF(net <> gross - refunds) AS wrong_net,
        COUNTIF(
            net_base <> gross_base - refunds_base
            OR (
                entry = 'sale'
                AND transactions_without_rate = transactions
                AND (gross_base <> 0 OR refunds_base <> 0)
            )
        ) AS wrong_base_sums,
        SUM(transactions) AS transactions,
        SUM(transactions_without_rate) AS without_rate,
        COUNTIF(entry = 'adjustment' AND NOT is_closed) AS adjustments,
        SUM(IF(entry = 'adjustment' AND NOT is_closed, ABS(net_base), NUMERIC '0')) AS adjusted,
        SUM(IF(is_closed, ABS(net_base), NUMERIC '0')) AS booked
    FROM keyed
    GROUP BY sale_date
)

SELECT
    c.sale_date AS period,
    f.name,
    f.severity,
    f.failures
FROM counted AS c
CROSS JOIN
    UNNEST([
        STRUCT('duplicate_keys' AS name, 'fail' AS severity, c.duplicate_keys AS failures),
        STRUCT('null_keys' AS name, 'fail' AS severity, c.null_keys AS failures),
        STRUCT('unknown_entries' AS name, 'fail' AS severity, c.unknown_entries AS failures),
        STRUCT('wrong_booking_dates' AS name, 'fail' AS severity, c.wrong_booking_dates AS failures),
        STRUCT('impossible_sales' AS name, 'fail' AS severity, c.impossible_sales AS failures),
        STRUCT('impossible_totals' AS name, 'fail' AS severity, c.impossible_totals AS failures),
        STRUCT('wrong_net' AS name, 'fail' AS severity, c.wrong_net AS failures),
        STRUCT('wrong_base_sums' AS name, 'fail' AS severity, c.wrong_base_sums AS failures),
        STRUCT(
            'missing_rates' AS name,
            'warn' AS severity,
            IF(c.without_rate * 20 > c.transactions, c.without_rate, 0) AS failures
        ),
        STRUCT(
            'large_adjustments' AS name,
            'warn' AS severity,
            IF(c.adjusted * 20 > c.booked, c.adjustments, 0) AS failures
        )
    ]) AS f
WHERE f.failures > 0
ORDER BY period, f.name
