-- Fills close_draft: for every day of sale up to the month's end what the sales are now, less what is booked of them already.
-- Parameters: period, next_period (first days of the month and of the one after it), base_currency
-- Result: none
INSERT INTO pg_temp.close_draft (
    period,
    sale_date,
    entry,
    currency,
    payment_method,
    status,
    transactions,
    amount,
    gross,
    refunds,
    net,
    gross_base,
    refunds_base,
    net_base,
    rate,
    transactions_without_rate
)
WITH rate AS MATERIALIZED (
    SELECT
        d.currency,
        d.sale_date,
        r.rate
    FROM (
        SELECT DISTINCT
            currency,
            sale_date
        FROM commerce.transactions
        WHERE sale_date < :next_period
    ) AS d
    CROSS JOIN LATERAL commerce.rate_on(d.currency, d.sale_date, :base_currency) AS r
),

live AS (
    SELECT
        t.sale_date,
        t.currency,
        t.payment_method,
        t.status,
        count(*) AS transactions,
        sum(t.amount) AS amount,
        sum(m.gross) AS gross,
        sum(m.refunds) AS refunds,
        coalesce(sum(m.gross_base), 0) AS gross_base,
        coalesce(sum(m.refunds_base), 0) AS refunds_base,
        max(r.rate) AS rate,
        count(*) FILTER (WHERE r.rate IS NULL) AS transactions_without_rate
    FROM commerce.transactions AS t
    INNER JOIN rate AS r ON r.currency = t.currency AND r.sale_date = t.sale_date
    CROSS JOIN LATERAL commerce.revenue(t.status, t.amount, r.rate) AS m
    WHERE t.sale_date < :next_period
    GROUP BY t.sale_date, t.currency, t.payment_method, t.status
),

booked AS (
    SELECT
        sale_date,
        currency,
        payment_method,
        status,
        sum(transactions) AS transactions,
        sum(amount) AS amount,
        sum(gross) AS gross,
        sum(refunds) AS refunds,
        sum(gross_base) AS gross_base,
        sum(refunds_base) AS refunds_base,
        sum(transactions_without_rate) AS transactions_without_rate
    FROM finance.close_line
    GROUP BY sale_date, currency, payment_method, status
),

difference AS (
    SELECT
        sale_date,
        currency,
        payment_method,
        status,
        coalesce(l.transactions, 0) - coalesce(b.transactions, 0) AS transactions,
        coalesce(l.amount, 0) - coalesce(b.amount, 0) AS amount,
        coalesce(l.gross, 0) - coalesce(b.gross, 0) AS gross,
        coalesce(l.refunds, 0) - coalesce(b.refunds, 0) AS refunds,
        coalesce(l.gross_base, 0) - coalesce(b.gross_base, 0) AS gross_base,
        coalesce(l.refunds_base, 0) - coalesce(b.refunds_base, 0) AS refunds_base,
        l.rate,
        coalesce(l.transactions_without_rate, 0) - coalesce(b.transactions_without_rate, 0) AS transactions_without_rate
    FROM live AS l
    FULL JOIN booked AS b USING (sale_date, currency, payment_method, status)
)

SELECT
    :period AS period,
    sale_date,
    CASE WHEN sale_date >= :period THEN 'sale' ELSE 'adjustment' END AS entry,
    currency,
    payment_method,
    status,
    transactions,
    amount,
    gross,
    refunds,
    gross - refunds AS net,
    gross_base,
    refunds_base,
    gross_base - refunds_base AS net_base,
    rate,
    transactions_without_rate
FROM difference
WHERE
    (transactions, transactions_without_rate) <> (0, 0)
    OR (amount, gross, refunds, gross_base, refunds_base) <> (0, 0, 0, 0, 0)
