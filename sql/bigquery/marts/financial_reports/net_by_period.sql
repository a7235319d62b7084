-- Rows and money of the mart by day of sale, adjustments included, for verify.
-- Parameters: first_day, last_day
-- Result: period, transactions, net
SELECT
    f.sale_date AS period,
    SUM(f.transactions) AS transactions,
    SUM(f.net_base) AS net
FROM marts.financial_reports AS f
WHERE f.sale_date BETWEEN @first_day AND @last_day
GROUP BY period
HAVING SUM(f.transactions) != 0 OR SUM(f.net_base) != NUMERIC '0'
ORDER BY period
