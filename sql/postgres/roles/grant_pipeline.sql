-- The ledger: each function writes the tables of its own stage and reads those of the others that it asks for.
GRANT USAGE ON SCHEMA pipeline TO
    sluice_receive_upload, sluice_load_postgres, sluice_enrich, sluice_load_warehouse, sluice_build_marts,
    sluice_extract_products, sluice_watch_schema, sluice_redrive, sluice_replay_quarantine, sluice_close_month,
    sluice_check_quality, sluice_reconcile, sluice_watch_queries, sluice_notify, sluice_auditor, sluice_operator;

-- Files, chunks and the rows that were refused.
GRANT SELECT, INSERT, UPDATE ON pipeline.file TO sluice_receive_upload;
GRANT SELECT, INSERT ON pipeline.chunk TO sluice_receive_upload;
GRANT SELECT, INSERT, UPDATE ON pipeline.chunk TO sluice_load_postgres;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.quarantined_row TO sluice_load_postgres;
GRANT SELECT, INSERT, UPDATE ON pipeline.replayed_row TO sluice_load_postgres;
GRANT SELECT, INSERT ON pipeline.moved_day TO sluice_load_postgres;
GRANT SELECT ON
    pipeline.file, pipeline.staged_transaction, pipeline.staged_user, pipeline.staged_product, pipeline.staged_fx_rate,
    pipeline.staged_bad
TO sluice_load_postgres;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pipeline TO sluice_load_postgres;
GRANT SELECT ON pipeline.file, pipeline.chunk, pipeline.quarantined_row, pipeline.replayed_row TO
    sluice_replay_quarantine, sluice_check_quality, sluice_reconcile, sluice_close_month;
GRANT UPDATE (decision, decided_at, decided_by) ON pipeline.chunk TO sluice_replay_quarantine;
GRANT UPDATE (discarded_at, discarded_by, discarded_why) ON pipeline.quarantined_row TO sluice_replay_quarantine;
GRANT SELECT ON pipeline.moved_day TO sluice_enrich, sluice_check_quality, sluice_reconcile;

-- Feeds.
GRANT SELECT, INSERT, UPDATE ON pipeline.feed_batch, pipeline.feed_position TO sluice_enrich;
GRANT SELECT, UPDATE ON SEQUENCE pipeline.feed_batch_feed_id_seq TO sluice_enrich;
GRANT SELECT, UPDATE ON pipeline.refeed_order TO sluice_enrich;
GRANT SELECT ON pipeline.chunk TO sluice_enrich;
GRANT SELECT, UPDATE ON pipeline.feed_batch TO sluice_load_warehouse, sluice_build_marts;
GRANT SELECT ON pipeline.feed_batch, pipeline.feed_position, pipeline.refeed_order, pipeline.mart_dirty TO
    sluice_reconcile, sluice_close_month;

-- Marts and the jobs of BigQuery.
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.mart_dirty TO sluice_build_marts;
GRANT USAGE ON SEQUENCE pipeline.mart_mark TO sluice_build_marts;
GRANT SELECT, INSERT, UPDATE ON pipeline.mart_build TO sluice_build_marts;
GRANT SELECT, INSERT, UPDATE ON pipeline.warehouse_job TO
    sluice_load_warehouse, sluice_build_marts, sluice_check_quality, sluice_watch_queries;

-- What watches.
GRANT SELECT, INSERT, UPDATE ON pipeline.extraction, pipeline.extraction_watermark TO sluice_extract_products;
GRANT SELECT, INSERT, UPDATE ON pipeline.schema_drift, pipeline.schema_baseline TO sluice_watch_schema;
GRANT SELECT ON pipeline.chunk TO sluice_watch_schema;
GRANT UPDATE (drift_recorded) ON pipeline.chunk TO sluice_watch_schema;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.quality_result TO sluice_check_quality, sluice_reconcile;
GRANT SELECT, INSERT, UPDATE ON pipeline.quality_watermark TO sluice_check_quality;
GRANT SELECT, INSERT, DELETE ON pipeline.outlier TO sluice_check_quality;
GRANT SELECT, INSERT, UPDATE ON pipeline.query_stat, pipeline.query_watermark, pipeline.statement_seen TO
    sluice_watch_queries;

-- Alerts: a stage raises and publishes, notify delivers.
GRANT SELECT, INSERT, UPDATE ON pipeline.alert TO
    sluice_load_postgres, sluice_build_marts, sluice_extract_products, sluice_watch_schema, sluice_redrive,
    sluice_check_quality, sluice_reconcile, sluice_watch_queries;
GRANT SELECT ON pipeline.alert TO sluice_notify;
GRANT UPDATE (delivered_at, refused_status) ON pipeline.alert TO sluice_notify;

-- People. An operator orders a feed or a mart anew and accepts drift; held chunks and quarantine are decided on by
-- replay_quarantine, which puts the order on record.
GRANT SELECT ON ALL TABLES IN SCHEMA pipeline TO sluice_auditor, sluice_operator;
GRANT INSERT ON pipeline.refeed_order TO sluice_operator;
GRANT INSERT, UPDATE ON pipeline.mart_dirty TO sluice_operator;
GRANT USAGE ON SEQUENCE pipeline.mart_mark TO sluice_operator;
GRANT UPDATE (accepted_at, accepted_by) ON pipeline.schema_drift TO sluice_operator;
