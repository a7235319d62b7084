-- What is wrong with the staged months; a month with a `fail` does not replace what stands.
-- Parameters: none. ${staged} is the staging table that query.sql filled.
-- Result: period, name, severity, failures (rows; transactions or orders by the name of the check), where there are any
WITH keyed AS (
    SELECT
        month,
        user_key,
        is_guest,
        transactions,
        orders,
        refunded_transactions,
        gross_base,
        refunds_base,
        net_base,
        first_order_at,
        last_order_at,
        customer_tier,
        country,
        transactions_without_rate,
        (SELECT IFNULL(SUM(c.orders), 0) FROM UNNEST(categories) AS c) AS category_orders,
        (SELECT IFNULL(SUM(c.net_base), NUMERIC '0') FROM UNNEST(categories) AS c) AS category_net_base,
        ROW_NUMBER() OVER (PARTITION BY month, user_key ORDER BY transactions) AS copy
    FROM ${staged}
),

counted AS (
    SELECT
        month,
        COUNTIF(copy > 1) AS duplicate_keys,
        COUNTIF(month IS NULL OR is_guest IS NULL OR is_guest <> (user_key IS NULL)) AS null_keys,
        COUNTIF(month <> DATE_TRUNC(month, MONTH)) AS no_first_days,
        COUNTIF(transactions < 1) AS empty_groups,
        COUNTIF(
            orders NOT BETWEEN 0 AND transactions
            OR refunded_transactions NOT BETWEEN 0 AND transactions
            OR transactions_without_rate NOT BETWEEN 0 AND transactions
        ) AS impossible_counts,
        COUNTIF(gross_base < 0 OR refunds_base < 0) AS negative_amounts,
        COUNTIF(net_base <> gross_base - refunds_base) AS wrong_net,
        COUNTIF(
            (orders = 0 AND gross_base <> 0)
            OR (transactions_without_rate = transactions AND (gross_base <> 0 OR refunds_base <> 0))
        ) AS wrong_base_sums,
        COUNTIF(category_orders <> orders OR category_net_base <> net_base) AS wrong_categories,
        COUNTIF(
            (orders > 0) <> (first_order_at IS NOT NULL AND last_order_at IS NOT NULL)
            OR first_order_at > last_order_at
            OR DATE_TRUNC(DATE(first_order_at), MONTH) <> month
            OR DATE_TRUNC(DATE(last_order_at), MONTH) <> month
        ) AS wrong_order_times,
        COUNTIF(is_guest AND (customer_tier IS NOT NULL OR country IS NOT NULL)) AS named_guests,
        SUM(transactions) AS transactions,
        SUM(transactions_without_rate) AS without_rate,
        SUM(orders) AS orders,
        SUM(IF(is_guest, orders, 0)) AS guests
    FROM keyed
    GROUP BY month
)

SELECT
    c.month AS period,
    f.name,
    f.severity,
    f.failures
FROM counted AS c
CROSS JOIN
    UNNEST([
        STRUCT('duplicate_keys' AS name, 'fail' AS severity, c.duplicate_keys AS failures),
        STRUCT('null_keys' AS name, 'fail' AS severity, c.null_keys AS failures),
        STRUCT('no_first_days' AS name, 'fail' AS severity, c.no_first_days AS failures),
        STRUCT('empty_groups' AS name, 'fail' AS severity, c.empty_groups AS failures),
        STRUCT('impossible_counts' AS name, 'fail' AS severity, c.impossible_counts AS failures),
        STRUCT('negative_amounts' AS name, 'fail' AS severity, c.negative_amounts AS failures),
        STRUCT('wrong_net' AS name, 'fail' AS severity, c.wrong_net AS failures),
        STRUCT('wrong_base_sums' AS name, 'fail' AS severity, c.wrong_base_sums AS failures),
        STRUCT('wrong_categories' AS name, 'fail' AS severity, c.wrong_categories AS failures),
        STRUCT('wrong_order_times' AS name, 'fail' AS severity, c.wrong_order_times AS failures),
        STRUCT('named_guests' AS name, 'fail' AS severity, c.named_guests AS failures),
        STRUCT(
            'missing_rates' AS name,
            'warn' AS severity,
            IF(c.without_rate * 20 > c.transactions, c.without_rate, 0) AS failures
        ),
        STRUCT(
            'mostly_guests' AS name,
            'warn' AS severity,
            IF(c.guests * 2 > c.orders, c.guests, 0) AS failures
        )
    ]) AS f
WHERE f.failures > 0
ORDER BY period, f.name
