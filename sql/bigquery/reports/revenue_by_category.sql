-- Revenue of each product category, with its share of the whole; the highest net revenue first.
-- Parameters: first_day, last_day, currency, most
-- Result: one row per category; its columns are in catalogue.yaml
WITH sold AS (
    SELECT
        category,
        SUM(orders) AS orders,
        SUM(units) AS units,
        SUM(transactions_with_units) AS transactions_with_units,
        SUM(gross_revenue_base) AS gross_revenue_base,
        SUM(refunds_base) AS refunds_base,
        SUM(net_revenue_base) AS net_revenue_base,
        SUM(transactions_without_rate) AS transactions_without_rate
    FROM marts.daily_sales_summary
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND (@currency = '' OR currency = @currency)
    GROUP BY category
)

SELECT
    category,
    orders,
    units,
    transactions_with_units,
    gross_revenue_base,
    refunds_base,
    net_revenue_base,
    IF(
        SUM(net_revenue_base) OVER () > 0,
        ROUND(SAFE_DIVIDE(net_revenue_base, SUM(net_revenue_base) OVER ()), 4),
        NULL
    ) AS share_of_net,
    transactions_without_rate
FROM sold
ORDER BY net_revenue_base DESC, category
LIMIT @most
