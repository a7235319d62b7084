-- Customers by recency, frequency and money over the twelve months that end with the newest month of user_analytics.
-- It reads the whole mart, which is small, but for guests; who has no order in the twelve months is not in it.
-- Result: one row per user.
WITH threshold AS (
    -- The scores run from 4, the best, to 1. Recency is in months since the last order, money in the base currency.
    SELECT
        0 AS recency_4,
        2 AS recency_3,
        5 AS recency_2,
        10 AS frequency_4,
        4 AS frequency_3,
        2 AS frequency_2,
        NUMERIC '1000' AS monetary_4,
        NUMERIC '250' AS monetary_3,
        NUMERIC '50' AS monetary_2
),

newest AS (
    SELECT
        MAX(month) AS month,
        DATE_SUB(MAX(month), INTERVAL 11 MONTH) AS first_month
    FROM marts.user_analytics
    WHERE month >= DATE '2000-01-01'
),

bought AS (
    SELECT
        u.user_key,
        -- In a STRUCT a NULL counts too: the newest month decides, whatever it holds.
        MAX_BY(STRUCT(u.customer_tier AS customer_tier), u.month).customer_tier AS customer_tier,
        MAX_BY(STRUCT(u.country AS country), u.month).country AS country,
        MAX(u.last_order_at) AS last_order_at,
        MAX(IF(u.orders > 0, u.month, NULL)) AS last_order_month,
        SUM(u.orders) AS orders,
        SUM(u.net_base) AS net_base
    FROM marts.user_analytics AS u
    WHERE u.month >= DATE '2000-01-01'
        AND u.month >= (SELECT n.first_month FROM newest AS n)
        AND NOT u.is_guest
    GROUP BY u.user_key
    HAVING SUM(u.orders) > 0
),

customer AS (
    SELECT
        b.user_key,
        n.month AS as_of_month,
        b.customer_tier,
        b.country,
        b.last_order_at,
        DATE_DIFF(n.month, b.last_order_month, MONTH) AS recency_months,
        b.orders,
        b.net_base
    FROM bought AS b
    CROSS JOIN newest AS n
),

scored AS (
    SELECT
        c.user_key,
        c.as_of_month,
        c.customer_tier,
        c.country,
        c.last_order_at,
        c.recency_months,
        c.orders,
        c.net_base,
        CASE
            WHEN c.recency_months <= t.recency_4 THEN 4
            WHEN c.recency_months <= t.recency_3 THEN 3
            WHEN c.recency_months <= t.recency_2 THEN 2
            ELSE 1
        END AS recency_score,
        CASE
            WHEN c.orders >= t.frequency_4 THEN 4
            WHEN c.orders >= t.frequency_3 THEN 3
            WHEN c.orders >= t.frequency_2 THEN 2
            ELSE 1
        END AS frequency_score,
        CASE
            WHEN c.net_base >= t.monetary_4 THEN 4
            WHEN c.net_base >= t.monetary_3 THEN 3
            WHEN c.net_base >= t.monetary_2 THEN 2
            ELSE 1
        END AS monetary_score
    FROM customer AS c
    CROSS JOIN threshold AS t
)

SELECT
    user_key,
    as_of_month,
    customer_tier,
    country,
    last_order_at,
    recency_months,
    orders,
    net_base,
    recency_score,
    frequency_score,
    monetary_score,
    CASE
        WHEN recency_score = 4 AND frequency_score >= 3 AND monetary_score >= 3 THEN 'champions'
        WHEN recency_score >= 3 AND frequency_score >= 3 THEN 'loyal'
        WHEN recency_score >= 3 THEN 'promising'
        WHEN recency_score = 2 OR frequency_score >= 3 THEN 'at risk'
        ELSE 'lost'
    END AS segment
FROM scored
