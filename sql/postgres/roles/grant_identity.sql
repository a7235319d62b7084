-- What names a person. One function writes it, one kind of person reads it, and pgaudit logs each statement that does.
GRANT USAGE ON SCHEMA identity TO sluice_load_postgres, sluice_privacy_officer, sluice_watched;

GRANT SELECT, INSERT, UPDATE ON identity.contact TO sluice_load_postgres;
GRANT SELECT ON identity.contact TO sluice_privacy_officer;
-- Whether and when, never the hash of a password.
GRANT SELECT (user_key, failed_attempts, locked_until, last_login_at) ON identity.credential TO sluice_privacy_officer;

GRANT SELECT ON identity.contact, identity.credential TO sluice_watched;
