//! `tollway topics`: the topics on the brokers, made and compared with what the configuration wants.

use config::Config;
use config::sections::LogKind;
use serde_json::json;

use crate::cli::{Global, TopicsCommand};
use crate::exit_code::Exit;
use crate::installation::settings;
use crate::output::Answer;

/// Runs the command.
pub fn run(global: &Global, command: TopicsCommand) -> anyhow::Result<Exit> {
    let config = settings(global)?;
    let (answer, exit) = match config.log.kind {
        LogKind::Embedded => {
            let headline = "the log is embedded in the data folder: there are no topics to make or to check".to_owned();
            (Answer { headline, json: json!({"topics": []}), ..Answer::default() }, Exit::Done)
        }
        LogKind::Kafka => on_brokers(&config, command)?,
    };
    answer.print(global.output)?;
    Ok(exit)
}

#[cfg(not(feature = "kafka"))]
fn on_brokers(_: &Config, _: TopicsCommand) -> anyhow::Result<(Answer, Exit)> {
    Err(crate::exit_code::usage("this program was built without the feature `kafka`; build it with it"))
}

#[cfg(feature = "kafka")]
fn on_brokers(config: &Config, command: TopicsCommand) -> anyhow::Result<(Answer, Exit)> {
    use ingest::log::kafka::topics::{self, Made};

    use crate::log::kafka;
    use crate::output::Sheet;

    let (brokers, plans) = (kafka::settings(&config.kafka), kafka::plans(config));
    match command {
        TopicsCommand::Create => {
            let made = topics::create(&brokers, &plans)?;
            let new = made.iter().filter(|(_, made)| *made == Made::Created).count();
            let mut sheet = Sheet::new("", &["topic", "#partitions", "#replicas", "state"]);
            let mut json = Vec::new();
            for (plan, (topic, made)) in plans.iter().zip(&made) {
                let name = brokers.topic_name(*topic);
                let state = if *made == Made::Created { "created" } else { "was there" };
                sheet.row([name.clone(), plan.partitions.to_string(), plan.replication.to_string(), state.to_owned()]);
                json.push(json!({"topic": name, "partitions": plan.partitions, "replicas": plan.replication, "state": state}));
            }
            let headline = format!("{new} topics created, {} were there", made.len() - new);
            let next = if new < made.len() { vec!["whether those fit: tollway topics check".to_owned()] } else { Vec::new() };
            Ok((Answer { headline, sheets: vec![sheet], next, json: json!({"topics": json}) }, Exit::Done))
        }
        TopicsCommand::Check => {
            let differences = topics::check(&brokers, &plans)?;
            let headline = match differences.len() {
                0 => format!("{} topics are as the configuration wants them", plans.len()),
                n => format!("{n} differences from what the configuration wants"),
            };
            let mut sheet = Sheet::new("", &["topic", "what", "is", "wanted", "what to do"]);
            let mut json = Vec::new();
            for d in &differences {
                sheet.row([d.topic.clone(), d.what.to_owned(), d.is.clone(), d.wanted.clone(), d.remedy.clone()]);
                json.push(json!({"topic": d.topic, "what": d.what, "is": d.is, "wanted": d.wanted, "remedy": d.remedy}));
            }
            let sheets = if differences.is_empty() { Vec::new() } else { vec![sheet] };
            let exit = if differences.is_empty() { Exit::Done } else { Exit::NeedsHand };
            Ok((Answer { headline, sheets, json: json!({"differences": json}), ..Answer::default() }, exit))
        }
    }
}
