-- The books. close_month adds, build_marts notes once that a close is published, nobody else writes; no role may change or
-- delete what was booked, and what the triggers refuse they refuse the owner too.
GRANT USAGE ON SCHEMA finance TO
    sluice_close_month, sluice_build_marts, sluice_auditor, sluice_operator, sluice_watched;

GRANT SELECT, INSERT ON finance.close, finance.close_line, finance.close_total TO sluice_close_month;
GRANT SELECT ON finance.close, finance.close_line TO sluice_build_marts;
GRANT UPDATE (published_at) ON finance.close TO sluice_build_marts;
GRANT SELECT ON finance.close, finance.close_line, finance.close_total TO sluice_auditor, sluice_operator;

GRANT INSERT, UPDATE, DELETE ON finance.close, finance.close_line, finance.close_total TO sluice_watched;
