-- Takes everything from everybody, so that grant_*.sql alone says who may do what: a grant that is deleted there is gone
-- with the next run. All in one transaction, so nobody is ever without.
DO $$
DECLARE
    schema_name text;
    roles       text := (SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles WHERE rolname LIKE 'sluice\_%');
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %s', current_database(), roles);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %s', roles);
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    FOREACH schema_name IN ARRAY ARRAY['audit', 'commerce', 'finance', 'identity', 'pipeline'] LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC, %s', schema_name, roles);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM PUBLIC, %s', schema_name, roles);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM PUBLIC, %s', schema_name, roles);
        EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA %I FROM PUBLIC, %s', schema_name, roles);
    END LOOP;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %s', current_database(), roles);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO sluice_load_postgres, sluice_enrich, sluice_close_month',
                   current_database());
END $$;

-- Which migrations are applied.
GRANT SELECT ON public.schema_migration TO sluice_auditor, sluice_operator;
