-- The products that changed since the position; made to stand in COPY (…) TO STDOUT.
-- Parameters: :position; 0 takes every product.
-- Result: one row a product.
SELECT
    product_key,
    product_id,
    name,
    category,
    price,
    inventory_count,
    supplier_id,
    inferred
FROM commerce.products
WHERE change_seq >= :position
