-- Who changed what, when, and from which chunk. An insert is not audited: the row itself carries its chunk and line,
-- and its first change keeps the first state as `before`.
CREATE SCHEMA audit;

CREATE TABLE audit.change (
    change_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at   timestamptz NOT NULL DEFAULT now(),
    changed_by   text COLLATE "C" NOT NULL DEFAULT session_user,
    application  text COLLATE "C" NOT NULL DEFAULT current_setting('application_name'),
    change_seq   bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    table_name   text COLLATE "C" NOT NULL,
    row_id       text COLLATE "C" NOT NULL,
    source_chunk bigint,
    before       jsonb,
    after        jsonb
);
CREATE INDEX change_row ON audit.change (row_id, table_name);
CREATE INDEX change_changed_at ON audit.change USING brin (changed_at) WITH (autosummarize = on);

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: the audit is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.change
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- Arguments: the key columns (comma separated), the columns that alone make no change worth a row, the columns that
-- are withheld from the images. EXECUTE plans for the transition tables as they are: a kept plan, made once for an
-- empty one, would run 10,000 rows as a nested loop.
CREATE FUNCTION audit.record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    keys     text := TG_ARGV[0];
    silent   text[] := TG_ARGV[1];
    withheld text[] := TG_ARGV[2];
    name     text := TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN RETURN NULL; END IF;
    IF TG_OP = 'DELETE' THEN
        EXECUTE format($sql$
            INSERT INTO audit.change (table_name, row_id, source_chunk, before)
            SELECT $1, concat_ws('/', %1$s), (to_jsonb(o) ->> 'source_chunk')::bigint, to_jsonb(o) - $2
            FROM old_rows o $sql$, keys) USING name, withheld;
        RETURN NULL;
    END IF;
    EXECUTE format($sql$
        INSERT INTO audit.change (table_name, row_id, source_chunk, before, after)
        SELECT $1, row_id, (after ->> 'source_chunk')::bigint, before - $3, after - $3
        FROM (SELECT concat_ws('/', %1$s) AS row_id, to_jsonb(o) AS before, to_jsonb(n) AS after
              FROM old_rows o FULL JOIN new_rows n USING (%1$s)
              OFFSET 0) pair
        WHERE (before - $2) IS DISTINCT FROM (after - $2) $sql$, keys) USING name, silent, withheld;
    RETURN NULL;
END $$;

DO $$
DECLARE
    audited record;
BEGIN
    FOR audited IN
        SELECT * FROM (VALUES
            ('commerce.users', 'user_key', '{recency}', '{content_hash}'),  -- the hash covers the e-mail: guessable
            ('commerce.user_version', 'user_key, recency', '{seen}', '{}'),
            ('commerce.products', 'product_key', '{recency}', '{}'),
            ('commerce.product_version', 'product_key, recency', '{seen}', '{}'),
            ('commerce.inventory_level', 'product_key, observed_at', '{}', '{}'),
            ('commerce.fx_rates', 'currency, rate_date', '{recency}', '{}'),
            ('commerce.transactions', 'transaction_id', '{last_event_at,last_rank}', '{}')
        ) AS list (name, keys, silent, withheld)
    LOOP
        EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change(%L, %L, %L)',
            audited.name, audited.keys, audited.silent, audited.withheld);
        EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows
            FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change(%L, %L, %L)',
            audited.name, audited.keys, audited.silent, audited.withheld);
    END LOOP;
END $$;

-- HMAC-SHA256 (RFC 2104) of a value under a person's salt. Without the salt nobody can test a guess against it.
CREATE FUNCTION audit.keyed_hash(value text, salt uuid) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    WITH pads AS (
        SELECT decode(string_agg(lpad(to_hex(get_byte(uuid_send(salt), i) # 54), 2, '0'), '' ORDER BY i)
                      || repeat('36', 48), 'hex') AS inner_pad,
               decode(string_agg(lpad(to_hex(get_byte(uuid_send(salt), i) # 92), 2, '0'), '' ORDER BY i)
                      || repeat('5c', 48), 'hex') AS outer_pad
        FROM generate_series(0, 15) i
    )
    SELECT encode(sha256(outer_pad || sha256(inner_pad || convert_to(value, 'UTF8'))), 'hex') FROM pads
$$;

-- Of a person's own data the audit knows which columns changed, and keyed hashes to compare with; never a value.
CREATE FUNCTION audit.record_identity_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO audit.change (table_name, row_id, before, after)
        SELECT name, p.user_key,
               jsonb_object_agg(b.key, audit.keyed_hash(b.value, p.salt) ORDER BY b.key),
               jsonb_object_agg(b.key, audit.keyed_hash(a.value, p.salt) ORDER BY b.key)
        FROM (SELECT o.user_key::text AS user_key, to_jsonb(o) AS before, to_jsonb(n) AS after,
                     coalesce((to_jsonb(o) ->> 'hash_salt')::uuid, c.hash_salt) AS salt
              FROM old_rows o
              JOIN new_rows n USING (user_key)
              LEFT JOIN identity.contact c USING (user_key)) p
        CROSS JOIN LATERAL jsonb_each_text(p.before) b
        JOIN LATERAL jsonb_each_text(p.after) a ON a.key = b.key
        WHERE a.value IS DISTINCT FROM b.value AND b.key <> ALL ('{hash_salt,updated_at}')
        GROUP BY p.user_key;
    ELSE
        INSERT INTO audit.change (table_name, row_id, before)
        SELECT name, p.user_key, jsonb_object_agg(b.key, NULL ORDER BY b.key)  -- the salt goes too: names only
        FROM (SELECT o.user_key::text AS user_key, to_jsonb(o) AS before FROM old_rows o) p
        CROSS JOIN LATERAL jsonb_each_text(p.before) b
        WHERE b.value IS NOT NULL AND b.key <> ALL ('{hash_salt,updated_at}')
        GROUP BY p.user_key;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_update AFTER UPDATE ON identity.contact
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit.record_identity_change();
CREATE TRIGGER audit_delete AFTER DELETE ON identity.contact REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit.record_identity_change();
CREATE TRIGGER audit_update AFTER UPDATE ON identity.credential
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit.record_identity_change();
CREATE TRIGGER audit_delete AFTER DELETE ON identity.credential REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit.record_identity_change();
