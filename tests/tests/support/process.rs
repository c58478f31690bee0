//! Child processes with a time limit: run to their end, or watched line by line and ended from outside.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// The longest that any one process or state may take: only a hang takes longer, on any machine.
pub const LIMIT: Duration = Duration::from_mins(15);

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ended {
    let spelled = format!("{command:?}");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(&spelled);
    let out = Lines::of(child.stdout.take().expect("it is piped"));
    let err = Lines::of(child.stderr.take().expect("it is piped"));
    let done = out.closed_within(LIMIT) && err.closed_within(LIMIT);
    if !done {
        child.kill().expect("a child can be killed");
    }
    let status = child.wait().expect("a child can be waited for");
    let (out, err) = (out.into_text(), err.into_text());
    assert!(done, "{spelled} took longer than {LIMIT:?}; it said:\n{out}\n{err}");
    Ended { code: status.code(), out, err }
}

/// The lines of a pipe as they come.
#[derive(Debug)]
struct Lines {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    reader: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    closed: bool,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let shared = Arc::clone(&seen);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                shared.0.lock().expect("no reader panics").lines.push(String::from_utf8_lossy(&line).into_owned());
                shared.1.notify_all();
            }
            shared.0.lock().expect("no reader panics").closed = true;
            shared.1.notify_all();
        });
        Self { seen, reader }
    }

    /// Waits until the other side has closed the pipe.
    fn closed_within(&self, limit: Duration) -> bool {
        let seen = self.seen.0.lock().expect("no reader panics");
        let (seen, _) = self.seen.1.wait_timeout_while(seen, limit, |seen| !seen.closed).expect("no reader panics");
        seen.closed
    }

    fn into_text(self) -> String {
        self.reader.join().expect("no reader panics");
        let seen = self.seen.0.lock().expect("no reader panics");
        seen.lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }
}

/// A process that runs beside the test; killed when it is forgotten.
#[derive(Debug)]
pub struct Running {
    child: Child,
    spelled: String,
    err: Option<Lines>,
}

impl Running {
    /// Starts a command; its standard error is watched, its standard output is not.
    pub fn start(command: &mut Command) -> Self {
        let spelled = format!("{command:?}");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect(&spelled);
        let err = Lines::of(child.stderr.take().expect("it is piped"));
        Self { child, spelled, err: Some(err) }
    }

    /// Waits until `look` finds what it is looking for in all lines so far; `None` if the process ended before.
    pub fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let seen = &self.err.as_ref().expect("it has not ended").seen;
        let mut found = None;
        let guard = seen.0.lock().expect("no reader panics");
        let (guard, waited) = seen
            .1
            .wait_timeout_while(guard, LIMIT, |seen| {
                found = look(&seen.lines);
                found.is_none() && !seen.closed
            })
            .expect("no reader panics");
        assert!(!waited.timed_out(), "{}: no {what} in {LIMIT:?}; it said:\n{}", self.spelled, guard.lines.join("\n"));
        found
    }

    /// Waits for a line of a service's log with this message and gives its fields.
    pub fn line(&self, message: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = self.wait_for(message, |lines| {
            let parsed =
                lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()).map(|line| line["fields"].clone());
            parsed.filter(|fields| fields["message"] == message).find(&fits)
        });
        found.unwrap_or_else(|| panic!("{} ended without `{message}`", self.spelled))
    }

    /// Ends it as `kill -9` does; gives all that it had said.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("a child can be killed");
        self.end().err
    }

    /// Waits until lines with this text have come so often.
    pub fn says(&self, text: &str, times: usize) {
        let said = self.wait_for(text, |lines| (lines.iter().filter(|line| line.contains(text)).count() >= times).then_some(()));
        assert!(said.is_some(), "{} ended before it said `{text}` {times} times", self.spelled);
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub fn terminate(self) -> Ended {
        self.signal("TERM");
        self.end()
    }

    /// Lets it stand still, as a machine that is frozen or out of memory does; it knows nothing of it.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on where it stood.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", "kill -$0 \"$1\"", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("sh is there").success(), "{} could not be sent {name}", self.spelled);
    }

    /// Waits until it ends by itself.
    pub fn end(mut self) -> Ended {
        let err = self.err.take().expect("it ends once");
        assert!(err.closed_within(LIMIT), "{} did not end in {LIMIT:?}", self.spelled);
        let status = self.child.wait().expect("a child can be waited for");
        Ended { code: status.code(), out: String::new(), err: err.into_text() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.err.is_some() {
            // The test has failed already; a process that is gone cannot be killed again, which is no news.
            let _gone = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}
