-- Whether a product changed since the position.
-- Parameters: position
-- Result: true or false
SELECT exists(SELECT FROM commerce.products WHERE change_seq >= :position) AS changed
