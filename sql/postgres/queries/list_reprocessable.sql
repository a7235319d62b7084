-- Landed files of a source and some days that can be processed once more, rejected ones too.
-- Parameters: source, first_day, last_day (of landing)
-- Result: bucket, object_name, generation, next_pass, rows
SELECT
    f.bucket,
    f.object_name,
    f.generation,
    1 + greatest(f.pass, (SELECT max(again.pass) FROM pipeline.file AS again WHERE again.reprocess_of = f.file_id)) AS next_pass,
    f.rows_received AS rows
FROM pipeline.file AS f
WHERE
    f.pass = 0
    AND coalesce(f.source, split_part(f.object_name, '/', 1)) = :source
    AND f.landed_at >= CAST(:first_day AS date)::timestamp AT TIME ZONE 'UTC'
    AND f.landed_at < (CAST(:last_day AS date) + 1)::timestamp AT TIME ZONE 'UTC'
ORDER BY f.landed_at, f.file_id
