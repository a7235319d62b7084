-- What is booked for the given days of sale: of an open day what stands, of a closed one its lines and later changes.
-- Parameters: days, open_day (first day of the open month; every earlier day is closed)
-- Result: the columns of the mart; the rows of a day sum to what stands on it. Run by build_marts into a staging table.
WITH live AS (
    SELECT
        sale_date,
        currency,
        payment_method,
        status,
        COUNT(*) AS transactions,
        SUM(amount) AS amount,
        SUM(gross) AS gross,
        SUM(refunds) AS refunds,
        SUM(net) AS net,
        IFNULL(SUM(gross_base), NUMERIC '0') AS gross_base,
        IFNULL(SUM(refunds_base), NUMERIC '0') AS refunds_base,
        IFNULL(SUM(net_base), NUMERIC '0') AS net_base,
        MAX(rate) AS rate,
        COUNTIF(rate IS NULL) AS transactions_without_rate
    FROM sales.transactions
    WHERE sale_date IN UNNEST(@days)
    GROUP BY sale_date, currency, payment_method, status
),

line AS (
    SELECT
        sale_date,
        IF(entry = 'sale', sale_date, period) AS booking_date,
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
    FROM sales.close_lines
    WHERE sale_date IN UNNEST(@days)
        AND sale_date < @open_day
        AND period < @open_day
),

change AS (
    -- What stands now with its sign, what is booked against it: where nothing changed the sum is nought.
    SELECT
        sale_date,
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
    FROM live
    WHERE sale_date < @open_day
    UNION ALL
    SELECT
        sale_date,
        currency,
        payment_method,
        status,
        -transactions AS transactions,
        -amount AS amount,
        -gross AS gross,
        -refunds AS refunds,
        -net AS net,
        -gross_base AS gross_base,
        -refunds_base AS refunds_base,
        -net_base AS net_base,
        CAST(NULL AS NUMERIC) AS rate,
        -transactions_without_rate AS transactions_without_rate
    FROM line
),

adjustment AS (
    SELECT
        sale_date,
        currency,
        payment_method,
        status,
        SUM(transactions) AS transactions,
        SUM(amount) AS amount,
        SUM(gross) AS gross,
        SUM(refunds) AS refunds,
        SUM(net) AS net,
        SUM(gross_base) AS gross_base,
        SUM(refunds_base) AS refunds_base,
        SUM(net_base) AS net_base,
        MAX(rate) AS rate,
        SUM(transactions_without_rate) AS transactions_without_rate
    FROM change
    GROUP BY sale_date, currency, payment_method, status
)

SELECT
    sale_date,
    sale_date AS booking_date,
    'sale' AS entry,
    FALSE AS is_closed,
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
FROM live
WHERE sale_date >= @open_day
UNION ALL
SELECT
    sale_date,
    booking_date,
    entry,
    TRUE AS is_closed,
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
FROM line
UNION ALL
SELECT
    sale_date,
    @open_day AS booking_date,
    'adjustment' AS entry,
    FALSE AS is_closed,
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
FROM adjustment
WHERE transactions <> 0
    OR amount <> 0
    OR gross <> 0
    OR refunds <> 0
    OR net <> 0
    OR gross_base <> 0
    OR refunds_base <> 0
    OR net_base <> 0
    OR transactions_without_rate <> 0
