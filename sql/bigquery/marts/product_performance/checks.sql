-- What is wrong with the staged days; a day with a `fail` does not replace what stands.
-- Parameters: none. ${staged} is the staging table that query.sql filled.
-- Result: period, name, severity, failures (rows of the mart; of missing_rates, transactions), only where there are any
WITH keyed AS (
    SELECT
        sale_date,
        product_key,
        product_id,
        category,
        transactions,
        orders,
        units,
        transactions_with_units,
        gross_base,
        refunds_base,
        net_base,
        transactions_without_rate,
        list_price,
        inventory_count,
        inventory_observed_at,
        ROW_NUMBER() OVER (PARTITION BY sale_date, product_key ORDER BY transactions) AS copy
    FROM ${staged}
),

counted AS (
    SELECT
        sale_date,
        COUNTIF(copy > 1) AS duplicate_keys,
        COUNTIF(sale_date IS NULL OR product_key IS NULL OR product_id IS NULL OR category IS NULL) AS null_keys,
        COUNTIF(transactions = 0 AND inventory_count IS NULL) AS unfounded_rows,
        COUNTIF(
            transactions = 0 AND (orders <> 0 OR units <> 0 OR gross_base <> 0 OR refunds_base <> 0)
        ) AS amounts_without_transactions,
        COUNTIF(
            transactions < 0
            OR orders NOT BETWEEN 0 AND transactions
            OR transactions_without_rate NOT BETWEEN 0 AND transactions
        ) AS impossible_counts,
        COUNTIF(
            transactions_with_units NOT BETWEEN 0 AND orders OR units < transactions_with_units
        ) AS impossible_units,
        COUNTIF(gross_base < 0 OR refunds_base < 0) AS negative_amounts,
        COUNTIF(net_base <> gross_base - refunds_base) AS wrong_net,
        COUNTIF(
            (orders = 0 AND gross_base <> 0)
            OR (transactions_without_rate = transactions AND (gross_base <> 0 OR refunds_base <> 0))
        ) AS wrong_base_sums,
        COUNTIF(
            (inventory_count IS NULL) <> (inventory_observed_at IS NULL) OR DATE(inventory_observed_at) <> sale_date
        ) AS wrong_levels,
        COUNTIF(list_price IS NULL) AS without_price,
        COUNT(*) AS products,
        SUM(transactions) AS transactions,
        SUM(transactions_without_rate) AS without_rate
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
        STRUCT('unfounded_rows' AS name, 'fail' AS severity, c.unfounded_rows AS failures),
        STRUCT('amounts_without_transactions' AS name, 'fail' AS severity, c.amounts_without_transactions AS failures),
        STRUCT('impossible_counts' AS name, 'fail' AS severity, c.impossible_counts AS failures),
        STRUCT('impossible_units' AS name, 'fail' AS severity, c.impossible_units AS failures),
        STRUCT('negative_amounts' AS name, 'fail' AS severity, c.negative_amounts AS failures),
        STRUCT('wrong_net' AS name, 'fail' AS severity, c.wrong_net AS failures),
        STRUCT('wrong_base_sums' AS name, 'fail' AS severity, c.wrong_base_sums AS failures),
        STRUCT('wrong_levels' AS name, 'fail' AS severity, c.wrong_levels AS failures),
        STRUCT(
            'missing_rates' AS name,
            'warn' AS severity,
            IF(c.without_rate * 20 > c.transactions, c.without_rate, 0) AS failures
        ),
        STRUCT(
            'missing_prices' AS name,
            'warn' AS severity,
            IF(c.without_price * 20 > c.products, c.without_price, 0) AS failures
        )
    ]) AS f
WHERE f.failures > 0
ORDER BY period, f.name
