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
