//! Points in time and spans between them, in whole milliseconds. A clock is read in the shells alone;
//! everything inside is handed a [`Moment`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Moment {
    /// The moment that a system clock showed.
    pub fn of(clock: SystemTime) -> Moment {
        match clock.duration_since(UNIX_EPOCH) {
            Ok(since) => Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Err(before) => Moment(-i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX)),
        }
    }

    /// This moment, moved on; stops at the end of time instead of wrapping.
    pub fn after(self, span: Span) -> Moment {
        Moment(self.0.saturating_add(span.0))
    }

    /// How long it is from `earlier` to here; negative where `earlier` is later.
    pub fn since(self, earlier: Moment) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// So many milliseconds.
    pub const fn millis(n: i64) -> Span {
        Span(n)
    }

    /// So many seconds.
    pub const fn seconds(n: i64) -> Span {
        Span(n.saturating_mul(1_000))
    }

    /// So many minutes.
    pub const fn minutes(n: i64) -> Span {
        Span(n.saturating_mul(60_000))
    }

    /// So many hours.
    pub const fn hours(n: i64) -> Span {
        Span(n.saturating_mul(3_600_000))
    }

    /// As the standard library has it; a negative span is nothing.
    pub fn to_duration(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}
