-- How many rows of some replays were judged.
-- Parameters: groups (a JSON array of chunk_id, attempt, lines)
-- Result: rows
SELECT count(*) AS rows
FROM jsonb_to_recordset(CAST(:groups AS jsonb)) AS g (chunk_id text, attempt int, lines jsonb)
CROSS JOIN LATERAL jsonb_array_elements_text(g.lines) AS l (line)
INNER JOIN pipeline.chunk AS c ON c.chunk_id = g.chunk_id
INNER JOIN pipeline.replayed_row AS r
    ON r.chunk_key = c.chunk_key AND r.line = CAST(l.line AS int) AND r.attempt = g.attempt
