-- Refuse a file as a whole, also one that was gone before it could be registered.
-- Parameters: file_id, bucket, object_name, generation, reason, told, pass_number (0: the first), first_pass (its file_id; null: this is it)
-- Result: none
INSERT INTO pipeline.file (
    file_id, bucket, object_name, generation, size, landed_at, state, reason, told, finished_at, pass,
    reprocess_of
)
VALUES (
    :file_id,
    :bucket,
    :object_name,
    :generation,
    0,
    now(),
    'rejected',
    :reason,
    :told,
    now(),
    :pass_number,
    :first_pass
)
ON CONFLICT (file_id) DO UPDATE SET
    state = 'rejected',
    reason = excluded.reason,
    told = excluded.told,
    finished_at = excluded.finished_at
