-- Customers by segment of recency, frequency and money over the twelve months to the newest one of the mart.
-- Parameters: country, most
-- Result: one row per segment; its columns are in catalogue.yaml
WITH summed AS (
    SELECT
        segment,
        as_of_month,
        COUNT(*) AS customers,
        SUM(orders) AS orders,
        SUM(net_base) AS net_base
    FROM marts.customer_segments
    WHERE @country = '' OR country = @country
    GROUP BY segment, as_of_month
)

SELECT
    segment,
    as_of_month,
    customers,
    orders,
    net_base,
    IF(SUM(net_base) OVER () > 0, ROUND(SAFE_DIVIDE(net_base, SUM(net_base) OVER ()), 4), NULL) AS share_of_net
FROM summed
ORDER BY net_base DESC, segment
LIMIT @most
