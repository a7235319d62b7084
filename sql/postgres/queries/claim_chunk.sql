-- Claims a chunk for this transaction; a second delivery of it waits here for the first.
-- Parameters: what the ledger keeps of a chunk (see pipeline.chunk); a registered chunk must have the same :received.
-- Result: one row, the key; null where the chunk was loaded, or is held and :decision is not the operator's.
SELECT pipeline.claim(
    :chunk_id, :file_id, :source, :ordinal, :day, :received, :bucket, :object_name, :generation, :byte_offset,
    :byte_length, :first_line, CAST(:profile AS jsonb), :decision, :landed_at
);
