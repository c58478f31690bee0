-- Who pays for a subscription under which plan from an instant on (microseconds UTC). A null end means: until its next row.
CREATE TABLE IF NOT EXISTS subscriptions (
    tenant TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    valid_from_us BIGINT NOT NULL,
    valid_to_us BIGINT,
    customer_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, subscription_id, valid_from_us, known_since)
);
