-- What each user bought in the months of the given days; the guests of a month are one row.
-- Parameters: days (every day of the months)
-- Result: the columns of the mart. Run by build_marts into a staging table.
WITH sale AS (
    SELECT
        DATE_TRUNC(sale_date, MONTH) AS month,
        user_key,
        IFNULL(category, 'unknown') AS category,
        transaction_id,
        occurred_at,
        status,
        gross,
        gross_base,
        refunds_base,
        net_base,
        rate,
        customer_tier,
        country
    FROM sales.transactions
    WHERE sale_date IN UNNEST(@days)
),

by_category AS (
    SELECT
        month,
        user_key,
        category,
        COUNT(*) AS transactions,
        COUNTIF(gross > 0) AS orders,
        COUNTIF(status = 'refunded') AS refunded_transactions,
        IFNULL(SUM(gross_base), NUMERIC '0') AS gross_base,
        IFNULL(SUM(refunds_base), NUMERIC '0') AS refunds_base,
        IFNULL(SUM(net_base), NUMERIC '0') AS net_base,
        MIN(IF(gross > 0, occurred_at, NULL)) AS first_order_at,
        MAX(IF(gross > 0, occurred_at, NULL)) AS last_order_at,
        COUNTIF(rate IS NULL) AS transactions_without_rate
    FROM sale
    GROUP BY month, user_key, category
),

by_user AS (
    SELECT
        month,
        user_key,
        SUM(transactions) AS transactions,
        SUM(orders) AS orders,
        SUM(refunded_transactions) AS refunded_transactions,
        SUM(gross_base) AS gross_base,
        SUM(refunds_base) AS refunds_base,
        SUM(net_base) AS net_base,
        MIN(first_order_at) AS first_order_at,
        MAX(last_order_at) AS last_order_at,
        -- A category with money but without an order is one of credit notes: with it the sum is that of the row.
        ARRAY_AGG(
            IF(
                orders > 0 OR net_base <> 0,
                STRUCT(category AS category, orders AS orders, net_base AS net_base),
                NULL
            )
            IGNORE NULLS
            ORDER BY category
        ) AS categories,
        SUM(transactions_without_rate) AS transactions_without_rate
    FROM by_category
    GROUP BY month, user_key
),

latest AS (
    SELECT
        month,
        user_key,
        customer_tier,
        country
    FROM sale
    WHERE user_key IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY month, user_key ORDER BY occurred_at DESC, transaction_id DESC) = 1
)

SELECT
    u.month,
    u.user_key,
    u.user_key IS NULL AS is_guest,
    u.transactions,
    u.orders,
    u.refunded_transactions,
    u.gross_base,
    u.refunds_base,
    u.net_base,
    u.first_order_at,
    u.last_order_at,
    u.categories,
    l.customer_tier,
    l.country,
    u.transactions_without_rate
FROM by_user AS u
LEFT JOIN latest AS l ON u.month = l.month AND u.user_key = l.user_key
