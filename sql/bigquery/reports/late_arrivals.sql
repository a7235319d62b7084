-- Transactions of each day of sale that landed more than a day late, and their share.
-- Parameters: first_day, last_day, currency, most
-- Result: one row per day of sale; its columns are in catalogue.yaml
WITH arrived AS (
    SELECT
        sale_date,
        SUM(transactions) AS transactions,
        SUM(late_transactions) AS late_transactions
    FROM marts.daily_sales_summary
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND (@currency = '' OR currency = @currency)
    GROUP BY sale_date
)

SELECT
    sale_date,
    transactions,
    late_transactions,
    ROUND(SAFE_DIVIDE(CAST(late_transactions AS NUMERIC), CAST(transactions AS NUMERIC)), 4) AS share_late
FROM arrived
ORDER BY sale_date
LIMIT @most
