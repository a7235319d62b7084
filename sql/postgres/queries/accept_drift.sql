-- An operator knows of the drift of a field: it is not shown as open any more.
-- Parameters: source, field, operator
-- Result: state and json_type of each finding that was accepted now
UPDATE pipeline.schema_drift
SET
    accepted_at = now(),
    accepted_by = :operator
WHERE source = :source AND field = :field AND accepted_at IS NULL
RETURNING state, json_type
