-- The selected transactions, joined with what was true at the time of sale; made to stand in COPY (…) TO STDOUT.
-- Parameters: :base_currency; reads feed_transaction.
-- Result: one row a transaction; base amounts are null where no rate is known. Rates and revenue: migration 0022.
WITH rate AS MATERIALIZED (
    -- Looked up once for each currency and day.
    SELECT
        d.currency,
        d.sale_date,
        r.rate
    FROM (
        SELECT DISTINCT
            t.currency,
            t.sale_date
        FROM pg_temp.feed_transaction AS f
        INNER JOIN commerce.transactions AS t USING (transaction_id)
    ) AS d
    CROSS JOIN LATERAL commerce.rate_on(d.currency, d.sale_date, :base_currency) AS r
),

joined AS (
    SELECT
        t.*,
        p.product_id,
        p.inferred AS product_inferred,
        uv.user_key IS NOT NULL AS user_known,
        uv.country AS user_country,
        uv.age_group AS user_age_group,
        uv.customer_tier AS user_tier,
        pv.name AS product_name,
        pv.category AS product_category,
        pv.price AS list_price,
        pv.supplier_id,
        r.rate,
        m.amount_base,
        m.gross,
        m.refunds,
        m.net,
        m.gross_base,
        m.refunds_base,
        m.net_base,
        coalesce(c.chunk_id, 'key ' || t.source_chunk) AS chunk_id -- where the ledger has it not, as total_chunks
    FROM pg_temp.feed_transaction AS f
    INNER JOIN commerce.transactions AS t USING (transaction_id)
    INNER JOIN commerce.products AS p USING (product_key)
    LEFT JOIN commerce.user_version AS uv
        ON uv.user_key = t.user_key AND t.occurred_at >= uv.valid_from AND t.occurred_at < uv.valid_to
    LEFT JOIN commerce.product_version AS pv
        ON pv.product_key = t.product_key AND t.occurred_at >= pv.valid_from AND t.occurred_at < pv.valid_to
    LEFT JOIN rate AS r ON r.currency = t.currency AND r.sale_date = t.sale_date
    LEFT JOIN pipeline.chunk AS c ON c.chunk_key = t.source_chunk
    CROSS JOIN LATERAL commerce.revenue(t.status, t.amount, r.rate) AS m
),

flagged AS (
    SELECT
        *,
        -- A price can be checked only where the sale is in the base currency, in which products are listed. The quantity
        -- is not known: an amount fits when it is one or more whole list prices, to within half a cent.
        flags
        | CASE WHEN user_key IS NOT NULL AND NOT user_known THEN 16 ELSE 0 END
        | CASE WHEN product_inferred THEN 32 ELSE 0 END
        | CASE
            WHEN
                currency = :base_currency AND list_price > 0 AND (
                    round(abs(amount) / list_price) < 1
                    OR abs(abs(amount) - round(abs(amount) / list_price) * list_price) > 0.005
                )
                THEN 64
            ELSE 0
        END
        | CASE WHEN rate IS NULL THEN 128 ELSE 0 END AS all_flags
    FROM joined
)

SELECT
    transaction_id,
    sale_date,
    occurred_at,
    last_event_at,
    user_key,
    user_country AS country,
    user_age_group AS age_group,
    user_tier AS customer_tier,
    product_key,
    product_id,
    product_name,
    product_category AS category,
    supplier_id,
    list_price,
    currency,
    payment_method,
    status,
    amount,
    rate,
    amount_base,
    gross,
    refunds,
    net,
    gross_base,
    refunds_base,
    net_base,
    user_key IS NULL AS is_guest,
    all_flags & 8 <> 0 AS is_late,
    all_flags AS flags,
    -- Quality: 100 less a weight for each flag; the weights sum to 100, what the money rests on weighs most.
    100
    - CASE WHEN all_flags & 1 <> 0 THEN 5 ELSE 0 END    -- naive time
    - CASE WHEN all_flags & 2 <> 0 THEN 10 ELSE 0 END   -- guest
    - CASE WHEN all_flags & 4 <> 0 THEN 10 ELSE 0 END   -- other payment method
    - CASE WHEN all_flags & 8 <> 0 THEN 10 ELSE 0 END   -- late
    - CASE WHEN all_flags & 16 <> 0 THEN 15 ELSE 0 END  -- inferred user
    - CASE WHEN all_flags & 32 <> 0 THEN 15 ELSE 0 END  -- inferred product
    - CASE WHEN all_flags & 64 <> 0 THEN 15 ELSE 0 END  -- price mismatch
    - CASE WHEN all_flags & 128 <> 0 THEN 15 ELSE 0 END -- missing rate
    - CASE WHEN all_flags & 256 <> 0 THEN 5 ELSE 0 END  -- ambiguous date
    AS quality_score,
    chunk_id AS source_chunk,
    source_line
FROM flagged
