//! A small S3 server on loopback that loses answers, refuses and goes silent when a test says so. Signatures are not checked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It is carried out and answered.
    Fine,
    /// It is answered with this status and not carried out.
    Refused(u16),
    /// It is carried out and answered with this status all the same.
    DoneBut(u16),
    /// It is carried out and the connection is cut before the answer.
    DoneThenCut,
    /// It is carried out and never answered.
    DoneThenSilent,
    /// It is carried out and answered after so many milliseconds.
    Slow(u64),
    /// Another writer puts the same bytes first; then as [`Weather::Refused`].
    AnotherFirst(u16),
    /// Half of the answer's body comes, then the connection is cut.
    HalfAnswer,
}

/// A request as a plan sees it: `PUT key`, with the query behind the key.
pub type Plan = Box<dyn FnMut(&str) -> Weather + Send>;

#[derive(Clone, Default)]
struct Object {
    bytes: Vec<u8>,
    mark: Option<String>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    plan: Option<Plan>,
    requests: Vec<String>,
    /// Whether the condition of a put is ignored.
    careless: bool,
}

/// The server; it ends with the test process.
#[derive(Clone)]
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// What a HEAD says about a body that it does not send.
    size: Option<usize>,
}

impl Server {
    /// Starts a server with an empty bucket named `bucket` and no other.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let server = Self { address: listener.local_addr().expect("it is bound"), state: Arc::default() };
        let state = Arc::clone(&server.state);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(&connection, &state));
            }
        });
        server
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What happens to requests from now on.
    pub fn plan(&self, plan: impl FnMut(&str) -> Weather + Send + 'static) {
        self.state.lock().unwrap().plan = Some(Box::new(plan));
    }

    /// Everything goes well from now on.
    pub fn clear(&self) {
        self.state.lock().unwrap().plan = None;
    }

    /// Ignores conditions from now on.
    pub fn be_careless(&self) {
        self.state.lock().unwrap().careless = true;
    }

    /// Requests so far, as a plan sees them.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }
}

fn serve(connection: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read(&mut reader) {
        let weather = forecast(&request, state);
        let answer = match weather {
            Weather::Refused(status) => refusal(status),
            Weather::AnotherFirst(status) => {
                let object = Object { bytes: request.body.clone(), mark: Some("another".to_owned()) };
                state.lock().unwrap().objects.insert(request.key.clone(), object);
                refusal(status)
            }
            Weather::DoneBut(status) => {
                carry_out(&request, state);
                refusal(status)
            }
            _ => carry_out(&request, state),
        };
        match weather {
            Weather::DoneThenCut => return,
            Weather::DoneThenSilent => {
                // Until the client has had enough.
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Weather::Slow(ms) => std::thread::park_timeout(std::time::Duration::from_millis(ms)),
            _ => {}
        }
        let half = weather == Weather::HalfAnswer;
        if write(connection, &request.method, &answer, half).is_err() || half {
            return;
        }
    }
}

fn forecast(request: &Request, state: &Mutex<State>) -> Weather {
    let query: Vec<String> = request.query.keys().cloned().collect();
    let seen = format!("{} {} {}", request.method, request.key, query.join("&"));
    let mut state = state.lock().unwrap();
    state.requests.push(seen.trim_end().to_owned());
    state.plan.as_mut().map_or(Weather::Fine, |plan| plan(seen.trim_end()))
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    };
    let query = query.split('&').filter(|part| !part.is_empty()).map(pair).collect();
    let path = decoded(path.trim_start_matches('/'));
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    Some(Request { method, bucket: bucket.to_owned(), key: key.to_owned(), query, headers, body })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).expect("keys are text")
}

fn write(mut connection: &TcpStream, method: &str, answer: &Answer, half: bool) -> std::io::Result<()> {
    let length = answer.size.unwrap_or(answer.body.len());
    let mut head = format!("HTTP/1.1 {} Said\r\ncontent-length: {length}\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([*name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    connection.write_all(head.as_bytes())?;
    let sent = if half { answer.body.len() / 2 } else { answer.body.len() };
    if method == "HEAD" { Ok(()) } else { connection.write_all(&answer.body[..sent]) }
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, headers: vec![("etag", "\"e\"".to_owned())], body: body.into(), size: None }
}

fn refusal(status: u16) -> Answer {
    let code = match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        409 => "ConditionalRequestConflict",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        503 => "SlowDown",
        _ => "Other",
    };
    answer(status, format!("<Error><Code>{code}</Code></Error>"))
}

