-- The users that changed since the position, without anything that names a person; made to stand in COPY (…) TO STDOUT.
-- Parameters: :position; 0 takes every user.
-- Result: one row a user.
SELECT
    user_key,
    date_trunc('month', registration_date::timestamp)::date AS registration_month,
    country,
    age_group,
    customer_tier,
    inferred
FROM commerce.users
WHERE change_seq >= :position
