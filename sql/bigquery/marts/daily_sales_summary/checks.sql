-- What is wrong with the staged days; a day with a `fail` does not replace what stands.
-- Parameters: none. ${staged} is the staging table that query.sql filled.
-- Result: period, name, severity, failures (rows of the mart; of a `warn`, transactions), only where there are any
WITH keyed AS (
    SELECT
        sale_date,
        category,
        country,
        payment_method,
        currency,
        transactions,
        orders,
        units,
        transactions_with_units,
        gross_revenue,
        refunds,
        net_revenue,
        gross_revenue_base,
        refunds_base,
        net_revenue_base,
        customers,
        guest_transactions,
        late_transactions,
        transactions_without_rate,
        quality_score,
        ROW_NUMBER() OVER (
            PARTITION BY sale_date, category, country, payment_method, currency
            ORDER BY transactions
        ) AS copy
    FROM ${staged}
),

counted AS (
    SELECT
        sale_date,
        COUNTIF(copy > 1) AS duplicate_keys,
        COUNTIF(
            sale_date IS NULL OR category IS NULL OR country IS NULL OR payment_method IS NULL OR currency IS NULL
        ) AS null_keys,
        COUNTIF(transactions < 1) AS empty_groups,
        COUNTIF(
            orders NOT BETWEEN 0 AND transactions
            OR customers NOT BETWEEN 0 AND transactions - guest_transactions
            OR guest_transactions NOT BETWEEN 0 AND transactions
            OR late_transactions NOT BETWEEN 0 AND transactions
            OR transactions_without_rate NOT BETWEEN 0 AND transactions
        ) AS impossible_counts,
        COUNTIF(
            transactions_with_units NOT BETWEEN 0 AND orders OR units < transactions_with_units
        ) AS impossible_units,
        COUNTIF(gross_revenue < 0 OR refunds < 0 OR gross_revenue_base < 0 OR refunds_base < 0) AS negative_amounts,
        COUNTIF(net_revenue <> gross_revenue - refunds) AS wrong_net,
        COUNTIF(
            net_revenue_base <> gross_revenue_base - refunds_base
            OR (gross_revenue = 0 AND gross_revenue_base <> 0)
            OR (refunds = 0 AND refunds_base <> 0)
            OR (transactions_without_rate = transactions AND (gross_revenue_base <> 0 OR refunds_base <> 0))
        ) AS wrong_base_sums,
        COUNTIF(quality_score NOT BETWEEN 0 AND 100) AS impossible_scores,
        SUM(transactions) AS transactions,
        SUM(transactions_without_rate) AS without_rate,
        SUM(late_transactions) AS late,
        SUM(quality_score * transactions) AS quality
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
        STRUCT('empty_groups' AS name, 'fail' AS severity, c.empty_groups AS failures),
        STRUCT('impossible_counts' AS name, 'fail' AS severity, c.impossible_counts AS failures),
        STRUCT('impossible_units' AS name, 'fail' AS severity, c.impossible_units AS failures),
        STRUCT('negative_amounts' AS name, 'fail' AS severity, c.negative_amounts AS failures),
        STRUCT('wrong_net' AS name, 'fail' AS severity, c.wrong_net AS failures),
        STRUCT('wrong_base_sums' AS name, 'fail' AS severity, c.wrong_base_sums AS failures),
        STRUCT('impossible_scores' AS name, 'fail' AS severity, c.impossible_scores AS failures),
        STRUCT(
            'missing_rates' AS name,
            'warn' AS severity,
            IF(c.without_rate * 20 > c.transactions, c.without_rate, 0) AS failures
        ),
        STRUCT(
            'mostly_late' AS name,
            'warn' AS severity,
            IF(c.late * 2 > c.transactions, c.late, 0) AS failures
        ),
        STRUCT(
            'low_quality' AS name,
            'warn' AS severity,
            IF(c.quality < 80 * c.transactions, c.transactions, 0) AS failures
        )
    ]) AS f
WHERE f.failures > 0
ORDER BY period, f.name
