-- Revenue of each day of sale; a day without a transaction is left out.
-- Parameters: first_day, last_day, currency, most
-- Result: one row per day of sale; its columns are in catalogue.yaml
SELECT
    sale_date,
    SUM(orders) AS orders,
    SUM(gross_revenue_base) AS gross_revenue_base,
    SUM(refunds_base) AS refunds_base,
    SUM(net_revenue_base) AS net_revenue_base,
    SUM(transactions_without_rate) AS transactions_without_rate
FROM marts.daily_sales_summary
WHERE sale_date BETWEEN @first_day AND @last_day
    AND (@currency = '' OR currency = @currency)
GROUP BY sale_date
ORDER BY sale_date
LIMIT @most
