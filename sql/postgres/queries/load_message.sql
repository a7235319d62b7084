-- Loads a stream message of valid transactions in one round trip; to be called in autocommit.
-- Parameters: :chunk_id, :day, :received, the place of its bytes, :profile (JSON) and :lines, COPY text without header or escapes.
-- Result: one row, whether it was loaded now, and the counts.
SELECT
    loaded_now,
    (counts).received,
    (counts).inserted,
    (counts).updated,
    (counts).unchanged,
    (counts).superseded,
    (counts).quarantined,
    (counts).held
FROM pipeline.load_message(:chunk_id, :day, :received, :bucket, :object_name, :generation, CAST(:profile AS jsonb), :lines);
