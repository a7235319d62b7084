-- What guests bought in each month, beside all that was bought.
-- It reads the whole mart user_analytics, which is small.
-- Result: one row per month; a month without guests has zeros.
WITH bought AS (
    SELECT
        month,
        SUM(IF(is_guest, transactions, 0)) AS transactions,
        SUM(IF(is_guest, orders, 0)) AS orders,
        SUM(IF(is_guest, refunds_base, NUMERIC '0')) AS refunds_base,
        SUM(IF(is_guest, net_base, NUMERIC '0')) AS net_base,
        SUM(orders) AS all_orders,
        SUM(net_base) AS all_net_base
    FROM marts.user_analytics
    WHERE month >= DATE '2000-01-01'
    GROUP BY month
)

SELECT
    month,
    transactions,
    orders,
    refunds_base,
    net_base,
    all_orders,
    all_net_base,
    ROUND(SAFE_DIVIDE(CAST(orders AS NUMERIC), CAST(all_orders AS NUMERIC)), 4) AS share_of_orders,
    ROUND(IF(all_net_base > 0, SAFE_DIVIDE(net_base, all_net_base), NULL), 4) AS share_of_net
FROM bought
