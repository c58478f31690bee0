//! `tollway run`: the service. Watches landing, rates, totals, keeps house, serves metrics; stops in order on SIGTERM.

use std::sync::Arc;

use domain::ports::Clock;
use tokio::signal::unix::{SignalKind, signal};

use crate::backlog::{keep_house, trim_log};
use crate::cli::{Global, RunArgs};
use crate::exit_code::{self, Exit, usage};
use crate::flow::{Flow, Installed, Until};
use crate::http::Door;
use crate::installation::{Installation, settings};
use crate::listen::Listeners;
use crate::patience::{Patience, outlast};
use crate::reference::SharedReference;
use crate::settling::Keeper;
use crate::system::{SystemClock, SystemRng};
use crate::telemetry;
use crate::totals;
use crate::watch::{WatchFolder, Watching};

/// Runs the command.
pub fn run(global: &Global, args: &RunArgs) -> anyhow::Result<Exit> {
    let config = settings(global)?;
    telemetry::start_service(&config.logging, global.quiet);
    let patience = Patience::new(u32::MAX, config.pipeline.retry_pause);
    let installation = outlast(patience, || Installation::open_or_create(global))?.for_a_service();
    let listen = match &args.listen {
        Some(address) => address.parse().map_err(|e| usage(format!("`{address}` is no address to listen on: {e}")))?,
        None => installation.config().http.listen,
    };
    let token = installation.config().http.token.as_ref().map(|t| t.reveal().to_owned());
    let door = Door::new(token)?;
    let listener = installation.block_on(door.bind(listen))?;
    let (ready, tariffs) = (Arc::clone(&door.ready), Arc::clone(&door.tariffs));
    let (landing, runtime) = (Arc::new(installation.landing()), installation.runtime().handle().clone());
    let reference = SharedReference::open(Arc::clone(&landing), installation.state()?, runtime)?;
    let (mut entries, mut sums) = (installation.entries()?, installation.totals()?);
    let settings = installation.flow_settings(args.workers);
    let config = installation.config();
    let watched = |folder| WatchFolder::new(folder, Arc::clone(&landing), config.data.tenant.clone(), config.landing.cut_rows);
    let folder = config.landing.watch_folder.clone().map(watched);
    let (log, live_landing) = (outlast(installation.patience(), || installation.log())?, Arc::clone(&landing));
    let installed = Installed::of(&installation, landing, Arc::clone(&log), reference.clone());
    let flow = Flow::start(installed, &entries, settings)?;
    let stop = Arc::new(flow.stopper());
    let listeners = Listeners::start(&installation, &live_landing)?;
    let failed = Arc::clone(&stop);
    let watching = folder.map(|folder| Watching::start(folder, move || failed())).transpose()?;
    let (closing, closed) = tokio::sync::watch::channel(false);
    serve(&installation, door, listener, closed, Arc::clone(&stop));
    watch_signals(&installation, closing, Arc::clone(&stop))?;
    let known = ready.set(Box::new(flow.readiness()));
    debug_assert!(known.is_ok(), "nobody else knows");
    let in_force = reference.clone();
    let known = tariffs.set(Box::new(move || Arc::clone(in_force.get().tariffs.set())));
    debug_assert!(known.is_ok(), "nobody else knows");
    tracing::info!(data = %installation.folder().display(), workers = settings.workers, "running");
    let (mut rng, leads) = (SystemRng::new()?, flow.leads());
    let mut keeper = Keeper::new(config.pipeline.settle_every);
    let house = || {
        reference.renew()?;
        totals::step(&mut entries, &mut sums, &SystemClock, &mut rng)?;
        trim_log(&*log, &entries)?;
        keep_house(&mut entries, settings.checkpoint_every)?;
        keep_house(&mut sums, settings.checkpoint_every)?;
        if leads() {
            keeper.step(&installation, &live_landing, &mut entries, &reference.get())?;
        }
        Ok(Vec::new())
    };
    let began = SystemClock.now_us();
    let watched = flow.watch(|_| (), house, Until::Stopped);
    stop();
    // Before the flow, so that what they hold is in landing; it is rated after the next start at the latest.
    let heard = listeners.finish();
    let looked = watching.map_or(Ok(()), Watching::finish);
    let finished = flow.finish()?;
    watched?;
    heard?;
    looked?;
    exit_code::waiting(&finished.waiting)?;
    tracing::info!(rows = finished.counts.rows_in, ran_s = (SystemClock.now_us() - began) / 1_000_000, "stopped in order");
    Ok(Exit::Done)
}

/// Serves metrics and health until `closed`.
pub(super) fn serve(
    installation: &Installation,
    door: Door,
    listener: tokio::net::TcpListener,
    mut closed: tokio::sync::watch::Receiver<bool>,
    stop: Arc<impl Fn() + Send + Sync + 'static>,
) {
    installation.runtime().spawn(async move {
        let until = async move {
            // An error means that the sender is gone: the service is ending.
            let _gone = closed.wait_for(|closed| *closed).await;
        };
        if let Err(e) = door.serve(listener, until).await {
            tracing::error!(error = %e, "cannot serve metrics and health");
            stop();
        }
    });
}

/// Stops in order when the process is asked to end.
pub(super) fn watch_signals(
    installation: &Installation,
    closing: tokio::sync::watch::Sender<bool>,
    stop: Arc<impl Fn() + Send + Sync + 'static>,
) -> anyhow::Result<()> {
    let _inside = installation.runtime().enter();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    installation.runtime().spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping in order");
        closing.send_replace(true);
        stop();
    });
    Ok(())
}
