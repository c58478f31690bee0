//! Every statement over the state, each once, in the SQL that SQLite and `PostgreSQL` share.
//!
//! `$1` parameters of text and 64-bit integers, no types or functions of one side, and no `ORDER BY`: the two sort texts
//! differently, so what must be sorted is sorted by whoever reads it.

/// A statement and what it does, as an error says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// Reads after "failed to".
    pub does: &'static str,
    /// The text.
    pub sql: &'static str,
}

/// A statement that inserts many rows: the text up to `VALUES`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Insert {
    /// Reads after "failed to".
    pub does: &'static str,
    /// Table and columns.
    pub into: &'static str,
}

/// The latest migration that acted.
pub(crate) const SCHEMA_VERSION: Statement =
    Statement { does: "read the schema version", sql: "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success" };

/// $1 arrival.
pub(crate) const ARRIVAL_CONTENT: Statement =
    Statement { does: "look up an arrival", sql: "SELECT content_sha256 FROM imports WHERE arrival = $1" };

/// $1 arrival.
pub(crate) const NOTED_ROWS: Statement =
    Statement { does: "look up the rows of an import", sql: "SELECT row_count FROM imports WHERE arrival = $1" };

/// $1 tenant, $2 version.
pub(crate) const LATEST_ARRIVAL: Statement = Statement {
    does: "read the reference version",
    sql: "SELECT COALESCE(MAX(arrival), 0) FROM imports WHERE tenant = $1 AND arrival <= $2",
};

/// The newest import with its content. $1 tenant.
pub(crate) const LATEST_IMPORT: Statement = Statement {
    does: "read the newest import",
    sql: "SELECT arrival, content_sha256 FROM imports \
          WHERE tenant = $1 AND arrival = (SELECT MAX(arrival) FROM imports WHERE tenant = $1)",
};

/// The import that acted.
pub(crate) const NOTE_IMPORT: Insert =
    Insert { does: "note an import", into: "imports (tenant, arrival, kind, content_sha256, row_count)" };

/// $1 tenant, $2 version.
pub(crate) const CUSTOMERS: Statement = Statement {
    does: "read customers",
    sql: "SELECT customer_id, name, owner_path, cycle_day, time_zone FROM customers \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2)",
};

/// New versions of customers.
pub(crate) const ADD_CUSTOMERS: Insert = Insert {
    does: "write customers",
    into: "customers (tenant, customer_id, name, owner_path, cycle_day, time_zone, known_since)",
};

/// $1 tenant, $2 version.
pub(crate) const LATE_RULES: Statement = Statement {
    does: "read rules for late usage",
    sql: "SELECT customer_id, late_usage FROM late_rules \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2) AND late_usage <> ''",
};

/// New versions of rules for late usage.
pub(crate) const ADD_LATE_RULES: Insert =
    Insert { does: "write rules for late usage", into: "late_rules (tenant, customer_id, late_usage, known_since)" };

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_LATE_RULES: Statement = Statement {
    does: "supersede rules for late usage",
    sql: "UPDATE late_rules SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM late_rules AS newer WHERE newer.tenant = late_rules.tenant \
            AND newer.customer_id = late_rules.customer_id AND newer.known_since = $1)",
};

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_CUSTOMERS: Statement = Statement {
    does: "supersede customers",
    sql: "UPDATE customers SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM customers AS newer WHERE newer.tenant = customers.tenant \
            AND newer.customer_id = customers.customer_id AND newer.known_since = $1)",
};

/// $1 tenant, $2 version.
pub(crate) const PLANS: Statement = Statement {
    does: "read plans",
    sql: "SELECT plan_id, name FROM plans \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2)",
};

/// New versions of plans.
pub(crate) const ADD_PLANS: Insert = Insert { does: "write plans", into: "plans (tenant, plan_id, name, known_since)" };

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_PLANS: Statement = Statement {
    does: "supersede plans",
    sql: "UPDATE plans SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM plans AS newer WHERE newer.tenant = plans.tenant \
            AND newer.plan_id = plans.plan_id AND newer.known_since = $1)",
};

