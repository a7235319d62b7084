-- Makes the list of lines that a close will write, empty; it lives as long as the database transaction.
-- Parameters: none
-- Result: none
CREATE TEMP TABLE close_draft (LIKE finance.close_line) ON COMMIT DROP
