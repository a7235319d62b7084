-- Days of sale before an open day of which the mart has rows that are not closed: a close moves their booking.
-- Parameters: first_day, open_day
-- Result: sale_date
SELECT sale_date
FROM marts.financial_reports
WHERE sale_date >= @first_day
    AND sale_date < @open_day
    AND NOT is_closed
GROUP BY sale_date
ORDER BY sale_date
