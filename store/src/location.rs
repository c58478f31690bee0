//! Where the state lies: a SQLite file, or a schema of a `PostgreSQL` server. It shows itself without a password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::error::StoreError;

/// What an address may begin with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What may stand behind the `?` of an address. The driver would print any other with its value, a misspelt `password` too.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
    "options",
];

/// Longest name of a schema; the server cuts longer ones.
const SCHEMA_BYTES_MAX: usize = 63;

/// Where the state lies.
#[derive(Clone)]
pub enum Location {
    /// A SQLite file; its folder exists.
    File(PathBuf),
    /// A schema of a server.
    Server(Arc<Server>),
}

/// A schema of a `PostgreSQL` server, and how to log in there.
pub struct Server {
    pub(crate) options: PgConnectOptions,
    pub(crate) schema: String,
}

/// How many connections one process keeps, and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; SQLite and a schema have one writer, all others read.
    pub connections_max: u32,
    /// Until there is a connection.
    pub connect_wait: Duration,
    /// Until a statement is done; a server only.
    pub statement_wait: Duration,
    /// Until another process's import has ended.
    pub lock_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4,
            connect_wait: Duration::from_secs(5),
            statement_wait: Duration::from_mins(1),
            lock_wait: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The longest time for an answer of a server, on our side: its own limits count first.
    pub(crate) fn answer_wait(&self) -> Duration {
        self.statement_wait.saturating_add(self.connect_wait)
    }
}

impl Location {
    /// What someone does who wants to begin with an empty state.
    pub(crate) fn put_aside(&self) -> &'static str {
        match self {
            Self::File(_) => "move it away",
            Self::Server(_) => "rename the schema",
        }
    }

    /// What lets or does not let us in.
    pub(crate) fn rights(&self) -> &'static str {
        match self {
            Self::File(_) => "that the folder exists, its owner and its mode",
            Self::Server(_) => "the role's rights to the schema, and that the server is no standby",
        }
    }

    /// The place that `state.url` and `state.schema` name; without an address the file.
    pub fn named(url: Option<&str>, schema: &str, file: &Path) -> Result<Self, StoreError> {
        match url {
            None => Ok(Self::File(file.to_owned())),
            Some(url) => Ok(Self::Server(Arc::new(Server::parse(url, schema)?))),
        }
    }
}

impl From<&Path> for Location {
    fn from(file: &Path) -> Self {
        Self::File(file.to_owned())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Server(server) => write!(f, "`{}` (schema {})", server.address(), server.schema),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Server {
    /// Reads an address such as `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require`; no error repeats its text.
    fn parse(url: &str, schema: &str) -> Result<Self, StoreError> {
        let refused = |what: String| Err(StoreError::Address(what));
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return refused("it does not begin with `postgres://`".to_owned());
        }
        // Part of a password would be taken for a parameter, and named.
        if url.split_once('?').is_some_and(|(_, behind)| behind.contains('@')) {
            return refused(
                "an `@` stands behind a `?`; write `?` in a password as %3F, and `@` in a parameter as %40".to_owned(),
            );
        }
        for parameter in url.split_once('?').into_iter().flat_map(|(_, all)| all.split('&')) {
            let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
            if !PARAMETERS.contains(&name) && !name.starts_with("options[") {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                return refused(format!("there is no parameter `{shown}`"));
            }
        }
        let is_schema = matches!(schema.as_bytes(), [b'a'..=b'z' | b'_', rest @ ..]
            if rest.len() < SCHEMA_BYTES_MAX && rest.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')));
        if !is_schema || schema.starts_with("pg_") {
            return Err(StoreError::Schema(schema.chars().take(80).collect()));
        }
        match PgConnectOptions::from_str(url) {
            Ok(options) => {
                let options = options.application_name("tollway").disable_statement_logging();
                Ok(Self { options, schema: schema.to_owned() })
            }
            // The driver's words may hold what stands in the address.
            Err(_) => refused("host, port, database or a parameter cannot be read".to_owned()),
        }
    }

    /// `HOST:PORT`, or the socket's path.
    pub fn host(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    /// `HOST:PORT/DATABASE`.
    pub fn address(&self) -> String {
        format!("{}/{}", self.host(), self.database())
    }

    /// The database; the server takes the user's name when the address has none.
    pub fn database(&self) -> &str {
        self.options.get_database().unwrap_or_else(|| self.options.get_username())
    }

    /// Who logs in.
    pub fn user(&self) -> &str {
        self.options.get_username()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}, schema {})", self.address(), self.schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter2";

    fn refused(url: &str, schema: &str) -> String {
        let error = Location::named(Some(url), schema, Path::new("state.db")).expect_err("an address that cannot be used");
        let seen = format!("{error} {error:?}");
        assert!(!seen.contains(SECRET), "{seen}");
        error.to_string()
    }

    #[test]
    fn without_an_address_the_state_is_a_file() {
        let location = Location::named(None, "tollway", Path::new("/srv/state.db")).expect("a place");
        assert_eq!(location.to_string(), "`/srv/state.db`");
    }

    #[test]
    fn a_server_shows_itself_without_its_password() {
        let url = format!("postgres://u:{SECRET}@db.example:6543/billing?sslmode=disable");
        let location = Location::named(Some(&url), "op_1", Path::new("state.db")).expect("a place");
        let seen = format!("{location} {location:?}");
        assert!(!seen.contains(SECRET) && seen.contains("`db.example:6543/billing` (schema op_1)"), "{seen}");
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why_and_keeps_its_secret() {
        for (url, why) in [
            (format!("mysql://u:{SECRET}@h/d"), "postgres://"),
            (SECRET.to_owned(), "postgres://"),
            (format!("postgres://u:{SECRET}@h:port/d"), "host, port, database"),
            (format!("postgres://u@h/d?pasword={SECRET}"), "no parameter `pasword`"),
            (format!("postgres://u:{SECRET}@h/d?sslmode={SECRET}"), "postgres://USER:PASSWORD@HOST:PORT/DATABASE"),
        ] {
            let said = refused(&url, "tollway");
            assert!(said.contains(why), "`{why}` in: {said}");
        }
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        for schema in ["", "Tollway", "1st", "a-b", "a b", "a\"b", "pg_catalog", &"a".repeat(64)] {
            let said = refused("postgres://u@h/d", schema);
            assert!(said.contains("`state.schema`"), "{said}");
        }
        Location::named(Some("postgres://u@h/d"), &"a".repeat(63), Path::new("state.db")).expect("the longest name");
    }
}
