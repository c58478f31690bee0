//! Live sources on threads: each is listened to until it ends or is stopped, through outages of brokers and storage.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use config::Config;
use config::sections::LiveSource;
use domain::delivery::{Account, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId};
use ingest::land::{LandRequest, Landing, LiveRange};
use ingest::live::{EventSource, LiveError, LiveForm};
use ingest::profile::Profile;
use pipeline::PipelineError;
use pipeline::listener::{ListenSettings, ListenStep, Listener, OnLoss};
use pipeline::metrics;

use crate::installation::Installation;
use crate::patience::Patience;
use crate::system::SystemClock;

/// How long a listener waits for events before it looks around, milliseconds.
const WAIT_MS: u64 = 100;

/// Where the hash of a group's name is made, apart from all other hashes under the secret.
const GROUP_DOMAIN: u8 = 200;

/// A live source with all that listening to it takes.
#[derive(Debug, Clone)]
pub struct Listening {
    source: LiveSource,
    config: Config,
    request: LandRequest,
    form: LiveForm,
    group: String,
    on_loss: OnLoss,
}

/// What has landed from a source.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Micro-batches.
    pub batches: u64,
    /// Their rows.
    pub rows: u64,
    /// Events without a row.
    pub empty: u64,
    /// By partition: rows that have landed, and the offset at which it goes on.
    pub partitions: BTreeMap<u32, (u64, u64)>,
}

/// When listening ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// All that there is has landed.
    End,
    /// It is stopped from outside.
    Stopped,
}

impl Heard {
    fn note(&mut self, range: &LiveRange) {
        self.batches += 1;
        self.rows += range.rows;
        self.empty += range.empty;
        let (rows, next) = self.partitions.entry(range.source.partition).or_default();
        (*rows, *next) = (*rows + range.rows, range.next_offset);
    }
}

impl Listening {
    /// Prepares a source: its profile must read events one by one. Nothing is asked of the brokers yet.
    pub fn new(installation: &Installation, source: LiveSource, on_loss: OnLoss) -> anyhow::Result<Self> {
        let config = installation.config().clone();
        let profile = crate::commands::profile::load(&source.profile)?;
        let form =
            LiveForm::new(&profile, &source.header).with_context(|| format!("live source `{}` is not right", source.name))?;
        let account = account_of(&config, &source, &profile)?;
        let group = group_of(&source, &account, &installation.secret());
        let request = LandRequest::new(&profile, account, &source.name, &source.name, config.landing.cut_rows);
        Ok(Self { source, config, request, form, group, on_loss })
    }

    /// The source.
    pub fn source(&self) -> &LiveSource {
        &self.source
    }

    /// Listens. Until the end, failures that may pass are borne as often as `[pipeline]` says; until it is stopped, for ever,
    /// with pauses that stop growing.
    pub fn run(&self, landing: &Arc<Landing>, until: Until, stop: &AtomicBool) -> anyhow::Result<Heard> {
        let heard = self.hear(landing, until, stop);
        metrics::listen_up(&self.source.name, false);
        heard.with_context(|| format!("live source `{}` is not heard", self.source.name))
    }

    fn hear(&self, landing: &Arc<Landing>, until: Until, stop: &AtomicBool) -> anyhow::Result<Heard> {
        let retries_max = if until == Until::End { self.config.pipeline.retries_max } else { u32::MAX };
        let mut patience = Patience::new(retries_max, self.config.pipeline.retry_pause);
        let mut heard = Heard::default();
        let mut listener = None;
        while !stop.load(Ordering::Acquire) {
            let made = match &mut listener {
                Some(listener) => Ok(listener),
                none => self.connect(landing).map(|made| none.insert(made)),
            };
            let stepped = made.and_then(|listener| {
                let step = listener.step(WAIT_MS, &SystemClock)?;
                Ok((step, listener))
            });
            match patience.bear(stepped.map_err(anyhow::Error::from))? {
                Ok((step, listener)) => {
                    metrics::listen_up(&self.source.name, true);
                    note(&step, &mut heard);
                    if until == Until::End && listener.is_at_end() {
                        listener.close();
                        if !listener.is_busy() {
                            return Ok(heard);
                        }
                    }
                }
                Err(pause) => {
                    metrics::listen_up(&self.source.name, false);
                    wait(pause, stop);
                }
            }
        }
        if let Some(listener) = &mut listener {
            finish(listener, &mut heard);
        }
        Ok(heard)
    }

    fn connect(&self, landing: &Arc<Landing>) -> Result<Listener<Box<dyn EventSource>>, PipelineError> {
        let source = self.join()?;
        let settings = ListenSettings {
            rows_max: self.source.batch_rows,
            bytes_max: self.source.batch_bytes,
            wait_us: i64::try_from(self.source.batch_wait.as_micros()).unwrap_or(i64::MAX),
            held_bytes_max: self.source.held_bytes_max,
            on_loss: self.on_loss,
        };
        tracing::info!(source = self.source.name, topic = self.source.topic, group = self.group, "joined");
        Ok(Listener::new(source, Arc::clone(landing), self.request.clone(), self.form.clone(), settings))
    }

