-- Where usage goes that comes when a cycle of the customer is closed: `next`, `correct`, or nothing for what the configuration says.
CREATE TABLE IF NOT EXISTS late_rules (
    tenant TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    late_usage TEXT NOT NULL,
    known_since BIGINT NOT NULL,
    superseded_by BIGINT,
    PRIMARY KEY (tenant, customer_id, known_since)
);
