-- The category that each user ordered most often, then spent most on, then the first by name.
-- It reads the whole mart user_analytics, which is small, but for guests.
-- Result: one row per user with an order.
WITH bought AS (
    SELECT
        u.user_key,
        c.category,
        SUM(c.orders) AS orders,
        SUM(c.net_base) AS net_base
    FROM marts.user_analytics AS u
    CROSS JOIN UNNEST(u.categories) AS c
    WHERE u.month >= DATE '2000-01-01'
        AND NOT u.is_guest
    GROUP BY u.user_key, c.category
    HAVING SUM(c.orders) > 0
),

ranked AS (
    SELECT
        user_key,
        category,
        orders,
        net_base,
        SUM(orders) OVER (PARTITION BY user_key) AS all_orders,
        ROW_NUMBER() OVER (PARTITION BY user_key ORDER BY orders DESC, net_base DESC, category) AS place
    FROM bought
)

SELECT
    user_key,
    category,
    orders,
    net_base,
    ROUND(SAFE_DIVIDE(CAST(orders AS NUMERIC), CAST(all_orders AS NUMERIC)), 4) AS share_of_orders
FROM ranked
WHERE place = 1
