//! The service's door: metrics for Prometheus, whether it lives and is ready, and what a call costs. Loopback unless configured
//! otherwise.

pub mod openapi;
mod price;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Router, response::IntoResponse};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rate::tariff::set::TariffSet;
use tokio::net::TcpListener;

/// Largest question: it is a handful of short texts.
const QUESTION_BYTES_MAX: usize = 16 * 1024;

/// Tells whether the work is done, asked at each knock; the text is the answer, an error says that it is not.
pub type Readiness = Box<dyn Fn() -> Result<String, String> + Send + Sync>;

/// The tariffs in force, asked for at each knock.
pub type InForce = Box<dyn Fn() -> Arc<TariffSet> + Send + Sync>;

/// What the door knows.
#[derive(Clone)]
pub struct Door {
    metrics: PrometheusHandle,
    /// Set once something works behind the door.
    pub ready: Arc<OnceLock<Readiness>>,
    /// Set once reference data is there.
    pub tariffs: Arc<OnceLock<InForce>>,
    token: Option<Arc<str>>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    /// Installs the metrics recorder. Without a token only loopback addresses may be listened on.
    pub fn new(token: Option<String>) -> anyhow::Result<Self> {
        let metrics = PrometheusBuilder::new().install_recorder()?;
        pipeline::metrics::describe();
        Ok(Self { metrics, ready: Arc::default(), tariffs: Arc::default(), token: token.map(Into::into) })
    }

    /// Takes the address, before anything else is started: a service that nobody can watch is none.
    pub async fn bind(&self, address: SocketAddr) -> anyhow::Result<TcpListener> {
        if !address.ip().is_loopback() && self.token.is_none() {
            return Err(crate::exit_code::usage(format!(
                "{address} is no loopback address and `http.token` is not set; every door checks who knocks"
            )));
        }
        let taken = || format!("cannot listen on {address}; give another one with --listen or `http.listen`");
        TcpListener::bind(address).await.with_context(taken)
    }

    /// Serves until `stop` resolves.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/openapi.json", get(openapi::document))
            .route("/v1/rate", post(price::price).layer(DefaultBodyLimit::max(QUESTION_BYTES_MAX)))
            .with_state(self);
        tracing::info!(address = %listener.local_addr()?, "listening");
        axum::serve(listener, routes).with_graceful_shutdown(stop).await?;
        Ok(())
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        given.is_some_and(|given| constant_time_eq(given.as_bytes(), token.as_bytes()))
    }
}

/// Compares without telling by its duration where two texts differ.
fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

async fn metrics(State(door): State<Door>, headers: HeaderMap) -> impl IntoResponse {
    if door.admits(&headers) { (StatusCode::OK, door.metrics.render()) } else { (StatusCode::UNAUTHORIZED, String::new()) }
}

async fn ready(State(door): State<Door>) -> impl IntoResponse {
    match door.ready.get().map_or_else(|| Err("starting\n".to_owned()), |ready| ready()) {
        Ok(said) => (StatusCode::OK, said),
        Err(said) => (StatusCode::SERVICE_UNAVAILABLE, said),
    }
}
