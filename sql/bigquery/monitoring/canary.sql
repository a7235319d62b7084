-- Whether a canary of `sluice doctor` is among the facts, and whether the mart has all canaries of its day.
-- Parameters: day, transaction_id
-- Result: arrived (0 or 1), facts and summed (canaries of the day in sales.transactions and in the mart)
WITH fact AS (
    SELECT
        COUNTIF(transaction_id = @transaction_id) AS arrived,
        COUNT(*) AS facts
    FROM sales.transactions
    WHERE sale_date = @day AND product_id = 'sluice-canary'
),

mart AS (
    SELECT IFNULL(SUM(transactions), 0) AS summed
    FROM marts.daily_sales_summary
    WHERE sale_date = @day AND category = 'sluice-canary'
)

SELECT
    f.arrived,
    f.facts,
    m.summed
FROM fact AS f
CROSS JOIN mart AS m
