-- What was sold on the given days, by category, country, payment method and currency.
-- Parameters: days, base_currency
-- Result: the columns of the mart. Run by build_marts into a staging table.
WITH sale AS (
    SELECT
        sale_date,
        IFNULL(category, 'unknown') AS category,
        IFNULL(country, 'unknown') AS country,
        payment_method,
        currency,
        amount,
        list_price,
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
        quality_score,
        CASE
            WHEN currency = @base_currency AND list_price > 0 AND gross > 0
                THEN ROUND(SAFE_DIVIDE(amount, list_price))
        END AS whole
    FROM sales.transactions
    WHERE sale_date IN UNNEST(@days)
),

counted AS (
    -- The units of an order are known where its amount is one or more whole list prices, to within half a cent.
    SELECT
        sale_date,
        category,
        country,
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
        quality_score,
        CASE
            WHEN whole >= 1 AND ABS(amount - whole * list_price) <= NUMERIC '0.005' THEN CAST(whole AS INT64)
        END AS units
    FROM sale
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
    IFNULL(SUM(units), 0) AS units,
    COUNT(units) AS transactions_with_units,
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
FROM counted
GROUP BY sale_date, category, country, payment_method, currency
