-- How many feeds are in each state.
-- Parameters: none
-- Result: state, feeds
SELECT
    state,
    count(*) AS feeds
FROM pipeline.feed_batch
GROUP BY state
ORDER BY state
