-- All that names a person, and nothing else: deleting a row here makes its user_key mean nothing.
CREATE SCHEMA identity;

CREATE TABLE identity.contact (
    user_key   int PRIMARY KEY REFERENCES commerce.users DEFERRABLE INITIALLY DEFERRED,
    email      text,
    extra      jsonb,                                     -- unknown fields of a users file may name a person too
    hash_salt  uuid NOT NULL DEFAULT gen_random_uuid(),   -- key of this person's hashes in the audit; goes with the row
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identity.credential (
    user_key        int PRIMARY KEY REFERENCES commerce.users DEFERRABLE INITIALLY DEFERRED,
    password_hash   text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    failed_attempts int NOT NULL DEFAULT 0 CHECK (failed_attempts >= 0),
    locked_until    timestamptz,
    last_login_at   timestamptz
);
