-- The audit is written by its triggers alone, as the owner: whoever may change a row may write no line of the audit, and
-- can change none without one. changed_by stays the user who is logged in (session_user). A fixed search_path, as for
-- every function that runs with the rights of another.
ALTER FUNCTION audit.record_change() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION audit.record_identity_change() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
