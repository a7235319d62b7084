-- What an upsert decides for users: as for transactions, with one recency for the whole chunk (its file's).
-- An inferred user (version 0) counts as inserted when the first file names it: sum(inserted) is the number of known users.
CREATE FUNCTION pipeline.load_users(p_chunk_key bigint, p_recency timestamptz) RETURNS pipeline.chunk LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    xid bigint := pg_current_xact_id()::text::bigint;
    n   record;
BEGIN
    -- A known user is proposed under the key it has: the identity sequence burns no value for it.
    INSERT INTO commerce.users AS u
          (user_key, user_id, recency, content_hash, registration_date, country, age_group, customer_tier, flags,
           version, source_chunk, source_line, change_seq)
    SELECT coalesce(k.user_key, nextval(pg_get_serial_sequence('commerce.users', 'user_key'))), c.user_id, p_recency,
           c.content_hash, c.registration_date, c.country, c.age_group, c.customer_tier, c.flags, 1, p_chunk_key,
           c.line, xid
    FROM (SELECT DISTINCT ON (user_id) * FROM pg_temp.staged_user ORDER BY user_id, line) c
    LEFT JOIN commerce.users k USING (user_id)
    ORDER BY c.user_id
    ON CONFLICT (user_id) DO UPDATE SET
        (inferred, recency, content_hash, registration_date, country, age_group, customer_tier, flags, version,
         source_chunk, source_line, change_seq)
        = (SELECT false,
                  excluded.recency,
                  CASE WHEN r.other THEN excluded.content_hash ELSE u.content_hash END,
                  CASE WHEN r.other THEN excluded.registration_date ELSE u.registration_date END,
                  CASE WHEN r.other THEN excluded.country ELSE u.country END,
                  CASE WHEN r.other THEN excluded.age_group ELSE u.age_group END,
                  CASE WHEN r.other THEN excluded.customer_tier ELSE u.customer_tier END,
                  CASE WHEN r.other THEN excluded.flags ELSE u.flags END,
                  CASE WHEN r.other THEN u.version + 1 ELSE u.version END,
                  CASE WHEN r.other THEN excluded.source_chunk ELSE u.source_chunk END,
                  CASE WHEN r.other THEN excluded.source_line ELSE u.source_line END,
                  CASE WHEN r.other THEN excluded.change_seq ELSE u.change_seq END
           FROM (SELECT excluded.content_hash IS DISTINCT FROM u.content_hash AS other) r)
    WHERE u.recency IS NULL OR excluded.recency > u.recency;

    INSERT INTO identity.contact AS i (user_key, email, extra)
    SELECT u.user_key, s.email, s.extra
    FROM pg_temp.staged_user s
    JOIN commerce.users u USING (user_id)
    WHERE u.source_chunk = p_chunk_key AND u.source_line = s.line
    ORDER BY u.user_key
    ON CONFLICT (user_key) DO UPDATE SET email = excluded.email, extra = excluded.extra, updated_at = now()
    WHERE (i.email, i.extra) IS DISTINCT FROM (excluded.email, excluded.extra);

    PERFORM pipeline.weave_user_history(p_recency, xid);

    WITH verdict AS (
        SELECT s.line,
               CASE WHEN u.source_chunk = p_chunk_key AND u.source_line = s.line
                    THEN CASE WHEN u.version = 1 THEN 'inserted' ELSE 'updated' END
                    WHEN s.content_hash = u.content_hash THEN 'unchanged'
                    WHEN p_recency < u.recency THEN 'superseded'
                    ELSE 'conflict' END AS outcome
        FROM pg_temp.staged_user s
        JOIN commerce.users u USING (user_id)
    ), quarantined AS (
        INSERT INTO pipeline.quarantined_row (chunk_key, line, reason)
        SELECT p_chunk_key, line, 'conflicting_duplicate' FROM verdict WHERE outcome = 'conflict'
    )
    SELECT count(*) FILTER (WHERE outcome = 'inserted') AS inserted,
           count(*) FILTER (WHERE outcome = 'updated') AS updated,
           count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE outcome = 'superseded') AS superseded,
           count(*) FILTER (WHERE outcome = 'conflict') AS conflicts
    FROM verdict INTO n;
    RETURN pipeline.finish_chunk(p_chunk_key, n.inserted, n.updated, n.unchanged, n.superseded, n.conflicts);
END $$;

-- Weave what this chunk says of its users at its recency into their history: all that was ever seen of a touched user
-- is laid out by recency and equal neighbours become one version. So the order of arrival leaves no trace.
-- A version that was there with the same content keeps its change_seq: it can only have shrunk, and the versions that
-- took its place are new. The rows of commerce.users are locked by now, so nobody weaves at the same user.
CREATE FUNCTION pipeline.weave_user_history(p_recency timestamptz, p_change_seq bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    WITH fresh AS MATERIALIZED (
        SELECT u.user_key, c.country, c.age_group, c.customer_tier
        FROM (SELECT DISTINCT ON (user_id) * FROM pg_temp.staged_user ORDER BY user_id, line) c
        JOIN commerce.users u USING (user_id)
        WHERE NOT EXISTS (SELECT FROM commerce.user_version v
                          WHERE v.user_key = u.user_key AND p_recency = ANY (v.seen))
    ), observation AS (
        SELECT user_key, p_recency AS recency, country, age_group, customer_tier FROM fresh
        UNION ALL
        SELECT v.user_key, s.recency, v.country, v.age_group, v.customer_tier
        FROM fresh f JOIN commerce.user_version v USING (user_key) CROSS JOIN LATERAL unnest(v.seen) s (recency)
    ), marked AS (
        SELECT *,
               row_number() OVER by_time = 1 OR (country, age_group, customer_tier)
               IS DISTINCT FROM (lag(country) OVER by_time, lag(age_group) OVER by_time, lag(customer_tier) OVER by_time)
               AS starts
        FROM observation
        WINDOW by_time AS (PARTITION BY user_key ORDER BY recency)
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE starts) OVER (PARTITION BY user_key ORDER BY recency) AS island FROM marked
    ), version AS (
        SELECT user_key, min(recency) AS recency, array_agg(recency ORDER BY recency) AS seen,
               min(country) AS country, min(age_group) AS age_group, min(customer_tier) AS customer_tier
        FROM numbered
        GROUP BY user_key, island
    ), ranged AS MATERIALIZED (
        SELECT *,
               CASE WHEN row_number() OVER by_time = 1 THEN '-infinity' ELSE recency END AS valid_from,
               coalesce(lead(recency) OVER by_time, 'infinity') AS valid_to
        FROM version
        WINDOW by_time AS (PARTITION BY user_key ORDER BY recency)
    ), gone AS (
        DELETE FROM commerce.user_version v
        USING fresh f
        WHERE v.user_key = f.user_key
          AND NOT EXISTS (SELECT FROM ranged r WHERE r.user_key = v.user_key AND r.recency = v.recency)
    )
    INSERT INTO commerce.user_version AS v
          (user_key, recency, valid_from, valid_to, change_seq, seen, country, age_group, customer_tier)
    SELECT r.user_key, r.recency, r.valid_from, r.valid_to, p_change_seq, r.seen, r.country, r.age_group, r.customer_tier
    FROM ranged r
    ORDER BY r.user_key, r.recency
    ON CONFLICT (user_key, recency) DO UPDATE
    SET valid_from = excluded.valid_from, valid_to = excluded.valid_to, seen = excluded.seen
    WHERE (v.valid_from, v.valid_to, v.seen) IS DISTINCT FROM (excluded.valid_from, excluded.valid_to, excluded.seen);
END $$;
