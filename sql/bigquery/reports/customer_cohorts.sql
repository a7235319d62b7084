-- What the customers whose first order was in each month of the period bought in the months that followed.
-- Parameters: first_day, last_day, most
-- Result: one row per month of first order and months since; its columns are in catalogue.yaml
SELECT
    cohort_month,
    months_since,
    cohort_customers,
    customers,
    retention,
    orders,
    net_base
FROM marts.customer_cohorts
WHERE cohort_month BETWEEN DATE_TRUNC(@first_day, MONTH) AND @last_day
ORDER BY cohort_month, months_since
LIMIT @most
