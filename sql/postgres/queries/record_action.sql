-- Puts an operator's order on record; a known request id is the same order again.
-- Parameters: request_id, operator, action, filters (JSON), details (JSON)
-- Result: action_id, same (whether what is on record is this order), result (null: it was never finished)
WITH fresh AS (
    INSERT INTO audit.operator_action (request_id, operator, action, filters, details)
    VALUES (:request_id, :operator, :action, CAST(:filters AS jsonb), CAST(:details AS jsonb))
    ON CONFLICT (request_id) DO NOTHING
    RETURNING action_id
)

SELECT
    action_id,
    true AS same,
    CAST(NULL AS jsonb) AS result
FROM fresh
UNION ALL
SELECT
    a.action_id,
    (a.action, a.filters, a.details) = (:action, CAST(:filters AS jsonb), CAST(:details AS jsonb)) AS same,
    r.result
FROM audit.operator_action AS a
LEFT JOIN audit.operator_result AS r USING (action_id)
WHERE a.request_id = :request_id AND NOT EXISTS (SELECT FROM fresh)
