-- Everything up to a position is measured.
-- Parameters: position, day
-- Result: none
UPDATE pipeline.quality_watermark
SET
    position = CAST(:position AS bigint),
    ran_on = :day
