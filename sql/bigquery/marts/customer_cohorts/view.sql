-- What the customers of each month of first order bought in the months that followed.
-- It reads the whole mart user_analytics, which is small, but for guests.
-- Result: one row per month of first order and months since, where any of its customers had a transaction.
WITH bought AS (
    SELECT
        month,
        user_key,
        orders,
        net_base,
        MIN(IF(orders > 0, month, NULL)) OVER (PARTITION BY user_key) AS cohort_month
    FROM marts.user_analytics
    WHERE month >= DATE '2000-01-01'
        AND NOT is_guest
),

since AS (
    SELECT
        cohort_month,
        DATE_DIFF(month, cohort_month, MONTH) AS months_since,
        COUNTIF(orders > 0) AS customers,
        SUM(orders) AS orders,
        SUM(net_base) AS net_base
    FROM bought
    WHERE month >= cohort_month
    GROUP BY cohort_month, months_since
),

sized AS (
    SELECT
        cohort_month,
        months_since,
        customers,
        orders,
        net_base,
        MAX(IF(months_since = 0, customers, NULL)) OVER (PARTITION BY cohort_month) AS cohort_customers
    FROM since
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
