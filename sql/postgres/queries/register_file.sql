-- Register a landed object; one that is known stays as it is.
-- Parameters: file_id, bucket, object_name, generation, size, crc32c, landed_at
-- Result: none
INSERT INTO pipeline.file (file_id, bucket, object_name, generation, size, crc32c, landed_at)
VALUES (
    :file_id,
    :bucket,
    :object_name,
    :generation,
    :size,
    :crc32c,
    :landed_at
)
ON CONFLICT (file_id) DO NOTHING
