-- The audit. Nobody writes audit.change: its triggers do, as the owner (migration 0025). Orders are put on record by what
-- carries them out, and only added.
GRANT USAGE ON SCHEMA audit TO
    sluice_replay_quarantine, sluice_close_month, sluice_auditor, sluice_operator, sluice_privacy_officer;

GRANT SELECT, INSERT ON audit.operator_action, audit.operator_result TO
    sluice_replay_quarantine, sluice_close_month, sluice_operator;
GRANT SELECT ON audit.operator_action, audit.operator_result TO sluice_auditor;
GRANT SELECT ON audit.change TO sluice_auditor, sluice_privacy_officer;
