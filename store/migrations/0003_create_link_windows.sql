-- Who has an identifier from an instant on (microseconds UTC). A null end means: until the next window begins.
CREATE TABLE IF NOT EXISTS link_windows (
    tenant TEXT NOT NULL,
    identifier_kind TEXT NOT NULL,
    identifier BIGINT NOT NULL,
    valid_from_us BIGINT NOT NULL,
    valid_to_us BIGINT,
    device_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, identifier_kind, identifier, valid_from_us, known_since)
);
