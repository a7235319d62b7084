-- Replace the given months by what is staged of them: the same months twice give the same rows.
-- Parameters: periods. ${staged} is the staging table that query.sql filled.
-- Run by build_marts with the months that checks.sql finds no failure in.
MERGE INTO marts.user_analytics AS t
USING (
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
        categories,
        customer_tier,
        country,
        transactions_without_rate
    FROM ${staged}
    WHERE month IN UNNEST(@periods)
) AS s
    ON FALSE
WHEN NOT MATCHED BY SOURCE AND t.month IN UNNEST(@periods) THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (
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
    categories,
    customer_tier,
    country,
    transactions_without_rate
) VALUES (
    s.month,
    s.user_key,
    s.is_guest,
    s.transactions,
    s.orders,
    s.refunded_transactions,
    s.gross_base,
    s.refunds_base,
    s.net_base,
    s.first_order_at,
    s.last_order_at,
    s.categories,
    s.customer_tier,
    s.country,
    s.transactions_without_rate
)
