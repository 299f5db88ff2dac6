//! What is counted and timed while the program works, in the text form that Prometheus reads. Labels name channels,
//! kinds of work and what became of it; nothing here knows a customer, a conversation or a word that was said.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{channel::ChannelKind, moment::Moment, store::Vitals};

/// Bounds of what takes a moment, in seconds: a commit on a fast disk to one that somebody notices.
const MOMENTS: [f64; 14] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Bounds of how many jobs share a commit: powers of two up to the most that do.
const TOGETHER: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Counters and clocks of a running program.
pub(crate) struct Meter {
    registry: Registry,
    /// One text at a time: what was seen is put in place and read in one go.
    reading: Mutex<()>,
    arrivals: Histograms<OfChannel>,
    refused: Family<OfChannel, Counter>,
    turns: Family<OfTurn, Counter>,
    commits: Histogram,
    together: Histogram,
    uncommitted: Family<OfTrouble, Counter>,
    sends: Histograms<OfSend>,
    retries: Family<OfChannel, Counter>,
    outbox: Family<OfOutbox, Gauge>,
    unmarked: Gauge,
    repeats: Counter,
    oldest: Family<OfChannel, Gauge<f64, AtomicU64>>,
    aside: Gauge,
    database: Gauge,
    queue: Gauge,
    screens: Gauge,
    sender: Gauge,
    resident: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChannel {
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTurn {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTrouble {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSend {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutbox {
    channel: &'static str,
    state: &'static str,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is on disk.
    Stored,
    /// Staff wanted what can't be done.
    NotDone,
    /// The store was busy or full: whoever sent it sends it again.
    Unstored,
    /// It failed; an arrival is kept aside then.
    Failed,
}

/// What is seen at the moment of asking.
pub(super) struct Seen {
    /// From the store.
    pub(super) vitals: Vitals,
    /// Jobs that wait for the writer.
    pub(super) queue: usize,
    /// Whoever listens to what changes.
    pub(super) screens: usize,
    /// Whether this process sends.
    pub(super) sends: bool,
    /// The time by the clock.
    pub(super) now: Moment,
}

impl Meter {
    pub(super) fn new() -> Meter {
        let moments: fn() -> Histogram = || Histogram::new(MOMENTS);
        let mut meter = Meter {
            registry: Registry::with_prefix("usual"),
            reading: Mutex::new(()),
            arrivals: Family::new_with_constructor(moments),
            refused: Family::default(),
            turns: Family::default(),
            commits: moments(),
            together: Histogram::new(TOGETHER),
            uncommitted: Family::default(),
            sends: Family::new_with_constructor(moments),
            retries: Family::default(),
            outbox: Family::default(),
            unmarked: Gauge::default(),
            repeats: Counter::default(),
            oldest: Family::default(),
            aside: Gauge::default(),
            database: Gauge::default(),
            queue: Gauge::default(),
            screens: Gauge::default(),
            sender: Gauge::default(),
            resident: Gauge::default(),
        };
        let r = &mut meter.registry;
        let arrivals = "From taking an arrival until all that came of it was on disk";
        r.register_with_unit("arrival", arrivals, Unit::Seconds, meter.arrivals.clone());
        r.register(
            "arrivals_refused",
            "Arrivals that could not be stored; their senders repeat them",
            meter.refused.clone(),
        );
        r.register("turns", "Jobs of the writer by what became of them", meter.turns.clone());
        r.register_with_unit(
            "commit",
            "Transactions of the writer, commit included",
            Unit::Seconds,
            meter.commits.clone(),
        );
        r.register("commit_jobs", "Jobs that shared a transaction", meter.together.clone());
        let uncommitted = "Transactions of the writer that the database could not take: it was busy or out of reach, \
                           or unwritable, its disk being full or read-only";
        r.register("commits_failed", uncommitted, meter.uncommitted.clone());
        let sends = "Calls to vendors by what they answered";
        r.register_with_unit("send", sends, Unit::Seconds, meter.sends.clone());
        r.register("retries", "Messages that a vendor did not take and that are tried again", meter.retries.clone());
        r.register("outbox_messages", "Messages to customers that have not gone out", meter.outbox.clone());
        let unmarked =
            "Messages that a vendor took and that are not noted as sent yet: a crash now would send them again";
        r.register("outbox_unmarked", unmarked, meter.unmarked.clone());
        let repeats = "Messages that a start sent though an end without notice may have come between a vendor's taking \
                       them and the note of it; an upper bound: the first that was due of each conversation";
        r.register("outbox_repeats", repeats, meter.repeats.clone());
        let oldest = "Age of the oldest message that waits to go out";
        r.register_with_unit("outbox_oldest", oldest, Unit::Seconds, meter.oldest.clone());
        r.register("aside_messages", "Arrivals whose turn failed, kept for the staff", meter.aside.clone());
        r.register_with_unit("database", "Size of the database file", Unit::Bytes, meter.database.clone());
        r.register("writer_queue", "Jobs that wait for the writer", meter.queue.clone());
        r.register("sender", "Whether this process is the one that sends: 1 of all replicas", meter.sender.clone());
        r.register("screens", "Open pages and others that follow changes", meter.screens.clone());
        let resident = "Memory of the process that is not swapped out";
        r.register_with_unit("process_resident_memory", resident, Unit::Bytes, meter.resident.clone());
        meter
    }

    pub(super) fn arrived(&self, channel: ChannelKind, since: Instant, stored: bool) {
        let of = OfChannel { channel: channel.word() };
        if stored {
            self.arrivals.get_or_create(&of).observe(since.elapsed().as_secs_f64());
        } else {
            self.refused.get_or_create(&of).inc();
        }
    }

    pub(super) fn turned(&self, kind: &'static str, ended: Ended) {
        let outcome = match ended {
            Ended::Stored => "stored",
            Ended::NotDone => "not_done",
            Ended::Unstored => "unstored",
            Ended::Failed => "failed",
        };
        self.turns.get_or_create(&OfTurn { kind, outcome }).inc();
    }

    pub(super) fn committed(&self, jobs: usize, took: Duration) {
        self.commits.observe(took.as_secs_f64());
        self.together.observe(jobs as f64);
    }

    /// A transaction was not committed, for that kind of trouble of the store.
    pub(super) fn not_committed(&self, kind: &'static str) {
        self.uncommitted.get_or_create(&OfTrouble { kind }).inc();
    }

    pub(super) fn sent(&self, channel: ChannelKind, outcome: &'static str, took: Duration) {
        self.sends.get_or_create(&OfSend { channel: channel.word(), outcome }).observe(took.as_secs_f64());
    }

    /// A vendor did not take a message, which is tried again later.
    pub(super) fn retried(&self, channel: ChannelKind) {
        self.retries.get_or_create(&OfChannel { channel: channel.word() }).inc();
    }

    /// A vendor took a message.
    pub(super) fn taken(&self) {
        self.unmarked.inc();
    }

    /// That it did is on record.
    pub(super) fn marked(&self) {
        self.unmarked.dec();
    }

    /// So many messages of an earlier run may go out a second time.
    pub(super) fn repeated(&self, messages: u64) {
        self.repeats.inc_by(messages);
    }

    /// Everything, in the text form of OpenMetrics.
    pub(super) fn text(&self, seen: &Seen) -> String {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Channels that have nothing waiting any more are gone from the store's answer.
        self.outbox.clear();
        self.oldest.clear();
        for waiting in &seen.vitals.outbox {
            let channel = waiting.channel.word();
            self.outbox.get_or_create(&OfOutbox { channel, state: "waiting" }).set(waiting.waiting);
            self.outbox.get_or_create(&OfOutbox { channel, state: "failed" }).set(waiting.failed);
            if let Some(oldest) = waiting.oldest {
                let age = seen.now.since(oldest).to_duration().as_secs_f64();
                self.oldest.get_or_create(&OfChannel { channel }).set(age);
            }
        }
        self.aside.set(seen.vitals.aside);
        self.database.set(i64::try_from(seen.vitals.bytes).unwrap_or(i64::MAX));
        self.queue.set(i64::try_from(seen.queue).unwrap_or(i64::MAX));
        self.sender.set(i64::from(seen.sends));
        self.screens.set(i64::try_from(seen.screens).unwrap_or(i64::MAX));
        self.resident.set(resident_bytes().unwrap_or(0));
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}

/// The process's memory, where the system says (Linux).
fn resident_bytes() -> Option<i64> {
    /// The kernel counts in these.
    const KIB: i64 = 1024;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<i64>().ok().map(|kib| kib * KIB)
}
