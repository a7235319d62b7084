-- The group roles, without a login: one for each function that talks to Postgres, one for each kind of person, and
-- watched, whose statements pgaudit logs. Users get them in give_members.sql; what they may do is in grant_*.sql.
-- On Cloud SQL only cloudsqlsuperuser may make roles: the migrator is a member, and takes its place for this.
DO $$
DECLARE
    wanted text;
BEGIN
    IF NOT (SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
        SET LOCAL ROLE cloudsqlsuperuser;
    END IF;
    FOREACH wanted IN ARRAY ARRAY[
        'receive_upload', 'load_postgres', 'enrich', 'load_warehouse', 'build_marts', 'extract_products', 'watch_schema',
        'redrive', 'replay_quarantine', 'close_month', 'check_quality', 'reconcile', 'watch_queries', 'notify',
        'auditor', 'operator', 'privacy_officer', 'watched'
    ]
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_' || wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'sluice_' || wanted);
        END IF;
    END LOOP;
END $$;

-- Others' statements in pg_stat_statements. Where it may not be given, watch_queries tells of its own ones alone.
DO $$
BEGIN
    GRANT pg_read_all_stats TO sluice_watch_queries;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'pg_read_all_stats cannot be given here: watch_queries sees its own statements only';
END $$;
RESET ROLE;

-- Where the server has them. pgaudit watches nothing in a database without it.
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN
        SELECT name
        FROM pg_available_extensions
        WHERE name IN ('pgaudit', 'pg_stat_statements') AND installed_version IS NULL
              AND current_setting('shared_preload_libraries') ~ name
    LOOP
        EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I', found);
    END LOOP;
END $$;
