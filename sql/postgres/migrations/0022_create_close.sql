-- The month-end close: what was booked for each month, append-only (docs/close.md). The database itself refuses every change
-- of what was closed; a later change of a sale is booked as an adjustment by the close of a later month.
CREATE SCHEMA finance;

-- What a transaction's money counts as, the one place of the rule: enrich and the close both read it from here.
-- Inlined by the planner: a set-returning SQL function of one SELECT costs nothing.
CREATE FUNCTION commerce.rate_on(p_currency char(3), p_day date, p_base_currency text)
RETURNS TABLE (rate numeric) LANGUAGE sql STABLE AS $$
    -- The rate of the day, or the last known one before it; no row where none is known.
    SELECT CASE WHEN p_currency = p_base_currency THEN 1 ELSE x.rate END
    FROM (SELECT 1) AS one
    LEFT JOIN LATERAL (
        SELECT r.rate
        FROM commerce.fx_rates AS r
        WHERE r.currency = p_currency AND r.rate_date <= p_day
        ORDER BY r.rate_date DESC
        LIMIT 1
    ) AS x ON true
$$;

CREATE FUNCTION commerce.revenue(p_status text, p_amount numeric, p_rate numeric)
RETURNS TABLE (
    amount_base numeric, gross numeric, refunds numeric, net numeric,
    gross_base numeric, refunds_base numeric, net_base numeric
) LANGUAGE sql IMMUTABLE AS $$
    -- gross: the positive amounts of completed and refunded rows; refunds: all amounts of refunded rows. Base amounts are
    -- rounded to cents row by row, and null where no rate is known.
    SELECT
        b.amount_base,
        p_amount * b.is_gross,
        abs(p_amount) * b.is_refund,
        p_amount * b.is_gross - abs(p_amount) * b.is_refund,
        b.amount_base * b.is_gross,
        abs(b.amount_base) * b.is_refund,
        b.amount_base * b.is_gross - abs(b.amount_base) * b.is_refund
    FROM (
        SELECT
            round(p_amount * p_rate, 2) AS amount_base,
            CASE WHEN p_status IN ('completed', 'refunded') AND p_amount > 0 THEN 1 ELSE 0 END AS is_gross,
            CASE WHEN p_status = 'refunded' THEN 1 ELSE 0 END AS is_refund
    ) AS b
$$;

CREATE TABLE finance.close (
    period                    date PRIMARY KEY CHECK (extract(day FROM period) = 1),
    action_id                 bigint NOT NULL UNIQUE REFERENCES audit.operator_action,
    closed_at                 timestamptz NOT NULL DEFAULT now(),
    closed_xid                xid8 NOT NULL DEFAULT pg_current_xact_id(),  -- lines come with their close or never
    operator                  text NOT NULL,
    base_currency             char(3) NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    lines                     int NOT NULL CHECK (lines >= 0),
    adjustments               int NOT NULL CHECK (adjustments BETWEEN 0 AND lines),
    transactions              bigint NOT NULL,            -- this and what follows: sums over the lines of the period
    gross_base                numeric(24,2) NOT NULL,
    refunds_base              numeric(24,2) NOT NULL,
    net_base                  numeric(24,2) NOT NULL,
    transactions_without_rate bigint NOT NULL,
    published_at              timestamptz,                -- the lines are in BigQuery
    CHECK (net_base = gross_base - refunds_base)
);

CREATE TABLE finance.close_line (
    period                    date NOT NULL REFERENCES finance.close,
    sale_date                 date NOT NULL,
    entry                     text COLLATE "C" NOT NULL,
    currency                  char(3) NOT NULL,
    payment_method            text COLLATE "C" NOT NULL,
    status                    text COLLATE "C" NOT NULL,
    transactions              bigint NOT NULL,
    amount                    numeric(24,4) NOT NULL,
    gross                     numeric(24,4) NOT NULL,
    refunds                   numeric(24,4) NOT NULL,
    net                       numeric(24,4) NOT NULL,
    gross_base                numeric(24,2) NOT NULL,
    refunds_base              numeric(24,2) NOT NULL,
    net_base                  numeric(24,2) NOT NULL,
    rate                      numeric(18,8),
    transactions_without_rate bigint NOT NULL,
    PRIMARY KEY (period, sale_date, entry, currency, payment_method, status),
    CHECK (
        (entry = 'sale' AND sale_date >= period AND sale_date < period + interval '1 month')
        OR (entry = 'adjustment' AND sale_date < period)
    ),
    CHECK (net = gross - refunds AND net_base = gross_base - refunds_base),
    CHECK (
        (transactions, transactions_without_rate) <> (0, 0)
        OR (amount, gross, refunds, gross_base, refunds_base) <> (0, 0, 0, 0, 0)
    )
);

-- What was reconciled when the period was closed: every day of sale up to its end, in each store, by currency.
CREATE TABLE finance.close_total (
    period       date NOT NULL REFERENCES finance.close,
    store        text COLLATE "C" NOT NULL CHECK (store IN ('postgres', 'bigquery', 'mart', 'lines')),
    currency     char(3) NOT NULL,
    transactions bigint NOT NULL,
    amount       numeric(24,4) NOT NULL,
    PRIMARY KEY (period, store, currency)
);

CREATE FUNCTION finance.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: a closed month never changes; what changed is booked by the next close',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER refuse BEFORE DELETE OR TRUNCATE ON finance.close
    FOR EACH STATEMENT EXECUTE FUNCTION finance.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON finance.close_line
    FOR EACH STATEMENT EXECUTE FUNCTION finance.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON finance.close_total
    FOR EACH STATEMENT EXECUTE FUNCTION finance.refuse();

-- Of a close only published_at may be set, once.
CREATE TRIGGER refuse_change BEFORE UPDATE ON finance.close
    FOR EACH ROW
    WHEN (
        OLD.published_at IS NOT NULL OR NEW.published_at IS NULL
        OR to_jsonb(NEW) - 'published_at' <> to_jsonb(OLD) - 'published_at'
    )
    EXECUTE FUNCTION finance.refuse();

CREATE FUNCTION finance.keep_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest date := (SELECT max(period) FROM finance.close);
BEGIN
    IF NEW.period <> newest + interval '1 month' THEN
        RAISE EXCEPTION 'period % does not follow %, the last one closed: months close in order, without a gap',
            NEW.period, newest USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_order BEFORE INSERT ON finance.close
    FOR EACH ROW EXECUTE FUNCTION finance.keep_order();

-- A closed period takes no line more: lines and totals are written by the transaction that writes the close.
CREATE FUNCTION finance.refuse_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows JOIN finance.close USING (period) WHERE closed_xid <> pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'INSERT on %.% is refused: the period is closed', TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_later AFTER INSERT ON finance.close_line
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION finance.refuse_later();
CREATE TRIGGER refuse_later AFTER INSERT ON finance.close_total
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION finance.refuse_later();