/// Stands between the columns of a row that comes as one text; no name has it, imports refuse control characters.
pub(crate) const UNIT_SEPARATOR: char = '\u{1f}';

/// $1 tenant, $2 version. A row is one text, [`UNIT_SEPARATOR`] between its columns, an open end empty: each value of a row
/// costs the drivers an allocation and a lock, and of these rows there may be millions.
pub(crate) const WINDOWS: Statement = Statement {
    does: "read windows",
    sql: "SELECT identifier_kind || '\u{1f}' || identifier || '\u{1f}' || valid_from_us || '\u{1f}' || \
          COALESCE(CAST(valid_to_us AS TEXT), '') || '\u{1f}' || device_id || '\u{1f}' || subscription_id || '\u{1f}' || \
          customer_id || '\u{1f}' || plan_id || '\u{1f}' || known_since FROM link_windows \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2)",
};

/// New versions of windows.
pub(crate) const ADD_WINDOWS: Insert = Insert {
    does: "write windows",
    into: "link_windows (tenant, identifier_kind, identifier, valid_from_us, valid_to_us, device_id, subscription_id, \
           customer_id, plan_id, known_since)",
};

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_WINDOWS: Statement = Statement {
    does: "supersede windows",
    sql: "UPDATE link_windows SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM link_windows AS newer WHERE newer.tenant = link_windows.tenant \
            AND newer.identifier_kind = link_windows.identifier_kind AND newer.identifier = link_windows.identifier \
            AND newer.valid_from_us = link_windows.valid_from_us AND newer.known_since = $1)",
};

/// $1 tenant, $2 version.
pub(crate) const SUBSCRIPTIONS: Statement = Statement {
    does: "read subscriptions",
    sql: "SELECT subscription_id, valid_from_us, valid_to_us, customer_id, plan_id, known_since FROM subscriptions \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2)",
};

/// New versions of subscriptions.
pub(crate) const ADD_SUBSCRIPTIONS: Insert = Insert {
    does: "write subscriptions",
    into: "subscriptions (tenant, subscription_id, valid_from_us, valid_to_us, customer_id, plan_id, known_since)",
};

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_SUBSCRIPTIONS: Statement = Statement {
    does: "supersede subscriptions",
    sql: "UPDATE subscriptions SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM subscriptions AS newer WHERE newer.tenant = subscriptions.tenant \
            AND newer.subscription_id = subscriptions.subscription_id \
            AND newer.valid_from_us = subscriptions.valid_from_us AND newer.known_since = $1)",
};

/// Lines in groups. $1 tenant, $2 version.
pub(crate) const MEMBERS: Statement = Statement {
    does: "read groups",
    sql: "SELECT subscription_id, valid_from_us, valid_to_us, group_id, known_since FROM group_members \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2)",
};

/// New versions of lines in groups.
pub(crate) const ADD_MEMBERS: Insert = Insert {
    does: "write groups",
    into: "group_members (tenant, subscription_id, valid_from_us, valid_to_us, group_id, known_since)",
};

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_MEMBERS: Statement = Statement {
    does: "supersede groups",
    sql: "UPDATE group_members SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM group_members AS newer WHERE newer.tenant = group_members.tenant \
            AND newer.subscription_id = group_members.subscription_id \
            AND newer.valid_from_us = group_members.valid_from_us AND newer.known_since = $1)",
};

/// $1 tenant, $2 version.
pub(crate) const TARIFFS: Statement = Statement {
    does: "read tariffs",
    sql: "SELECT name, bundle FROM tariffs \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2)",
};

/// Name and hash of the present tariffs. $1 tenant.
pub(crate) const TARIFF_HASHES: Statement = Statement {
    does: "read the tariffs' hashes",
    sql: "SELECT name, content_sha256 FROM tariffs WHERE tenant = $1 AND superseded_by IS NULL",
};

