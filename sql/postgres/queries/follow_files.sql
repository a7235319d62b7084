-- How far some files are.
-- Parameters: file_ids (array)
-- Result: received, settled (rows with a final outcome, held ones too), finished (files), rejected (files)
SELECT
    coalesce(sum(f.rows_received), 0) AS received,
    coalesce(sum(c.settled), 0) AS settled,
    count(*) FILTER (WHERE f.state = 'rejected' OR (f.state = 'cut' AND c.open = 0)) AS finished,
    count(*) FILTER (WHERE f.state = 'rejected') AS rejected
FROM pipeline.file AS f
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(received) FILTER (WHERE state <> 'registered'), 0) AS settled,
        count(*) FILTER (WHERE state = 'registered') AS open
    FROM pipeline.chunk
    WHERE file_id = f.file_id
) AS c
WHERE f.file_id = ANY(CAST(:file_ids AS text []))
