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
