-- How many rows were judged again by an operator's order.
-- Parameters: action_id
-- Result: rows
SELECT count(*) AS rows
FROM pipeline.replayed_row
WHERE action_id = :action_id
