-- What BigQuery has of each close, to be compared with what the close wrote.
-- Parameters: first_day, last_day
-- Result: period, line_count, transactions, gross_base, refunds_base, transactions_without_rate
SELECT
    period,
    COUNT(*) AS line_count,
    SUM(transactions) AS transactions,
    SUM(gross_base) AS gross_base,
    SUM(refunds_base) AS refunds_base,
    SUM(transactions_without_rate) AS transactions_without_rate
FROM sales.close_lines
WHERE sale_date BETWEEN @first_day AND @last_day
GROUP BY period
ORDER BY period
