-- A source is extracted up to a time; full_at is null for an increment.
-- Parameters: source, watermark, full_at
-- Result: none
INSERT INTO pipeline.extraction_watermark (source, watermark, full_at)
VALUES (:source, :watermark, :full_at)
ON CONFLICT (source) DO UPDATE SET
    watermark = greatest(extraction_watermark.watermark, excluded.watermark),
    full_at = coalesce(excluded.full_at, extraction_watermark.full_at),
    extracted_at = now()
