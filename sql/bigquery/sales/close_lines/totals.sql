-- What BigQuery has of one close, to be compared with what the close wrote.
-- Parameters: period, first_day, last_day
-- Result: one row: line_count, transactions, gross_base, refunds_base, transactions_without_rate
SELECT
    COUNT(*) AS line_count,
    IFNULL(SUM(transactions), 0) AS transactions,
    IFNULL(SUM(gross_base), NUMERIC '0') AS gross_base,
    IFNULL(SUM(refunds_base), NUMERIC '0') AS refunds_base,
    IFNULL(SUM(transactions_without_rate), 0) AS transactions_without_rate
FROM sales.close_lines
WHERE sale_date BETWEEN @first_day AND @last_day
    AND period = @period
