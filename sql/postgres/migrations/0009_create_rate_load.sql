-- What an upsert decides for rates of exchange: as for users, keyed by currency and day.
CREATE FUNCTION pipeline.load_fx_rates(p_chunk_key bigint, p_recency timestamptz) RETURNS pipeline.chunk LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid bigint := pg_current_xact_id()::text::bigint;
    n   record;
BEGIN
    INSERT INTO commerce.fx_rates AS r
          (currency, rate_date, rate, recency, content_hash, version, source_chunk, source_line, change_seq)
    SELECT DISTINCT ON (currency, rate_date) currency, rate_date, rate, p_recency, content_hash, 1, p_chunk_key, line, xid
    FROM pg_temp.staged_fx_rate
    ORDER BY currency, rate_date, line
    ON CONFLICT (currency, rate_date) DO UPDATE SET
        recency = excluded.recency,
        (rate, content_hash, version, source_chunk, source_line, change_seq)
        = (SELECT CASE WHEN o.other THEN excluded.rate ELSE r.rate END,
                  CASE WHEN o.other THEN excluded.content_hash ELSE r.content_hash END,
                  CASE WHEN o.other THEN r.version + 1 ELSE r.version END,
                  CASE WHEN o.other THEN excluded.source_chunk ELSE r.source_chunk END,
                  CASE WHEN o.other THEN excluded.source_line ELSE r.source_line END,
                  CASE WHEN o.other THEN excluded.change_seq ELSE r.change_seq END
           FROM (SELECT excluded.content_hash <> r.content_hash AS other) o)
    WHERE excluded.recency > r.recency;

    WITH verdict AS (
        SELECT s.line,
               s.currency || '/' || s.rate_date AS row_id,
               CASE WHEN r.source_chunk = p_chunk_key AND r.source_line = s.line
                    THEN CASE WHEN r.version = 1 THEN 'inserted' ELSE 'updated' END
                    WHEN s.content_hash = r.content_hash THEN 'unchanged'
                    WHEN p_recency < r.recency THEN 'superseded'
                    ELSE 'conflict' END AS outcome
        FROM pg_temp.staged_fx_rate s
        JOIN commerce.fx_rates r USING (currency, rate_date)
    ), quarantined AS (
        INSERT INTO pipeline.quarantined_row (chunk_key, line, reason, row_id)
        SELECT p_chunk_key, line, 'conflicting_duplicate', row_id FROM verdict WHERE outcome = 'conflict'
    )
    SELECT count(*) FILTER (WHERE outcome = 'inserted') AS inserted,
           count(*) FILTER (WHERE outcome = 'updated') AS updated,
           count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE outcome = 'superseded') AS superseded,
           count(*) FILTER (WHERE outcome = 'conflict') AS conflicts
    FROM verdict INTO n;
    RETURN pipeline.finish_chunk(p_chunk_key, n.inserted, n.updated, n.unchanged, n.superseded, n.conflicts);
END $$;
