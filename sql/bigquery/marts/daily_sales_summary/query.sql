-- Rebuild the given days of the mart from the fact: the same days twice give the same rows.
-- Parameters: days
-- Run by build_marts after each feed.
BEGIN TRANSACTION;
DELETE FROM marts.daily_sales_summary
WHERE sale_date IN UNNEST(@days);
INSERT INTO marts.daily_sales_summary (
    sale_date,
    category,
    country,
    payment_method,
    currency,
    transactions,
    amount,
    orders,
    gross_revenue,
    refunds,
    net_revenue,
    gross_revenue_base,
    refunds_base,
    net_revenue_base,
    average_order_value,
    customers,
    guest_transactions,
    late_transactions,
    transactions_without_rate,
    quality_score
)
WITH sale AS (
    SELECT
        sale_date,
        IFNULL(category, 'unknown') AS category,
        IFNULL(country, 'unknown') AS country,
        payment_method,
        currency,
        amount,
        rate,
        gross,
        refunds,
        net,
        gross_base,
        refunds_base,
        net_base,
        user_key,
        is_guest,
        is_late,
        quality_score
    FROM sales.transactions
    WHERE sale_date IN UNNEST(@days)
)
SELECT
    sale_date,
    category,
    country,
    payment_method,
    currency,
    COUNT(*) AS transactions,
    SUM(amount) AS amount,
    COUNTIF(gross > 0) AS orders,
    SUM(gross) AS gross_revenue,
    SUM(refunds) AS refunds,
    SUM(net) AS net_revenue,
    IFNULL(SUM(gross_base), NUMERIC '0') AS gross_revenue_base,
    IFNULL(SUM(refunds_base), NUMERIC '0') AS refunds_base,
    IFNULL(SUM(net_base), NUMERIC '0') AS net_revenue_base,
    ROUND(SAFE_DIVIDE(SUM(gross), CAST(COUNTIF(gross > 0) AS NUMERIC)), 2) AS average_order_value,
    COUNT(DISTINCT user_key) AS customers,
    COUNTIF(is_guest) AS guest_transactions,
    COUNTIF(is_late) AS late_transactions,
    COUNTIF(rate IS NULL) AS transactions_without_rate,
    ROUND(SAFE_DIVIDE(CAST(SUM(quality_score) AS NUMERIC), CAST(COUNT(*) AS NUMERIC)), 2) AS quality_score
FROM sale
GROUP BY sale_date, category, country, payment_method, currency;
COMMIT TRANSACTION;
