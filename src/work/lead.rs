//! Which replica sends. A vendor's limits are those of an account and the messages of a conversation go in order, so one
//! process at a time hands messages out: who serves a file always does, of the replicas on a server the one with the
//! lease. The others leave what they write in the outbox and tell of it.
//!
//! Race: a replica that is stopped and wakes up after its lease has ended may have a message on the wire, which the next
//! one sends again. It starts nothing more, as it looks at its own clock before each message, and what it would write
//! down names a lease that is not its own any more and is refused.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{failpoint::Failpoint, store::Lease};

/// How often the lease is prolonged: several times while it lasts, so that one slow answer does not lose it.
const RENEW_EVERY: Duration = Duration::from_secs(2);

/// The lease's name.
const SENDING: &str = "sending";

/// The lease, while this process has it.
pub(super) type Lead = watch::Sender<Option<Arc<Lease>>>;

impl Work {
    /// The lease to send, if this process has it and it lasts.
    pub(super) fn leads(&self) -> Option<Arc<Lease>> {
        self.inner.lead.borrow().clone().filter(|lease| lease.lasts())
    }

    /// Waits until this process is the one that sends, or no longer is.
    pub async fn leading(&self, leads: bool) {
        let mut lead = self.inner.lead.subscribe();
        // The sender of it lives as long as the work.
        let _ = lead.wait_for(|lease| lease.is_some() == leads).await;
    }

    /// Gives the lease back, so that another replica goes on at once.
    pub(super) async fn step_down(&self) {
        if let Some(lease) = self.inner.lead.send_replace(None)
            && let Err(fault) = self.store().let_go(&lease).await
        {
            tracing::warn!(%fault, "the lease to send could not be given back; it ends by itself");
        }
    }
}

/// Takes the lease where it can be had, and keeps it, until the end.
pub(super) async fn keep(work: Work, closing: CancellationToken) {
    loop {
        if let Some(shop) = work.first_shop() {
            match work.store().lease(&shop.id, SENDING, &work.inner.replica).await {
                Ok(lease) => {
                    Failpoint::Leased.pass();
                    turn_to(&work, lease.map(Arc::new));
                }
                Err(fault) => {
                    tracing::warn!(%fault, "the lease to send could not be asked for; trying again");
                    if work.leads().is_none() {
                        turn_to(&work, None);
                    }
                }
            }
        }
        if !work.store().shared() {
            return;
        }
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
    }
}

/// Notes who leads. Whoever watches hears only of another holding; one that goes on is prolonged for all who have it.
fn turn_to(work: &Work, lease: Option<Arc<Lease>>) {
    work.inner.lead.send_if_modified(|lead| {
        match (&*lead, &lease) {
            (Some(old), Some(new)) if old.same(new) => {
                old.prolong(new);
                return false;
            }
            (None, None) => return false,
            (Some(_), Some(_) | None) | (None, Some(_)) => {}
        }
        if work.store().shared() {
            tracing::info!(leads = lease.is_some(), "who sends has changed");
        }
        *lead = lease;
        true
    });
}
