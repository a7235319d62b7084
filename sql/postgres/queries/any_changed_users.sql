-- Whether a user changed since the position.
-- Parameters: position
-- Result: true or false
SELECT exists(SELECT FROM commerce.users WHERE change_seq >= :position) AS changed
