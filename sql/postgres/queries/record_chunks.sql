-- Register the chunks of a file; their rows are pending from here on. Chunks that are known stay as they are.
-- Parameters: chunks (a JSON array of objects with the columns below)
-- Result: none
INSERT INTO pipeline.chunk (
    chunk_id, file_id, source, ordinal, day, bucket, object_name, generation, byte_offset, byte_length, first_line,
    received
)
SELECT
    chunk_id,
    file_id,
    source,
    ordinal,
    day,
    bucket,
    object_name,
    generation,
    byte_offset,
    byte_length,
    first_line,
    received
FROM jsonb_to_recordset(CAST(:chunks AS jsonb)) AS c (
    chunk_id text, file_id text, source text, ordinal int, day date, bucket text, object_name text, generation bigint,
    byte_offset bigint, byte_length bigint, first_line bigint, received int
)
ORDER BY ordinal
ON CONFLICT (chunk_id) DO NOTHING
