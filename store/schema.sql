-- The sum of all migrations; a test proves it. Change a table with a new migration, then here.

-- Every reference import that acted, in arrival order: the greatest arrival is the reference version.
CREATE TABLE IF NOT EXISTS imports (
    tenant TEXT NOT NULL,
    arrival BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    row_count BIGINT NOT NULL
);

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

-- Tariff bundles: the TOML and its companion files as one JSON text, hashed. Their effective dates are inside.
CREATE TABLE IF NOT EXISTS tariffs (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    bundle TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, name, known_since)
);

-- When a customer or plan ends (microseconds UTC), by the list that said so or no longer named it. A null end takes one back.
CREATE TABLE IF NOT EXISTS ends (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    valid_to_us BIGINT,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, kind, id, known_since)
);

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

-- Which group a line (a subscription) is in from an instant on (microseconds UTC). A null end means: until its next row.
CREATE TABLE IF NOT EXISTS group_members (
    tenant TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    valid_from_us BIGINT NOT NULL,
    valid_to_us BIGINT,
    group_id TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, subscription_id, valid_from_us, known_since)
);

-- Where usage goes that comes when a cycle of the customer is closed: `next`, `correct`, or nothing for what the configuration says.
CREATE TABLE IF NOT EXISTS late_rules (
    tenant TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    late_usage TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, customer_id, known_since)
);
