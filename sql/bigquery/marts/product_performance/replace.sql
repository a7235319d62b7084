-- Replace the given days by what is staged of them: the same days twice give the same rows.
-- Parameters: periods. ${staged} is the staging table that query.sql filled.
-- Run by build_marts with the days that checks.sql finds no failure in.
MERGE INTO marts.product_performance AS t
USING (
    SELECT
        sale_date,
        product_key,
        product_id,
        product_name,
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
        inventory_observed_at
    FROM ${staged}
    WHERE sale_date IN UNNEST(@periods)
) AS s
    ON FALSE
WHEN NOT MATCHED BY SOURCE AND t.sale_date IN UNNEST(@periods) THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (
    sale_date,
    product_key,
    product_id,
    product_name,
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
    inventory_observed_at
) VALUES (
    s.sale_date,
    s.product_key,
    s.product_id,
    s.product_name,
    s.category,
    s.transactions,
    s.orders,
    s.units,
    s.transactions_with_units,
    s.gross_base,
    s.refunds_base,
    s.net_base,
    s.transactions_without_rate,
    s.list_price,
    s.inventory_count,
    s.inventory_observed_at
)
