-- A row version holds for reference versions from known_since (inclusive) to superseded_by (exclusive; null: still).
CREATE TABLE IF NOT EXISTS customers (
    tenant TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    name TEXT NOT NULL,
    owner_path TEXT NOT NULL,
    cycle_day BIGINT NOT NULL,
    time_zone TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, customer_id, known_since)
);

CREATE TABLE IF NOT EXISTS plans (
    tenant TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    name TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, plan_id, known_since)
);
