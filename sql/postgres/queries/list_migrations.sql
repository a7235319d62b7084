-- The migrations that were applied to this database.
-- Parameters: none
-- Result: version, name, checksum
SELECT
    version,
    name,
    checksum
FROM public.schema_migration
ORDER BY version
