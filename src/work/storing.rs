//! Whether what is decided can be stored. A disk that is full or a server that is gone concerns every message: the log
//! says once that it begins and once that it is over, so do the console's pages, and the meter counts what was tried in
//! vain meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Event, Work};
use crate::store::StoreError;

/// Whether the last transaction failed for the store's sake.
#[derive(Default)]
pub(super) struct Storing {
    failing: AtomicBool,
}

impl Work {
    /// Whether what arrives can be stored, as far as the last try tells.
    pub fn is_storing(&self) -> bool {
        !self.inner.storing.failing.load(Ordering::Relaxed)
    }

    /// A transaction was committed.
    pub(super) fn stores(&self) {
        let failing = &self.inner.storing.failing;
        // Each commit comes by, and hardly ever has anything to say.
        if failing.load(Ordering::Relaxed) && failing.swap(false, Ordering::Relaxed) {
            tracing::info!("what arrives is stored again");
            self.tell(Event::Storing);
        }
    }

    /// A transaction could not be committed. A fault that is not the store's trouble is somebody else's to tell.
    pub(super) fn fails_to_store(&self, fault: &StoreError) {
        let Some(kind) = trouble(fault) else { return };
        self.inner.meter.not_committed(kind);
        if !self.inner.storing.failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%fault, "what arrives can't be stored; until it can, senders are told to try again");
            self.tell(Event::Storing);
        }
    }
}

/// The store's trouble in a word.
fn trouble(fault: &StoreError) -> Option<&'static str> {
    match fault {
        StoreError::Busy(_) => Some("busy"),
        StoreError::Unwritable(_) => Some("unwritable"),
        StoreError::Stale | StoreError::Taken(_) | StoreError::Corrupt(_) | StoreError::Failed(_) => None,
    }
}
