-- How far a source was extracted.
-- Parameters: source
-- Result: watermark, full_at; no row before the first extraction
SELECT
    watermark,
    full_at
FROM pipeline.extraction_watermark
WHERE source = :source
