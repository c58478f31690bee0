//! `POST /v1/rate`: the service prices calls for other programs, as the command line does.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::data_folder::DataFolder;

const TOKEN: &str = "a token of the test's own";

/// Sends a request; gives the status and the body, which is JSON.
fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit can be set");
    let headers = headers.iter().fold(String::new(), |all, (name, value)| all + name + ": " + value + "\r\n");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the service answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head and a body");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
    (status, serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned())))
}

/// *Scenario.* A service with a token runs; programs ask it for prices, with and without the token, before and after a tariff is
/// imported, and with questions that are none. *Guarantees.* The answer is that of `tollway rate` to the last byte of its JSON; a
/// tariff that is imported beside the service holds within moments; whoever has no token learns nothing; a wrong question names its
/// field; the interface describes itself.
#[test]
fn the_service_prices_calls_for_programs_that_have_its_token() {
    let data = DataFolder::new().with("TOLLWAY_HTTP__TOKEN", TOKEN);
    let service = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    let address = service.line("listening", |_| true)["address"].as_str().expect("an address").to_owned();
    service.line("running", |_| true);
    let bearer = format!("Bearer {TOKEN}");
    let json_of = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
    let rate = |question: &Value| ask(&address, "POST", "/v1/rate", &json_of, &question.to_string());
    let call = json!({"plan": "zakelijk-plus", "to": "06-12345678", "start": "2026-10-14T10:00:00+02:00", "seconds": 61});

    let (status, said) = rate(&call);
    assert_eq!((status, &said["field"]), (404, &json!("plan")), "{said}");
    assert!(said["error"].as_str().is_some_and(|e| e.contains("no tariff is in force")), "{said}");
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    service.line("reference data in force", |fields| fields["version"] == 1);
    let (status, priced) = rate(&call);
    assert_eq!((status, &priced["charge"], &priced["currency"]), (200, &json!("0.101667"), &json!("EUR")), "{priced:#}");
    let shown =
        ["rate", "--plan", "zakelijk-plus", "--to", "06-12345678", "--start", "2026-10-14T10:00:00+02:00", "--seconds", "61"];
    assert_eq!(priced, data.json(&shown), "the command line says the same");

    let nowhere = json!({"plan": "zakelijk-plus", "to": "+999 12345678", "start": "2026-10-14T10:00:00+02:00", "seconds": 61});
    let (status, priced) = rate(&nowhere);
    assert_eq!((status, &priced["outcome"], &priced["charge"]), (200, &json!("no_zone"), &Value::Null), "no price is an answer");
    assert!(!priced.to_string().contains("99912345678"), "numbers are masked: {priced}");

    for (wrong, status, field) in [
        (json!({"plan": "zakelijk-puls", "to": "112", "start": "2026-10-14T10:00:00Z", "seconds": 1}), 404, json!("plan")),
        (json!({"plan": "zakelijk-plus", "start": "yesterday", "seconds": 1}), 400, json!("start")),
        (json!({"plan": "zakelijk-plus", "start": "2026-10-14T10:00:00Z"}), 400, json!("seconds")),
        (json!({"plan": "zakelijk-plus", "start": "2026-10-14T10:00:00Z", "seconds": 1, "bytes": 1}), 400, json!("seconds")),
        (json!({"plan": "zakelijk-plus", "start": "2026-10-14T10:00:00Z", "seconds": -1}), 422, Value::Null),
        (json!({"plan": "zakelijk-plus", "start": "2026-10-14T10:00:00Z", "secs": 1}), 422, Value::Null),
    ] {
        let (found, said) = rate(&wrong);
        assert_eq!((found, &said["field"]), (status, &field), "{wrong}: {said}");
        assert!(said["error"].as_str().is_some_and(|text| text.len() > 10), "{wrong}: {said}");
    }
    let large = json!({"plan": "x".repeat(20_000), "start": "2026-10-14T10:00:00Z", "seconds": 1});
    assert_eq!(rate(&large).0, 413);
    let broken = ask(&address, "POST", "/v1/rate", &json_of, "{\"plan\": ");
    assert_eq!(broken.0, 400, "{}", broken.1);

    for token in [None, Some("Bearer a token of somebody else"), Some(TOKEN)] {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(token.map(|token| ("Authorization", token)));
        let (status, said) = ask(&address, "POST", "/v1/rate", &headers, &call.to_string());
        assert_eq!(status, 401, "{token:?}: {said}");
        assert!(!said.to_string().contains("0.101667") && !said.to_string().contains(TOKEN), "{said}");
    }
    let (status, described) = ask(&address, "GET", "/openapi.json", &[], "");
    assert_eq!((status, &described["openapi"]), (200, &json!("3.1.0")));
    let asked = &described["components"]["schemas"]["Question"]["properties"];
    let fields: Vec<&String> = asked.as_object().expect("fields").keys().collect();
    assert!(call.as_object().expect("fields").keys().all(|field| fields.contains(&field)), "{fields:?}");
    assert!(described["components"]["schemas"]["Priced"]["properties"]["derivation"].is_object(), "{described:#}");
    assert_eq!(service.terminate().code, Some(0));
}
