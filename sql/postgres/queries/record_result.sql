-- Puts on record what an operator's order came to.
-- Parameters: action_id, result (JSON)
-- Result: none
INSERT INTO audit.operator_result (action_id, result)
VALUES (:action_id, CAST(:result AS jsonb))
ON CONFLICT (action_id) DO NOTHING
