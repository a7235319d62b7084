-- Made-up sales for the bench of the reports: the columns of sales.transactions in their order; equal on every run.
-- Parameters: first_row, last_row, days, first_day
-- Result: one row per transaction; products by a long tail, a country's own currency, 3 % refunded, 10 % guests
WITH drawn AS (
    SELECT
        n,
        hash(n, 1) % 1000000 / 1000000.0 AS product_draw,
        hash(n, 2) % 1000000 / 1000000.0 AS user_draw,
        hash(n, 3) % 100 AS country_draw,
        hash(n, 4) % 100 AS method_draw,
        hash(n, 5) % 100 AS status_draw,
        hash(n, 6) % :days AS day_draw,
        hash(n, 7) % 86400 AS second_draw,
        hash(n, 8) % 100 AS late_draw,
        CAST(hash(n, 9) % 3 + 1 AS INTEGER) AS quantity
    FROM range(:first_row, :last_row) AS rows (n)
),
placed AS (
    SELECT
        *,
        1 + CAST(floor(10000 * pow(product_draw, 2)) AS BIGINT) AS product_key,
        CASE
            WHEN user_draw >= 0.1 THEN 1 + CAST(floor(50000 * pow((user_draw - 0.1) / 0.9, 2)) AS BIGINT)
        END AS user_key,
        ['GB', 'GB', 'GB', 'DE', 'DE', 'US', 'US', 'FR', 'NL', 'ES', 'IT', 'CA', 'IE', 'BE', 'AT', 'SE'][
            CAST(country_draw % 16 + 1 AS INTEGER)
        ] AS country,
        CAST(:first_day AS DATE) + CAST(day_draw AS INTEGER) AS sale_date
    FROM drawn
),
priced AS (
    SELECT
        *,
        CAST((500 + hash(product_key, 10) % 9500) / 100 AS DECIMAL(18, 2)) AS list_price,
        CASE
            WHEN country = 'GB' THEN 'GBP'
            WHEN country IN ('US', 'CA') THEN 'USD'
            WHEN country = 'SE' THEN 'SEK'
            ELSE 'EUR'
        END AS currency,
        CASE
            WHEN status_draw < 3 THEN 'refunded'
            WHEN status_draw < 93 THEN 'completed'
            WHEN status_draw < 96 THEN 'failed'
            WHEN status_draw < 98 THEN 'cancelled'
            ELSE 'pending'
        END AS status
    FROM placed
),
summed AS (
    SELECT
        *,
        CAST(list_price * quantity AS DECIMAL(18, 2)) AS amount,
        CAST(
            CASE currency WHEN 'GBP' THEN 1 WHEN 'EUR' THEN 0.86 WHEN 'USD' THEN 0.79 ELSE 0.075 END AS DECIMAL(9, 6)
        ) AS rate,
        CAST(
            CASE WHEN status IN ('completed', 'refunded') THEN list_price * quantity ELSE 0 END AS DECIMAL(18, 2)
        ) AS gross,
        CAST(CASE WHEN status = 'refunded' THEN list_price * quantity ELSE 0 END AS DECIMAL(18, 2)) AS refunds
    FROM priced
)
SELECT
    'bench-' || n AS transaction_id,
    sale_date,
    CAST(sale_date AS TIMESTAMP) + to_seconds(CAST(second_draw AS BIGINT)) AS occurred_at,
    CAST(sale_date AS TIMESTAMP) + to_seconds(CAST(second_draw AS BIGINT)) AS last_event_at,
    user_key,
    country,
    CAST(NULL AS VARCHAR) AS age_group,
    CASE WHEN user_key IS NOT NULL THEN ['bronze', 'silver', 'gold'][user_key % 3 + 1] END AS customer_tier,
    product_key,
    'P-' || product_key AS product_id,
    'Product ' || product_key AS product_name,
    'Category ' || (product_key % 20) AS category,
    'S-' || (product_key % 50) AS supplier_id,
    list_price,
    currency,
    CASE
        WHEN method_draw < 55 THEN 'card'
        WHEN method_draw < 80 THEN 'paypal'
        WHEN method_draw < 90 THEN 'bank_transfer'
        WHEN method_draw < 96 THEN 'wallet'
        ELSE 'invoice'
    END AS payment_method,
    status,
    amount,
    rate,
    CAST(amount * rate AS DECIMAL(18, 2)) AS amount_base,
    gross,
    refunds,
    gross - refunds AS net,
    CAST(gross * rate AS DECIMAL(18, 2)) AS gross_base,
    CAST(refunds * rate AS DECIMAL(18, 2)) AS refunds_base,
    CAST(gross * rate AS DECIMAL(18, 2)) - CAST(refunds * rate AS DECIMAL(18, 2)) AS net_base,
    user_key IS NULL AS is_guest,
    late_draw < 2 AS is_late,
    CAST(0 AS BIGINT) AS flags,
    CAST(100 - late_draw % 10 AS BIGINT) AS quality_score,
    'bench' AS source_chunk,
    n AS source_line,
    CAST(1 AS BIGINT) AS feed_id
FROM summed
