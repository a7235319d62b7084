-- Products whose last observed stock covers at most so many days at the pace of the period; the shortest cover first.
-- Parameters: first_day, last_day, category, most_cover, most
-- Result: one row per product; its columns are in catalogue.yaml
WITH seen AS (
    SELECT
        product_id,
        ARRAY_AGG(product_name IGNORE NULLS ORDER BY sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS product_name,
        ARRAY_AGG(category ORDER BY sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS category,
        ARRAY_AGG(inventory_count IGNORE NULLS ORDER BY sale_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS inventory_count,
        MAX(IF(inventory_count IS NULL, NULL, sale_date)) AS observed_on,
        -- An order of unknown units counts as one, the least it can be.
        SUM(units + orders - transactions_with_units) AS least_units
    FROM marts.product_performance
    WHERE sale_date BETWEEN @first_day AND @last_day
        AND (@category = '' OR category = @category)
    GROUP BY product_id
),

covered AS (
    SELECT
        product_id,
        product_name,
        category,
        inventory_count,
        observed_on,
        least_units,
        ROUND(
            SAFE_DIVIDE(
                CAST(inventory_count * (DATE_DIFF(@last_day, @first_day, DAY) + 1) AS NUMERIC),
                CAST(least_units AS NUMERIC)
            ),
            1
        ) AS days_of_cover
    FROM seen
)

SELECT
    product_id,
    product_name,
    category,
    inventory_count,
    observed_on,
    least_units,
    days_of_cover
FROM covered
WHERE days_of_cover <= CAST(@most_cover AS NUMERIC)
ORDER BY days_of_cover, least_units DESC, product_id
LIMIT @most
