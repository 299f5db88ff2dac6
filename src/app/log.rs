//! What the program says of itself while it serves: the log, for people or for machines, and traces for a collector of
//! OpenTelemetry's protocol (OTLP over HTTP) where one is set.
//!
//! Traces are handed over by a thread of their own; a collector that is slow or gone costs what it would have been told,
//! and nothing else.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, FilterFn, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};
use url::Url;

use crate::work::trace;

/// The path at a collector (the protocol's own).
const PATH: &str = "v1/traces";

/// How long one delivery to the collector may take.
const DELIVERY: Duration = Duration::from_secs(5);

/// How long the end of the program waits for the last delivery.
const LAST_DELIVERY: Duration = Duration::from_secs(2);

/// The beginning of the targets that are this program's own.
const OURS: &str = env!("CARGO_PKG_NAME");

/// How much libraries may say, whatever is asked for. Their finer words tell what they are handed (statements, addresses,
/// bytes on the wire), and in that are customers' words and the shop's keys.
const MOST_OF_OTHERS: Level = Level::INFO;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// Traces under way to their collector, if there is one.
pub struct Traces(Option<SdkTracerProvider>);

/// Logs to standard error, as standard output belongs to what a command prints, and begins the traces. Called within the
/// runtime, which must outlive [`Traces::close`].
pub fn start(filter: &str, format: Format, collector: Option<&Url>) -> anyhow::Result<Traces> {
    let traces = collector.map(provider).transpose()?;
    let layer = traces.as_ref().map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer("usual"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| metadata.target() == trace::TARGET))
    });
    tracing_subscriber::registry().with(lines(filter, format)).with(layer).init();
    Ok(Traces(traces))
}

/// The log alone, for commands that serve nobody.
pub fn quietly(filter: &str) {
    tracing_subscriber::registry().with(lines(filter, Format::Text)).init();
}

fn lines<S>(filter: &str, format: Format) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let fit: FilterFn = FilterFn::new(|metadata| {
        let target = metadata.target();
        target != trace::TARGET && (is_ours(target) || *metadata.level() <= MOST_OF_OTHERS)
    });
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        Format::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    lines.with_filter(filter.and(fit))
}

fn is_ours(target: &str) -> bool {
    target.strip_prefix(OURS).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn provider(collector: &Url) -> anyhow::Result<SdkTracerProvider> {
    let endpoint = format!("{}/{PATH}", collector.as_str().trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(DELIVERY).build().context("no client for traces")?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client { client, runtime: tokio::runtime::Handle::current() })
        .with_endpoint(endpoint)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT names no collector")?;
    let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => Resource::builder(),
        None => Resource::builder().with_service_name("usual"),
    };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build())
}

impl Traces {
    /// Hands over what is left.
    pub fn close(self) {
        if let Traces(Some(traces)) = self
            && let Err(fault) = traces.shutdown_with_timeout(LAST_DELIVERY)
        {
            tracing::warn!(%fault, "the last traces did not reach their collector");
        }
    }
}

/// The client that the rest of the program has: the exporter's own would bring a second one.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        // The exporter's thread is none of the runtime's.
        let answered = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = client.execute(request).await?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        });
        answered.await?
    }
}
