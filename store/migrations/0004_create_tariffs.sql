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
