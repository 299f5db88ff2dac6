//! Places where a test ends the program as a crash would: each stands between two steps that a crash may part.
//!
//! `FAILPOINTS="turn_committed=5%return"` in the environment ends it there at one passing in twenty
//! (<https://docs.rs/fail>, where other ways to write it are). Only builds for tests have it: in any other the feature
//! `failpoints` of the crate `fail` is off, and nothing is left of a place.

use fail::FailScenario;

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failpoint {
    /// The database is open and its tables are up to date; nobody listens yet.
    Opened,
    /// What an earlier run left in the outbox was read, and nothing of it sent.
    OutboxRead,
    /// The right to send was taken or prolonged.
    Leased,
    /// An update was read and not yet handed to the writer.
    UpdateRead,
    /// The number of an order was taken, and the order is not yet written.
    NumberTaken,
    /// A batch of turns was run and not yet committed.
    BatchRun,
    /// A batch was committed, and nobody knows yet.
    BatchCommitted,
    /// What a batch wrote was handed to the sender and the screens, and its vendors wait for their answer.
    Published,
    /// A message is about to be handed to its vendor.
    Sending,
    /// A vendor took a message, and that is not yet written down.
    VendorTook,
    /// That a vendor took a message is written down, and the next one of its chat is not yet let go.
    Marked,
    /// All updates of an answer were stored, and the vendor was not yet told to forget them.
    Fetched,
    /// The pages were closed, and what was handed in is still to be written.
    Draining,
}

impl Failpoint {
    /// Each.
    pub const ALL: [Failpoint; 13] = [
        Failpoint::Opened,
        Failpoint::OutboxRead,
        Failpoint::Leased,
        Failpoint::UpdateRead,
        Failpoint::NumberTaken,
        Failpoint::BatchRun,
        Failpoint::BatchCommitted,
        Failpoint::Published,
        Failpoint::Sending,
        Failpoint::VendorTook,
        Failpoint::Marked,
        Failpoint::Fetched,
        Failpoint::Draining,
    ];

    /// Its name in `FAILPOINTS`.
    pub fn word(self) -> &'static str {
        match self {
            Failpoint::Opened => "opened",
            Failpoint::OutboxRead => "outbox_read",
            Failpoint::Leased => "leased",
            Failpoint::UpdateRead => "update_read",
            Failpoint::NumberTaken => "number_taken",
            Failpoint::BatchRun => "batch_run",
            Failpoint::BatchCommitted => "batch_committed",
            Failpoint::Published => "published",
            Failpoint::Sending => "sending",
            Failpoint::VendorTook => "vendor_took",
            Failpoint::Marked => "marked",
            Failpoint::Fetched => "fetched",
            Failpoint::Draining => "draining",
        }
    }

    /// Goes by it, or does not.
    pub fn pass(self) {
        fail::fail_point!(self.word(), |_| std::process::abort());
    }
}

/// Reads `FAILPOINTS`, in builds that have such places; they are there for as long as what is returned.
pub fn set_up() -> Option<FailScenario<'static>> {
    fail::has_failpoints().then(FailScenario::setup)
}
