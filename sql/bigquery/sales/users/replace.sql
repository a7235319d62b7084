-- Replace every copy of a refeed's rows in sales.users by one; a row of a newer feed stays as it is.
-- Parameters: feed_id. ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each refeed, in place of the merge, which would leave a doubled row doubled.
MERGE INTO sales.users AS t
USING (
    WITH newer AS (
        SELECT user_key
        FROM sales.users
        WHERE feed_id > @feed_id
    )

    SELECT
        comes,
        f.user_key,
        f.registration_month,
        f.country,
        f.age_group,
        f.customer_tier,
        f.inferred
    FROM ${feed} AS f
    CROSS JOIN UNNEST([FALSE, TRUE]) AS comes
    LEFT JOIN newer AS n
        ON comes
        AND f.user_key = n.user_key
    WHERE n.user_key IS NULL
) AS s
    ON NOT s.comes
    AND t.user_key = s.user_key
    AND t.feed_id <= @feed_id
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED AND s.comes THEN INSERT (
    user_key,
    registration_month,
    country,
    age_group,
    customer_tier,
    inferred,
    feed_id
) VALUES (
    s.user_key,
    s.registration_month,
    s.country,
    s.age_group,
    s.customer_tier,
    s.inferred,
    @feed_id
)
