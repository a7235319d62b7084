-- Say that periods of marts are out of date; one that is marked already gets a newer mark and waits since its first.
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
    urgent = d.urgent OR excluded.urgent
