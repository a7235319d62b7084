-- What was given back of the sales of each day, and its share of their gross revenue.
-- Parameters: first_day, last_day, currency, most
-- Result: one row per day of sale; its columns are in catalogue.yaml
WITH booked AS (
    SELECT
        sale_date,
        SUM(IF(status = 'refunded', transactions, 0)) AS refunded_transactions,
        SUM(gross_base) AS gross_base,
        SUM(refunds_base) AS refunds_base,
        SUM(transactions_without_rate) AS transactions_without_rate
    FROM marts.financial_reports
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND (@currency = '' OR currency = @currency)
    GROUP BY sale_date
)

SELECT
    sale_date,
    refunded_transactions,
    gross_base,
    refunds_base,
    ROUND(SAFE_DIVIDE(refunds_base, gross_base), 4) AS refund_rate,
    transactions_without_rate
FROM booked
ORDER BY sale_date
LIMIT @most