    #[cfg(feature = "kafka")]
    fn join(&self) -> Result<Box<dyn EventSource>, LiveError> {
        let settings = crate::log::kafka::settings(&self.config.kafka);
        Ok(Box::new(ingest::log::kafka::KafkaSource::join(settings, &self.group, &self.source.topic)?))
    }

    #[cfg(not(feature = "kafka"))]
    fn join(&self) -> Result<Box<dyn EventSource>, LiveError> {
        let what = "this program was built without the feature `kafka`; build it with it".to_owned();
        Err(ingest::log::LogError::Group { group: self.group.clone(), what }.into())
    }
}

/// Lands what is held, unless something is in the way: what has not landed is read again.
fn finish(listener: &mut Listener<Box<dyn EventSource>>, heard: &mut Heard) {
    while listener.is_busy() {
        listener.close();
        match listener.step(0, &SystemClock) {
            Ok(step) => note(&step, heard),
            Err(error) => {
                tracing::warn!(error = %error, "events that were held are left to the next start");
                return;
            }
        }
    }
}

fn note(step: &ListenStep, heard: &mut Heard) {
    if let ListenStep::Landed(range) = step {
        heard.note(range);
    }
}

/// Pauses, in pieces so short that nobody waits for a stop.
fn wait(pause: Duration, stop: &AtomicBool) {
    const PIECE: Duration = Duration::from_millis(100);
    let mut left = pause;
    while !left.is_zero() && !stop.load(Ordering::Acquire) {
        std::thread::park_timeout(left.min(PIECE));
        left = left.saturating_sub(PIECE);
    }
}

fn account_of(config: &Config, source: &LiveSource, profile: &Profile) -> anyhow::Result<Account> {
    let provider = source.provider.as_deref().unwrap_or_else(|| profile.provider().unwrap_or(profile.name()));
    Ok(Account {
        tenant: config.data.tenant.clone(),
        provider: ProviderId::parse(provider)?,
        account: AccountId::parse(&source.account)?,
    })
}

/// The group of an installation's listeners. Its name holds a hash under the installation's secret: two installations in one
/// group would each get a part of the events.
fn group_of(source: &LiveSource, account: &Account, secret: &KeySecret) -> String {
    let hash = RecordHasher::new(secret, account).hash(GROUP_DOMAIN, source.topic.as_bytes());
    format!("tollway.listen.{}.{:012x}", source.name, hash >> 80)
}

/// The sources of a service, each on a thread of its own. One that fails for good does not stop the others.
#[derive(Debug, Default)]
pub struct Listeners {
    threads: Vec<std::thread::JoinHandle<anyhow::Result<Heard>>>,
    stop: Arc<AtomicBool>,
}

impl Listeners {
    /// Starts listening to all sources that have a section in the configuration.
    pub fn start(installation: &Installation, landing: &Arc<Landing>) -> anyhow::Result<Self> {
        let sources = installation.config().live_sources()?;
        let prepared = sources.into_iter().map(|source| Listening::new(installation, source, OnLoss::Stop));
        let mut listeners = Self::default();
        for listening in prepared.collect::<anyhow::Result<Vec<_>>>()? {
            let (landing, stop) = (Arc::clone(landing), Arc::clone(&listeners.stop));
            let name = format!("listen-{}", listening.source.name);
            listeners.threads.push(std::thread::Builder::new().name(name).spawn(move || {
                let run = AssertUnwindSafe(|| listening.run(&landing, Until::Stopped, &stop));
                let ended = std::panic::catch_unwind(run).unwrap_or_else(|_| {
                    Err(PipelineError::Panicked(format!("the listener of `{}`", listening.source.name)).into())
                });
                if let Err(error) = &ended {
                    let source = listening.source.name.as_str();
                    tracing::error!(source, error = format!("{error:#}"), "not heard any more: mend the cause and restart");
                }
                ended
            })?);
        }
        Ok(listeners)
    }

    /// Stops all in order; the first of those that had failed decides how it ends.
    pub fn finish(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Release);
        let mut ended = Ok(());
        for thread in self.threads {
            let heard = thread.join().unwrap_or_else(|_| Err(PipelineError::Panicked("a listener".to_owned()).into()));
            ended = ended.and(heard.map(drop));
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::TenantId;

    use super::*;

    #[test]
    fn two_installations_are_in_groups_of_their_own() {
        let variables =
            [("TOLLWAY_LISTEN__TOPIC", "cdr"), ("TOLLWAY_LISTEN__PROFILE", "job"), ("TOLLWAY_LISTEN__ACCOUNT", "haven")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let source = Config::load(None, variables).expect("settings").live_source("core", &[]).expect("a source");
        let account = Account {
            tenant: TenantId::parse("main").expect("an id"),
            provider: ProviderId::parse("job").expect("an id"),
            account: AccountId::parse("haven").expect("an id"),
        };
        let of = |secret| group_of(&source, &account, &KeySecret([secret; 16]));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(of(1).starts_with("tollway.listen.core.") && of(1).len() <= 64, "{}", of(1));
    }
}
