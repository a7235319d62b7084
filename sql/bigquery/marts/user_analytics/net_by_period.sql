-- Rows and money of the mart by month, for verify.
-- Parameters: first_day, last_day
-- Result: period, transactions, net
SELECT
    month AS period,
    SUM(transactions) AS transactions,
    SUM(net_base) AS net
FROM marts.user_analytics
WHERE month BETWEEN @first_day AND @last_day
GROUP BY period
ORDER BY period
