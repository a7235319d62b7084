-- Rows and money of the mart by day, for verify.
-- Parameters: first_day, last_day
-- Result: period, transactions, net
SELECT
    p.sale_date AS period,
    SUM(p.transactions) AS transactions,
    SUM(p.net_base) AS net
FROM marts.product_performance AS p
WHERE p.sale_date BETWEEN @first_day AND @last_day
GROUP BY period
HAVING SUM(p.transactions) > 0
ORDER BY period
