-- Where a bad row lies in its source file, and what validate saw of a chunk's fields: counts and types, never values.
ALTER TABLE pipeline.quarantined_row
    ADD COLUMN source_offset bigint,                      -- first byte in the (expanded) file; null: a stream message
    ADD COLUMN source_length bigint;
ALTER TABLE pipeline.staged_bad
    ADD COLUMN source_offset bigint,
    ADD COLUMN source_length bigint;
ALTER TABLE pipeline.chunk
    ADD COLUMN profile jsonb;                             -- shared.messages.Profile; null before it is validated

DROP FUNCTION pipeline.claim(text, text, text, int, date, int, text, text, bigint, bigint, bigint, bigint);
CREATE FUNCTION pipeline.claim(
    p_chunk_id text, p_file_id text, p_source text, p_ordinal int, p_day date, p_received int, p_bucket text,
    p_object text, p_generation bigint, p_offset bigint, p_length bigint, p_first_line bigint, p_profile jsonb
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    mine  bigint;
    known int;
BEGIN
    INSERT INTO pipeline.chunk AS c (chunk_id, file_id, source, ordinal, day, received, bucket, object_name,
                                     generation, byte_offset, byte_length, first_line, profile)
    VALUES (p_chunk_id, p_file_id, p_source, p_ordinal, p_day, p_received, p_bucket, p_object,
            p_generation, p_offset, p_length, p_first_line, p_profile)
    ON CONFLICT (chunk_id) DO UPDATE SET profile = p_profile WHERE c.state = 'registered'
    RETURNING chunk_key, received INTO mine, known;
    IF known <> p_received THEN
        RAISE EXCEPTION 'chunk % was registered with % rows, but % were validated', p_chunk_id, known, p_received
            USING ERRCODE = 'data_exception';
    END IF;
    RETURN mine;
END $$;

CREATE OR REPLACE FUNCTION pipeline.finish_chunk(
    p_chunk_key bigint, p_inserted bigint, p_updated bigint, p_unchanged bigint, p_superseded bigint, p_conflicts bigint
) RETURNS pipeline.chunk LANGUAGE plpgsql AS $$
DECLARE
    bad    int;
    result pipeline.chunk;
BEGIN
    INSERT INTO pipeline.quarantined_row (chunk_key, line, reason, fields, row_id, raw_object, raw_offset, raw_length,
                                          source_offset, source_length)
    SELECT p_chunk_key, line, reason, fields, row_id, raw_object, raw_offset, raw_length, source_offset, source_length
    FROM pg_temp.staged_bad;
    GET DIAGNOSTICS bad = ROW_COUNT;
    UPDATE pipeline.chunk
    SET state = 'loaded', loaded_xid = pg_current_xact_id()::text::bigint, loaded_at = now(), valid = received - bad,
        inserted = p_inserted, updated = p_updated, unchanged = p_unchanged, superseded = p_superseded,
        quarantined = bad + p_conflicts
    WHERE chunk_key = p_chunk_key
    RETURNING * INTO STRICT result;
    RETURN result;
END $$;

DROP FUNCTION pipeline.load_message(text, date, int, text, text, bigint, text);
CREATE FUNCTION pipeline.load_message(
    p_chunk_id text, p_day date, p_received int, p_bucket text, p_object text, p_generation bigint, p_profile jsonb,
    p_lines text
) RETURNS TABLE (loaded_now bool, counts pipeline.chunk) LANGUAGE plpgsql AS $$
DECLARE
    mine bigint := pipeline.claim(p_chunk_id, NULL, 'transactions', 0, p_day, p_received, p_bucket, p_object,
                                  p_generation, NULL, NULL, 1, p_profile);
BEGIN
    loaded_now := mine IS NOT NULL;
    IF NOT loaded_now THEN
        SELECT c.* FROM pipeline.chunk c WHERE c.chunk_id = p_chunk_id INTO STRICT counts;
        RETURN NEXT;
        RETURN;
    END IF;
    IF strpos(replace(p_lines, '\N', ''), '\') > 0 THEN
        RAISE EXCEPTION 'load_message takes no COPY escapes; use COPY' USING ERRCODE = 'feature_not_supported';
    END IF;
    INSERT INTO pg_temp.staged_transaction
    SELECT f[1]::int, f[2]::timestamptz, f[3]::smallint, f[4]::uuid, f[5]::int, f[6], f[7], f[8], f[9]::numeric, f[10],
           f[11], f[12], f[13]::jsonb
    FROM (SELECT string_to_array(l, E'\t', '\N') FROM string_to_table(rtrim(p_lines, E'\n'), E'\n') l) x (f);
    counts := pipeline.load_transactions(mine);
    RETURN NEXT;
END $$;
