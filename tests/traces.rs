//! Traces, as a collector gets them: each message's arrival, turn and sending are one trace, and nothing in it is a
//! customer's. The collector here takes OpenTelemetry's protocol as it is published (protobuf over HTTP) and keeps all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;

use self::support::{
    shop::{Program, free_port},
    telegram::{FakeTelegram, TOKEN},
};

mod support;

/// What a collector was sent: the bodies.
#[derive(Clone, Default)]
struct Collector {
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    async fn start() -> (Collector, String) {
        let collector = Collector::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.bodies.lock().unwrap().clone()
    }

    /// All spans, and the names of the services that sent them.
    fn spans(&self) -> (Vec<Span>, Vec<String>) {
        let (mut spans, mut services) = (Vec::new(), Vec::new());
        for body in self.bodies() {
            for part in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
                services.extend(text(&part.resource.unwrap_or_default().attributes, "service.name"));
                spans.extend(part.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        (spans, services)
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collector.bodies.lock().unwrap().push(body);
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        other => panic!("{key} is {other:?}"),
    }
}

async fn shop(telegram: &FakeTelegram, collector: &str) -> Program {
    Program::start_with(&[
        ("TELOXIDE_TOKEN", TOKEN),
        ("TELOXIDE_API_URL", telegram.url()),
        ("USUAL_TELEGRAM_SECRET", "a-secret_of-traces"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
    ])
    .await
}

#[tokio::test]
async fn a_message_is_one_trace_from_its_arrival_to_its_answer() {
    let telegram = FakeTelegram::start().await;
    let (collector, address) = Collector::start().await;
    let mut program = shop(&telegram, &address).await;
    let said = ["2 margherita to Canary lane 7", "Zaphodine"];
    for text in said {
        telegram.ask(4_242_424_242, text).await;
    }
    telegram.wait_delivered().await;
    // The last ones go out at the end.
    program.stop().await;

    let (spans, services) = collector.spans();
    assert!(!services.is_empty() && services.iter().all(|service| service == "usual"), "{services:?}");
    let mut traces: BTreeMap<Vec<u8>, Vec<&Span>> = BTreeMap::new();
    for span in &spans {
        traces.entry(span.trace_id.clone()).or_default().push(span);
    }
    assert_eq!(traces.len(), said.len(), "one trace for each message: {spans:#?}");
    for trace in traces.values() {
        let named = |name: &str| {
            let found: Vec<&&Span> = trace.iter().filter(|span| span.name == name).collect();
            assert_eq!(found.len(), 1, "one {name} in each trace: {trace:#?}");
            found[0]
        };
        let (arrival, turn, sending) = (named("arrival"), named("turn"), named("sending"));
        assert!(arrival.parent_span_id.is_empty());
        assert_eq!(turn.parent_span_id, arrival.span_id);
        assert_eq!(sending.parent_span_id, turn.span_id);
        assert_eq!((arrival.kind(), sending.kind()), (SpanKind::Server, SpanKind::Client));
        assert_eq!(text(&arrival.attributes, "merchant").as_deref(), Some("pizzeria"));
        assert_eq!(text(&sending.attributes, "channel").as_deref(), Some("telegram"));
        assert_eq!(text(&sending.attributes, "outcome").as_deref(), Some("sent"));
        assert!(arrival.start_time_unix_nano <= turn.start_time_unix_nano, "a turn begins within its arrival");
        assert!(turn.end_time_unix_nano <= sending.end_time_unix_nano, "what is sent was committed");
    }
    for body in collector.bodies() {
        let body = String::from_utf8_lossy(&body).into_owned();
        for canary in ["argherita", "Canary", "Zaphodine", "4242424242", TOKEN] {
            assert!(!body.contains(canary), "{canary} is in a trace: {body}");
        }
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_costs_nobody_an_answer() {
    let telegram = FakeTelegram::start().await;
    let mut program = shop(&telegram, &format!("http://127.0.0.1:{}", free_port())).await;
    for n in 0..20 {
        assert!(!telegram.ask(n, "2 margherita").await.is_empty());
    }
    telegram.wait_delivered().await;
    program.stop().await;
}
