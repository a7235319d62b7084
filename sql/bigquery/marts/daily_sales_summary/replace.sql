-- Replace the given days by what is staged of them: the same days twice give the same rows.
-- Parameters: periods. ${staged} is the staging table that query.sql filled.
-- Run by build_marts with the days that checks.sql finds no failure in.
MERGE INTO marts.daily_sales_summary AS t
USING (
    SELECT
        sale_date,
        category,
        country,
        payment_method,
        currency,
        transactions,
        amount,
        orders,
        units,
        transactions_with_units,
        gross_revenue,
        refunds,
        net_revenue,
        gross_revenue_base,
        refunds_base,
        net_revenue_base,
        average_order_value,
        customers,
        guest_transactions,
        late_transactions,
        transactions_without_rate,
        quality_score
    FROM ${staged}
    WHERE sale_date IN UNNEST(@periods)
) AS s
    ON FALSE
WHEN NOT MATCHED BY SOURCE AND t.sale_date IN UNNEST(@periods) THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (
    sale_date,
    category,
    country,
    payment_method,
    currency,
    transactions,
    amount,
    orders,
    units,
    transactions_with_units,
    gross_revenue,
    refunds,
    net_revenue,
    gross_revenue_base,
    refunds_base,
    net_revenue_base,
    average_order_value,
    customers,
    guest_transactions,
    late_transactions,
    transactions_without_rate,
    quality_score
) VALUES (
    s.sale_date,
    s.category,
    s.country,
    s.payment_method,
    s.currency,
    s.transactions,
    s.amount,
    s.orders,
    s.units,
    s.transactions_with_units,
    s.gross_revenue,
    s.refunds,
    s.net_revenue,
    s.gross_revenue_base,
    s.refunds_base,
    s.net_revenue_base,
    s.average_order_value,
    s.customers,
    s.guest_transactions,
    s.late_transactions,
    s.transactions_without_rate,
    s.quality_score
)
