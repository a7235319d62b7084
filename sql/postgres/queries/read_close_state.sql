-- What decides which month may be closed.
-- Parameters: none
-- Result: first_sale, first_closed, last_closed, base_currency of the last close (each null: none)
SELECT
    (SELECT min(sale_date) FROM commerce.transactions) AS first_sale,
    (SELECT min(period) FROM finance.close) AS first_closed,
    (SELECT max(period) FROM finance.close) AS last_closed,
    (SELECT base_currency FROM finance.close ORDER BY period DESC LIMIT 1) AS base_currency
