-- The days on which a refeed must clear away and the mart must be built anew, whatever Postgres has on them.
-- Parameters: feed_id of the refeed, first_day, last_day (its scope)
-- Result: sale_date
SELECT sale_date
FROM sales.transactions
WHERE sale_date BETWEEN @first_day AND @last_day
    AND feed_id < @feed_id
UNION DISTINCT
SELECT sale_date
FROM marts.daily_sales_summary
WHERE sale_date BETWEEN @first_day AND @last_day