fn carry_out(request: &Request, state: &Mutex<State>) -> Answer {
    if request.bucket != "bucket" {
        return answer(404, "<Error><Code>NoSuchBucket</Code></Error>");
    }
    let mut state = state.lock().unwrap();
    let has = |name: &str| request.query.contains_key(name);
    let upload = request.query.get("uploadId").cloned();
    match (request.method.as_str(), upload) {
        ("POST", None) if has("uploads") => {
            let id = format!("upload-{}", state.uploads.len());
            state.uploads.insert(id.clone(), BTreeMap::new());
            answer(200, format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
        }
        ("POST", None) => delete_many(request, &mut state),
        ("POST", Some(id)) => complete(request, &id, &mut state),
        ("PUT", Some(id)) => put_part(request, &id, &mut state),
        ("DELETE", Some(id)) => {
            state.uploads.remove(&id);
            answer(204, "")
        }
        ("PUT", None) => {
            let mark = request.headers.get("x-amz-meta-tollwaymark").cloned();
            publish(request, Object { bytes: request.body.clone(), mark }, "", &mut state)
        }
        ("GET", None) if has("list-type") => list(request, &state),
        ("GET" | "HEAD", None) => get(request, &state),
        _ => refusal(501),
    }
}

fn publish(request: &Request, object: Object, said: &str, state: &mut State) -> Answer {
    let conditional = request.headers.get("if-none-match").is_some_and(|v| v == "*") && !state.careless;
    if conditional && state.objects.contains_key(&request.key) {
        return refusal(412);
    }
    state.objects.insert(request.key.clone(), object);
    answer(200, said)
}

fn put_part(request: &Request, id: &str, state: &mut State) -> Answer {
    let copied = request.headers.get("x-amz-copy-source").map(|from| decoded(from).trim_start_matches("bucket/").to_owned());
    let bytes = match copied.map(|from| state.objects.get(&from).map(|o| o.bytes.clone())) {
        Some(None) => return refusal(404),
        Some(Some(bytes)) => bytes,
        None => request.body.clone(),
    };
    let number = request.query["partNumber"].parse().expect("a number");
    match state.uploads.get_mut(id) {
        None => refusal(404),
        Some(parts) => {
            parts.insert(number, bytes);
            answer(200, "<CopyPartResult><ETag>\"e\"</ETag></CopyPartResult>")
        }
    }
}

fn complete(request: &Request, id: &str, state: &mut State) -> Answer {
    let Some(parts) = state.uploads.get(id) else { return refusal(404) };
    let bytes = parts.values().flatten().copied().collect();
    let said = "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>";
    let made = publish(request, Object { bytes, mark: None }, said, state);
    if made.status == 200 {
        state.uploads.remove(id);
    }
    made
}

fn delete_many(request: &Request, state: &mut State) -> Answer {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")).map(|(key, _)| key);
    let mut said = String::from("<DeleteResult>");
    for key in keys {
        state.objects.remove(key);
        said.extend(["<Deleted><Key>", key, "</Key></Deleted>"]);
    }
    answer(200, said + "</DeleteResult>")
}

/// When everything was changed.
const MODIFIED: &str = "<LastModified>2026-10-01T00:00:00.000Z</LastModified>";

fn list(request: &Request, state: &State) -> Answer {
    let prefix = request.query.get("prefix").cloned().unwrap_or_default();
    let mut said = String::from("<ListBucketResult>");
    for (key, object) in state.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
        let size = object.bytes.len().to_string();
        said.extend(["<Contents><Key>", key, "</Key><Size>", &size, "</Size>", MODIFIED, "</Contents>"]);
    }
    answer(200, said + "</ListBucketResult>")
}

fn get(request: &Request, state: &State) -> Answer {
    let Some(object) = state.objects.get(&request.key) else { return refusal(404) };
    let size = object.bytes.len();
    let mut headers = vec![("etag", "\"e\"".to_owned()), ("last-modified", "Thu, 01 Oct 2026 00:00:00 GMT".to_owned())];
    headers.extend(object.mark.clone().map(|mark| ("x-amz-meta-tollwaymark", mark)));
    if request.method == "HEAD" {
        return Answer { status: 200, headers, body: Vec::new(), size: Some(size) };
    }
    let range = request.headers.get("range").and_then(|r| r.strip_prefix("bytes=")?.split_once('-'));
    let Some((from, last)) = range else {
        return Answer { status: 200, headers, body: object.bytes.clone(), size: None };
    };
    let from: usize = from.parse().expect("a number");
    let to = last.parse::<usize>().expect("a number").saturating_add(1).min(size);
    if from >= size {
        return refusal(416);
    }
    headers.push(("content-range", format!("bytes {from}-{}/{size}", to - 1)));
    Answer { status: 206, headers, body: object.bytes[from..to].to_vec(), size: None }
}
