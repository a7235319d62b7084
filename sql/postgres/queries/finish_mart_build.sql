-- Put on record how a build ended.
-- Parameters: build_id, kept_back (periods whose previous version stands), warned (replaced, but told), told (what failed)
-- Result: none
UPDATE pipeline.mart_build
SET
    ended_at = now(),
    kept_back = CAST(:kept_back AS date[]),
    warned = CAST(:warned AS date[]),
    told = :told
WHERE build_id = :build_id
