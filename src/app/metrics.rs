//! `/metrics`, for Prometheus. How much a shop sells is nobody's business: it is shown to who knows the token, and
//! where none is set and the shop is open on this machine alone, to this machine.

use axum::{
    Router,
    extract::{Extension, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use url::{Host, Url};

use crate::{console::PeerAddress, secret::Secret, work::Work};

/// What OpenMetrics texts are called.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a proxy adds to a request of somebody else's: behind one, everybody seems to be this machine.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

#[derive(Clone)]
struct Metrics {
    work: Work,
    token: Option<Secret>,
    at_home: bool,
}

/// The route. Where there is a `token`, everybody must send it as `Authorization: Bearer …`; without one this machine
/// may ask, as long as the shop's own address is on it: a proxy need not say for whom it asks.
pub(super) fn routes(work: Work, token: Option<Secret>, public_url: &Url) -> Router {
    let at_home = match public_url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    Router::new().route("/metrics", get(show)).with_state(Metrics { work, token, at_home })
}

async fn show(State(metrics): State<Metrics>, address: Option<Extension<PeerAddress>>, headers: HeaderMap) -> Response {
    let here = metrics.at_home
        && metrics.token.is_none()
        && address.is_some_and(|Extension(PeerAddress(address))| address.ip().is_loopback())
        && !FORWARDED.iter().any(|name| headers.contains_key(*name));
    if !here && !knows(&headers, metrics.token.as_ref()) {
        let hint = "set USUAL_METRICS_TOKEN and send it as a bearer token\n";
        return (StatusCode::FORBIDDEN, hint).into_response();
    }
    match metrics.work.metrics().await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(fault) => {
            tracing::error!(%fault, "the metrics can't be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

/// Whether the request holds the token.
fn knows(headers: &HeaderMap, token: Option<&Secret>) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    given.zip(token).is_some_and(|(given, token)| token.is(given))
}
