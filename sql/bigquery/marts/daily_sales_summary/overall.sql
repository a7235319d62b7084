-- The mart as a whole, for the summary of a run.
-- Parameters: none
-- Result: days, net_revenue_base
SELECT
    COUNT(DISTINCT sale_date) AS days,
    SUM(net_revenue_base) AS net_revenue_base
FROM marts.daily_sales_summary
WHERE sale_date >= DATE '2000-01-01'
