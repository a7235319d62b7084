-- Say that periods of marts are out of date; a period that is marked already gets a newer mark.
-- Parameters: marts, periods (of the same length), urgent
-- Result: none
INSERT INTO pipeline.mart_dirty AS d (mart, period, urgent)
SELECT
    mart,
    period,
    CAST(:urgent AS bool)
FROM unnest(CAST(:marts AS text[]), CAST(:periods AS date[])) AS m (mart, period)
ORDER BY
    mart,
    period
ON CONFLICT (mart, period) DO UPDATE SET
    marked = excluded.marked,
    marked_at = excluded.marked_at,
    urgent = d.urgent OR excluded.urgent
