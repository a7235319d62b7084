-- Register a landed object; one that is known stays as it is.
-- Parameters: file_id, bucket, object_name, generation, size, crc32c, landed_at, pass_number (0: the first), first_pass (its file_id; null: this is it)
-- Result: none
INSERT INTO pipeline.file (file_id, bucket, object_name, generation, size, crc32c, landed_at, pass, reprocess_of)
VALUES (
    :file_id,
    :bucket,
    :object_name,
    :generation,
    :size,
    :crc32c,
    :landed_at,
    :pass_number,
    :first_pass
)
ON CONFLICT (file_id) DO NOTHING
