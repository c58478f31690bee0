//! `tollway dlq`: records of the log that could not be understood, shown and sent again.

use ingest::land::Replay;
use ingest::log::{Log, LogError, Topic};
use pipeline::dead_letter::replay;
use serde_json::{Value, json};

use crate::cli::{DlqCommand, Global};
use crate::dead_letters::{Known, letters};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, bytes, instant};
use crate::system::SystemClock;

/// Most bytes of a payload that are shown.
const SHOWN_BYTES_MAX: usize = 2048;

/// Runs the command.
pub fn run(global: &Global, command: &DlqCommand) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    match command {
        DlqCommand::List { all } => {
            let letters = letters(&*installation.log_read_only()?, *all)?;
            list(&letters).print(global.output)?;
            Ok(if letters.iter().any(|l| !l.replayed) { Exit::NeedsHand } else { Exit::Done })
        }
        DlqCommand::Show { number } => {
            let letters = letters(&*installation.log_read_only()?, true)?;
            show(find(&letters, *number)?).print(global.output)?;
            Ok(Exit::Done)
        }
        DlqCommand::Replay { number, .. } => {
            let held = |e: &anyhow::Error| matches!(e.downcast_ref(), Some(LogError::Locked { .. }));
            let (log, is_ours) = match installation.log() {
                Err(e) if held(&e) => (installation.log_read_only()?, false),
                log => (log?, true),
            };
            let mut letters = letters(&*log, number.is_some())?;
            if let Some(number) = number {
                letters = vec![find(&letters, *number)?.clone()];
            }
            let answer = if is_ours { replay_all(&*log, &letters)? } else { ask_to_replay(&installation, &*log, &letters)? };
            answer.print(global.output)?;
            Ok(Exit::Done)
        }
    }
}

/// A service holds the log: the wish lands, and it sends them again.
fn ask_to_replay(installation: &Installation, log: &dyn Log, letters: &[Known]) -> anyhow::Result<Answer> {
    let numbers: Vec<u64> = letters.iter().map(|k| k.letter.number).collect();
    let headline = format!("{} dead letters are sent again by the service that runs on this data folder", numbers.len());
    let json = json!({"asked": numbers});
    if !numbers.is_empty() {
        let replay = Replay { incarnation: log.incarnation(Topic::DeadLetters)?.0, numbers };
        installation.landing().ask_to_replay(&replay, &SystemClock)?;
    }
    Ok(Answer { headline, next: vec!["what came of it: tollway dlq list --all".to_owned()], json, ..Answer::default() })
}

fn find(letters: &[Known], number: u64) -> anyhow::Result<&Known> {
    let found = letters.iter().find(|k| k.letter.number == number);
    found.ok_or_else(|| bad_input(format!("there is no dead letter {number}; `tollway dlq list --all` shows which there are")))
}

fn to_json(known: &Known) -> Value {
    let l = &known.letter;
    json!({
        "number": l.number, "topic": l.topic_name, "partition": l.partition, "offset": l.offset, "incarnation": l.incarnation,
        "why": l.why, "put_aside": instant(l.put_aside_us), "replayed": known.replayed, "bytes": l.record.payload.len(),
        "key": String::from_utf8_lossy(&l.record.key),
    })
}

fn list(letters: &[Known]) -> Answer {
    let headline = match letters.len() {
        0 => "no dead letters".to_owned(),
        n => format!("{n} dead letters"),
    };
    let mut sheet = Sheet::new("", &["#number", "put aside", "from", "key", "#size", "why", "replayed"]);
    for Known { letter: l, replayed } in letters {
        sheet.row([
            l.number.to_string(),
            instant(l.put_aside_us),
            format!("{}/{} @{}", l.topic_name, l.partition, l.offset),
            String::from_utf8_lossy(&l.record.key).into_owned(),
            bytes(l.record.payload.len() as u64),
            l.why.clone(),
            if *replayed { "yes" } else { "no" }.to_owned(),
        ]);
    }
    let next = match letters.first() {
        None => Vec::new(),
        Some(first) => vec![
            format!("one whole: tollway dlq show {}", first.letter.number),
            "the files behind them are announced again by themselves; if the reader was at fault: tollway dlq replay --all"
                .to_owned(),
        ],
    };
    let sheets = if letters.is_empty() { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next, json: json!({"dead_letters": letters.iter().map(to_json).collect::<Vec<_>>()}) }
}

fn show(known: &Known) -> Answer {
    let l = &known.letter;
    let shown = &l.record.payload[..l.record.payload.len().min(SHOWN_BYTES_MAX)];
    let text = shown.escape_ascii().to_string();
    let mut sheet = Sheet::new("", &["", ""]);
    let mut line = |name: &str, value: String| sheet.row([name.to_owned(), value]);
    line("from", format!("{}/{} at offset {}", l.topic_name, l.partition, l.offset));
    line("life of the topic", l.incarnation.clone());
    line("put aside", instant(l.put_aside_us));
    line("why", l.why.clone());
    line("key", String::from_utf8_lossy(&l.record.key).into_owned());
    for (name, value) in &l.record.headers {
        line(&format!("header {name}"), value.escape_ascii().to_string());
    }
    line("payload", text.clone());
    let mut json = to_json(known);
    json["payload"] = json!(text);
    Answer { headline: format!("dead letter {}", l.number), sheets: vec![sheet], json, ..Answer::default() }
}

fn replay_all(log: &dyn Log, letters: &[Known]) -> anyhow::Result<Answer> {
    let mut writer = log.writer();
    let mut sheet = Sheet::new("", &["#number", "now at"]);
    let mut places = Vec::new();
    for Known { letter, .. } in letters {
        let topic = letter.topic.ok_or_else(|| {
            bad_input(format!("dead letter {} came from `{}`, which is no topic of ours", letter.number, letter.topic_name))
        })?;
        let (partition, offset) = replay(&mut *writer, letter, topic)?;
        sheet.row([letter.number.to_string(), format!("{topic}/{partition} @{offset}")]);
        places.push(json!({"number": letter.number, "topic": topic.name(), "partition": partition, "offset": offset}));
    }
    let headline = format!("{} dead letters replayed", letters.len());
    let next = vec!["they are read by the service that runs, or by the next `tollway run` or `tollway ingest`".to_owned()];
    Ok(Answer { headline, sheets: vec![sheet], next, json: json!({"replayed": places}) })
}