/// A new version of a tariff.
pub(crate) const ADD_TARIFF: Insert =
    Insert { does: "write a tariff", into: "tariffs (tenant, name, content_sha256, bundle, known_since)" };

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_TARIFFS: Statement = Statement {
    does: "supersede tariffs",
    sql: "UPDATE tariffs SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM tariffs AS newer WHERE newer.tenant = tariffs.tenant \
            AND newer.name = tariffs.name AND newer.known_since = $1)",
};

/// Ends of customers and plans. $1 tenant, $2 version, $3 kind.
pub(crate) const ENDS: Statement = Statement {
    does: "read ends",
    sql: "SELECT id, valid_to_us FROM ends \
          WHERE tenant = $1 AND known_since <= $2 AND (superseded_by IS NULL OR superseded_by > $2) \
          AND kind = $3 AND valid_to_us IS NOT NULL",
};

/// New versions of ends.
pub(crate) const ADD_ENDS: Insert = Insert { does: "write ends", into: "ends (tenant, kind, id, valid_to_us, known_since)" };

/// Ends the versions that arrival $1 replaces. $2 tenant.
pub(crate) const SUPERSEDE_ENDS: Statement = Statement {
    does: "supersede ends",
    sql: "UPDATE ends SET superseded_by = $1 \
          WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
            SELECT 1 FROM ends AS newer WHERE newer.tenant = ends.tenant AND newer.kind = ends.kind \
            AND newer.id = ends.id AND newer.known_since = $1)",
};

/// How much there is at present: customers, plans, devices, subscriptions, windows, tariffs. $1 tenant.
pub(crate) const COUNTS: Statement = Statement {
    does: "count reference data",
    sql: "SELECT (SELECT COUNT(*) FROM customers WHERE tenant = $1 AND superseded_by IS NULL), \
          (SELECT COUNT(*) FROM plans WHERE tenant = $1 AND superseded_by IS NULL), \
          (SELECT COUNT(DISTINCT device_id) FROM link_windows WHERE tenant = $1 AND superseded_by IS NULL), \
          (SELECT COUNT(DISTINCT subscription_id) FROM link_windows WHERE tenant = $1 AND superseded_by IS NULL), \
          (SELECT COUNT(*) FROM link_windows WHERE tenant = $1 AND superseded_by IS NULL), \
          (SELECT COUNT(*) FROM tariffs WHERE tenant = $1 AND superseded_by IS NULL)",
};

/// All that reads or updates; a test runs each on both databases.
#[cfg(test)]
pub(crate) const ALL: [Statement; 23] = [
    LATE_RULES,
    SUPERSEDE_LATE_RULES,
    SCHEMA_VERSION,
    ARRIVAL_CONTENT,
    NOTED_ROWS,
    LATEST_ARRIVAL,
    LATEST_IMPORT,
    CUSTOMERS,
    SUPERSEDE_CUSTOMERS,
    PLANS,
    SUPERSEDE_PLANS,
    WINDOWS,
    SUPERSEDE_WINDOWS,
    TARIFFS,
    TARIFF_HASHES,
    SUPERSEDE_TARIFFS,
    ENDS,
    SUPERSEDE_ENDS,
    SUBSCRIPTIONS,
    SUPERSEDE_SUBSCRIPTIONS,
    MEMBERS,
    SUPERSEDE_MEMBERS,
    COUNTS,
];

/// All that inserts; a test runs each on both databases.
#[cfg(test)]
pub(crate) const ALL_INSERTS: [Insert; 9] =
    [NOTE_IMPORT, ADD_LATE_RULES, ADD_CUSTOMERS, ADD_PLANS, ADD_WINDOWS, ADD_TARIFF, ADD_ENDS, ADD_SUBSCRIPTIONS, ADD_MEMBERS];
