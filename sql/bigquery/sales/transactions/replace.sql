-- Replace every copy of a refeed's rows in sales.transactions by one; a row of a newer feed stays as it is.
-- Parameters: feed_id, days (every day that a row of the feed is on or ever left). ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each refeed, in place of the merge, which would leave a doubled row doubled.
MERGE INTO sales.transactions AS t
USING (
    WITH newer AS (
        SELECT transaction_id
        FROM sales.transactions
        WHERE sale_date IN UNNEST(@days)
            AND feed_id > @feed_id
    )

    SELECT
        comes,
        f.transaction_id,
        f.sale_date,
        f.occurred_at,
        f.last_event_at,
        f.user_key,
        f.country,
        f.age_group,
        f.customer_tier,
        f.product_key,
        f.product_id,
        f.product_name,
        f.category,
        f.supplier_id,
        f.list_price,
        f.currency,
        f.payment_method,
        f.status,
        f.amount,
        f.rate,
        f.amount_base,
        f.gross,
        f.refunds,
        f.net,
        f.gross_base,
        f.refunds_base,
        f.net_base,
        f.is_guest,
        f.is_late,
        f.flags,
        f.quality_score,
        f.source_chunk,
        f.source_line
    FROM ${feed} AS f
    CROSS JOIN UNNEST([FALSE, TRUE]) AS comes
    LEFT JOIN newer AS n
        ON comes
        AND f.transaction_id = n.transaction_id
    WHERE n.transaction_id IS NULL
) AS s
    ON NOT s.comes
    AND t.transaction_id = s.transaction_id
    AND t.sale_date IN UNNEST(@days)
    AND t.feed_id <= @feed_id
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED AND s.comes THEN INSERT (
    transaction_id,
    sale_date,
    occurred_at,
    last_event_at,
    user_key,
    country,
    age_group,
    customer_tier,
    product_key,
    product_id,
    product_name,
    category,
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
    is_guest,
    is_late,
    flags,
    quality_score,
    source_chunk,
    source_line,
    feed_id
) VALUES (
    s.transaction_id,
    s.sale_date,
    s.occurred_at,
    s.last_event_at,
    s.user_key,
    s.country,
    s.age_group,
    s.customer_tier,
    s.product_key,
    s.product_id,
    s.product_name,
    s.category,
    s.supplier_id,
    s.list_price,
    s.currency,
    s.payment_method,
    s.status,
    s.amount,
    s.rate,
    s.amount_base,
    s.gross,
    s.refunds,
    s.net,
    s.gross_base,
    s.refunds_base,
    s.net_base,
    s.is_guest,
    s.is_late,
    s.flags,
    s.quality_score,
    s.source_chunk,
    s.source_line,
    @feed_id
)
