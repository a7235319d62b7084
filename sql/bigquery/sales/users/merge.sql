-- Merge one feed into sales.users; an older feed never overwrites a newer one.
-- Parameters: feed_id. ${feed} is the feed's staging table.
-- Run by load_warehouse, once for each feed.
MERGE INTO sales.users AS t
USING (
    SELECT
        user_key,
        registration_month,
        country,
        age_group,
        customer_tier,
        inferred
    FROM ${feed}
) AS s
    ON t.user_key = s.user_key
WHEN MATCHED AND @feed_id > t.feed_id THEN
    UPDATE SET
        registration_month = s.registration_month,
        country = s.country,
        age_group = s.age_group,
        customer_tier = s.customer_tier,
        inferred = s.inferred,
        feed_id = @feed_id
WHEN NOT MATCHED THEN INSERT (
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
