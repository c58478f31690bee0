//! `tollway listen`: lands the events of a live source, for ever or up to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::outcome::Counts;
use domain::ports::Clock;
use pipeline::listener::OnLoss;
use serde_json::json;

use crate::backlog::Backlog;
use crate::cli::{Global, ListenArgs};
use crate::commands::run::{serve, watch_signals};
use crate::counts::{outcomes, to_json};
use crate::exit_code::{Exit, usage};
use crate::http::Door;
use crate::installation::Installation;
use crate::listen::{Heard, Listening, Until};
use crate::output::{Answer, Sheet, count, seconds};
use crate::settling::settle;
use crate::system::SystemClock;
use crate::telemetry;

/// Runs the command.
pub fn run(global: &Global, args: &ListenArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open_or_create(global)?;
    telemetry::start_service(&installation.config().logging, global.quiet);
    let overrides = args.settings();
    let overrides: Vec<_> = overrides.iter().map(|(key, value, argument)| (*key, value.as_str(), *argument)).collect();
    let source = installation.config().live_source(&args.name, &overrides)?;
    if installation.config().kafka.brokers.is_empty() {
        return Err(usage("`kafka.brokers` is not set; write where the brokers are that hold the topic"));
    }
    let on_loss = if args.accept_loss { OnLoss::Accept } else { OnLoss::Stop };
    let listening = Listening::new(&installation, source, on_loss)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (closing, closed) = tokio::sync::watch::channel(false);
    let stopper = {
        let stop = Arc::clone(&stop);
        Arc::new(move || stop.store(true, Ordering::Release))
    };
    if let Some(address) = &args.http {
        let address = address.parse().map_err(|e| usage(format!("`{address}` is no address to listen on: {e}")))?;
        let token = installation.config().http.token.as_ref().map(|t| t.reveal().to_owned());
        let door = Door::new(token)?;
        let listener = installation.block_on(door.bind(address))?;
        let known = door.ready.set(Box::new(|| Ok("ready\n".to_owned())));
        debug_assert!(known.is_ok(), "nobody else knows");
        serve(&installation, door, listener, closed, Arc::clone(&stopper));
    }
    watch_signals(&installation, closing, stopper)?;
    let landing = Arc::new(installation.landing());
    let began = SystemClock.now_us();
    let until = if args.until_end { Until::End } else { Until::Stopped };
    let heard = listening.run(&landing, until, &stop)?;
    let wants_rating = args.until_end && !args.land_only && !stop.load(Ordering::Acquire);
    let backlog = if wants_rating { Backlog::start(&installation, &landing, None)? } else { None };
    let rate = |backlog: Backlog| {
        let reference = backlog.reference();
        let rated = backlog.drain(global, Some(heard.rows))?;
        settle(global, &installation, &landing, &reference.get(), None).map(|_| rated)
    };
    let rated = backlog.map(rate).transpose()?;
    answer(global, &listening, &heard, rated.as_ref().map(|done| &done.counts), SystemClock.now_us() - began)
}

fn answer(global: &Global, listening: &Listening, heard: &Heard, rated: Option<&Counts>, took_us: i64) -> anyhow::Result<Exit> {
    let source = listening.source();
    let mut sheet = Sheet::new("", &["#partition", "#rows landed", "#next offset"]);
    for (partition, (rows, next)) in &heard.partitions {
        sheet.row([partition.to_string(), count(*rows), count(*next)]);
    }
    let (rows, batches) = (count(heard.rows), count(heard.batches));
    let headline = format!("{}: {rows} rows landed in {batches} batches · {}", source.topic, seconds(took_us));
    let partitions = heard.partitions.iter();
    let partitions: Vec<_> =
        partitions.map(|(p, (rows, next))| json!({"partition": p, "rows": rows, "next_offset": next})).collect();
    let json = json!({
        "source": source.name, "topic": source.topic, "batches": heard.batches, "rows": heard.rows, "empty_events": heard.empty,
        "partitions": partitions, "rated": rated.map(to_json),
    });
    let mut sheets = if heard.partitions.is_empty() { Vec::new() } else { vec![sheet] };
    sheets.extend(rated.map(outcomes));
    let next = match rated {
        None if heard.rows > 0 => vec!["landed; a running service rates them: tollway status".to_owned()],
        Some(counts) if counts.waiting() > 0 => vec!["what needs a hand: tollway suspense list".to_owned()],
        _ => Vec::new(),
    };
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(Exit::Done)
}
