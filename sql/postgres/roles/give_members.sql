-- Gives the roles to their users and takes them from everybody else. The setting sluice.members, made for this
-- transaction, is a JSON object: role without its prefix => users.
DO $$
DECLARE
    members jsonb := current_setting('sluice.members')::jsonb;
    unknown text  := (SELECT string_agg(role, ', ') FROM jsonb_object_keys(members) AS k (role)
                      WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_' || role));
    missing text  := (SELECT string_agg(DISTINCT u.name, ', ') FROM jsonb_each(members) AS m (role, users)
                      CROSS JOIN LATERAL jsonb_array_elements_text(m.users) AS u (name)
                      WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = u.name));
    one     record;
BEGIN
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'no such role: %; the roles are in sql/postgres/roles/create_roles.sql', unknown
            USING ERRCODE = 'undefined_object';
    END IF;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'no such user: %; Terraform makes the users of the database', missing
            USING ERRCODE = 'undefined_object';
    END IF;
    IF NOT (SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
        SET LOCAL ROLE cloudsqlsuperuser;
    END IF;
    FOR one IN
        SELECT 'sluice_' || m.role AS role, u.name
        FROM jsonb_each(members) AS m (role, users)
        CROSS JOIN LATERAL jsonb_array_elements_text(m.users) AS u (name)
    LOOP
        EXECUTE format('GRANT %I TO %I', one.role, one.name);
    END LOOP;
    FOR one IN
        SELECT r.rolname AS role, u.rolname AS name
        FROM pg_auth_members AS a
        JOIN pg_roles AS r ON r.oid = a.roleid
        JOIN pg_roles AS u ON u.oid = a.member
        WHERE r.rolname LIKE 'sluice\_%' AND NOT a.admin_option  -- who made a role administers it
              AND NOT coalesce(members -> substr(r.rolname, 8) ? u.rolname, false)
    LOOP
        EXECUTE format('REVOKE %I FROM %I', one.role, one.name);
    END LOOP;
END $$;
RESET ROLE;
