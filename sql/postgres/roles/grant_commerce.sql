-- The shop. load_postgres alone writes; everybody else reads.
GRANT USAGE ON SCHEMA commerce TO
    sluice_load_postgres, sluice_enrich, sluice_check_quality, sluice_reconcile, sluice_close_month,
    sluice_auditor, sluice_operator, sluice_privacy_officer;

GRANT SELECT, INSERT, UPDATE ON
    commerce.users, commerce.products, commerce.transactions, commerce.fx_rates, commerce.inventory_level
TO sluice_load_postgres;
-- History is woven anew where an older fact arrives.
GRANT SELECT, INSERT, UPDATE, DELETE ON commerce.user_version, commerce.product_version TO sluice_load_postgres;
GRANT USAGE ON SEQUENCE commerce.users_user_key_seq, commerce.products_product_key_seq TO sluice_load_postgres;

GRANT SELECT ON
    commerce.users, commerce.user_version, commerce.products, commerce.product_version, commerce.transactions,
    commerce.fx_rates, commerce.inventory_level
TO sluice_enrich, sluice_auditor, sluice_operator, sluice_privacy_officer;
GRANT SELECT ON commerce.users, commerce.products, commerce.transactions TO sluice_check_quality;
GRANT SELECT ON commerce.users, commerce.products, commerce.transactions, commerce.fx_rates TO sluice_reconcile;
GRANT SELECT ON
    commerce.users, commerce.user_version, commerce.products, commerce.product_version, commerce.transactions,
    commerce.fx_rates
TO sluice_close_month;

-- What a sale's money counts as.
GRANT EXECUTE ON FUNCTION commerce.rate_on, commerce.revenue TO
    sluice_enrich, sluice_close_month, sluice_auditor, sluice_operator;
