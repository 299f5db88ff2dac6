//! What traces tell of a message: its arrival (until the vendor is answered), its turn (until the commit) and the
//! sending of what it brought about, as spans of one trace. Nothing of what was said, and nobody's name. Where no
//! collector is set (`OTEL_EXPORTER_OTLP_ENDPOINT`) nobody wants the spans, and they cost a comparison each.

use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    channel::{Arrival, ChannelKind},
    store::Unsent,
};

/// The target of every span here, by which the log leaves them out and traces let nothing else in.
pub const TARGET: &str = "usual::trace";

/// Whence something comes: a span that may be over.
#[derive(Debug, Clone)]
pub(super) struct Origin(SpanContext);

impl Origin {
    /// A span as an origin; `None` where nobody wants it.
    pub(super) fn of(span: &Span) -> Option<Origin> {
        (!span.is_disabled()).then(|| Origin(span.context().span().span_context().clone()))
    }
}

/// What came in, until its vendor can be answered.
pub(super) fn arrival(arrival: &Arrival) -> Span {
    let channel = arrival.channel.word();
    tracing::info_span!(target: TARGET, "arrival", otel.kind = "server", merchant = %arrival.merchant, channel)
}

/// A turn within its batch, until the commit.
pub(super) fn turn(arrival: &Span, together: usize) -> Span {
    tracing::info_span!(target: TARGET, parent: arrival, "turn", together)
}

/// A message handed to its vendor, until the vendor has answered.
pub(super) fn sending(message: &Unsent, origin: Option<Origin>) -> Span {
    let Unsent { merchant, conversation, seq, attempts, .. } = message;
    let channel: ChannelKind = message.channel;
    let span = tracing::info_span!(
        target: TARGET, parent: None, "sending", otel.kind = "client", %merchant, channel = channel.word(), %conversation,
        seq, attempts, outcome = tracing::field::Empty
    );
    if let Some(Origin(origin)) = origin {
        // A span that nobody wants has no parent either.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(origin));
    }
    span
}
