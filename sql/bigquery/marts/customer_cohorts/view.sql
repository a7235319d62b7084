-- What the customers of each month of first order bought in the months that followed.
-- It reads the whole mart user_analytics, which is small, but for guests.
-- Result: one row per month of first order and months since, where any of its customers had a transaction.
WITH first_order AS (
    SELECT
        user_key,
        MIN(month) AS cohort_month
    FROM marts.user_analytics
    WHERE month >= DATE '2000-01-01'
        AND NOT is_guest
        AND orders > 0
    GROUP BY user_key
),

bought AS (
    SELECT
        f.cohort_month,
        u.month,
        COUNTIF(u.orders > 0) AS customers,
        SUM(u.orders) AS orders,
        SUM(u.net_base) AS net_base
    FROM first_order AS f
    INNER JOIN marts.user_analytics AS u ON f.user_key = u.user_key
    WHERE u.month >= DATE '2000-01-01'
        AND u.month >= f.cohort_month
        AND NOT u.is_guest
    GROUP BY f.cohort_month, u.month
),

sized AS (
    SELECT
        cohort_month,
        DATE_DIFF(month, cohort_month, MONTH) AS months_since,
        customers,
        orders,
        net_base,
        MAX(IF(month = cohort_month, customers, NULL)) OVER (PARTITION BY cohort_month) AS cohort_customers
    FROM bought
)

SELECT
    cohort_month,
    months_since,
    cohort_customers,
    customers,
    ROUND(SAFE_DIVIDE(CAST(customers AS NUMERIC), CAST(cohort_customers AS NUMERIC)), 4) AS retention,
    orders,
    net_base
FROM sized
