-- Where the sales of the whole months that the period touches are booked: by month of sale and of booking.
-- Parameters: first_day, last_day, currency, most
-- Result: one row per month of sale, month of booking, entry and currency; its columns are in catalogue.yaml
SELECT
    DATE_TRUNC(sale_date, MONTH) AS sale_month,
    DATE_TRUNC(booking_date, MONTH) AS booking_month,
    entry,
    is_closed,
    currency,
    SUM(transactions) AS transactions,
    SUM(gross) AS gross,
    SUM(refunds) AS refunds,
    SUM(net) AS net,
    SUM(net_base) AS net_base,
    SUM(transactions_without_rate) AS transactions_without_rate
FROM marts.financial_reports
WHERE sale_date >= DATE_TRUNC(@first_day, MONTH)
    AND sale_date < DATE_ADD(DATE_TRUNC(@last_day, MONTH), INTERVAL 1 MONTH)
    AND (@currency = '' OR currency = @currency)
GROUP BY sale_month, booking_month, entry, is_closed, currency
ORDER BY sale_month, booking_month, entry, is_closed, currency
LIMIT @most
