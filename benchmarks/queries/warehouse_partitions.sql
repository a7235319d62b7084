-- Number and size of some partitions of a table of the warehouse.
-- Parameters: name, first, last (partition ids). ${dataset} is the table's dataset.
-- Result: partitions, size (bytes)
SELECT
    COUNT(*) AS partitions,
    SUM(total_logical_bytes) AS size
FROM ${dataset}.INFORMATION_SCHEMA.PARTITIONS
WHERE table_name = @name
    AND partition_id BETWEEN @first AND @last
