-- Every reference import that acted, in arrival order: the greatest arrival is the reference version.
CREATE TABLE IF NOT EXISTS imports (
    tenant TEXT NOT NULL,
    arrival BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    row_count BIGINT NOT NULL
);
