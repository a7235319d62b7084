-- Refuse a file as a whole, also one that was gone before it could be registered.
-- Parameters: file_id, bucket, object_name, generation, reason, told
-- Result: none
INSERT INTO pipeline.file (
    file_id, bucket, object_name, generation, size, landed_at, state, reason, told, finished_at
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
    now()
)
ON CONFLICT (file_id) DO UPDATE SET
    state = 'rejected',
    reason = excluded.reason,
    told = excluded.told,
    finished_at = excluded.finished_at
