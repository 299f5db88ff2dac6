//! Which replica sends. A vendor's limits are those of an account and the messages of a conversation go in order, so one
//! process at a time hands messages out: who serves a file always does, of the replicas on a server the one with the
//! lease. The others leave what they write in the outbox and tell of it.
//!
//! A replica that reaches its database and no vendor any more gives the lease back and stands aside for a moment: another
//! one may have a better network. Where it is the vendor that is down, the lease goes round, and each tries in its turn.
//!
//! Race: a replica that is stopped and wakes up after its lease has ended may have a message on the wire, which the next
//! one sends again. It starts nothing more, as it looks at its own clock before each message, and what it would write
//! down names a lease that is not its own any more and is refused.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{failpoint::Failpoint, store::Lease};

/// How often the lease is prolonged: several times while it lasts, so that one slow answer does not lose it.
const RENEW_EVERY: Duration = Duration::from_secs(2);

/// No vendor could be reached for so long, by so many calls in a row: then it is not one call's bad luck.
const UNREACHED_FOR: Duration = Duration::from_secs(5);

/// See [`UNREACHED_FOR`].
const UNREACHED: u32 = 3;

/// How long who gave the lease back leaves it to others: each of them asks for it within this.
const ASIDE_FOR: Duration = Duration::from_secs(5);

/// How long calls that are under way may take to end before the lease is given back. What takes longer may go out twice.
const CALLS_END_WITHIN: Duration = Duration::from_secs(3);

/// How often they are counted meanwhile.
const CALLS_LOOKED_AT_EVERY: Duration = Duration::from_millis(20);

/// The lease's name.
const SENDING: &str = "sending";

/// The lease, while this process has it.
pub(super) type Lead = watch::Sender<Option<Arc<Lease>>>;

/// Whether vendors can be reached from here.
#[derive(Default)]
pub(super) struct Reach {
    /// Calls in a row that nobody answered, and when the first of them began.
    unanswered: Mutex<Option<(u32, Instant)>>,
    lost: Notify,
}

impl Reach {
    /// A call that began then was answered, or failed on its way or at the vendor's.
    pub(super) fn called(&self, begun: Instant, answered: bool) {
        let mut unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            *unanswered = None;
            return;
        }
        let (calls, since) = unanswered.unwrap_or((0, begun));
        *unanswered = Some((calls.saturating_add(1), since));
        if calls + 1 >= UNREACHED && since.elapsed() >= UNREACHED_FOR {
            *unanswered = None;
            self.lost.notify_one();
        }
    }

    /// Begins anew: what was noticed before is no news any more.
    fn forget(&self) {
        *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // A notice that nobody waited for is kept for whoever comes.
        let _ = self.lost.notified().now_or_never();
    }
}

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

    /// Gives the lease back at the end, so that another replica goes on at once.
    pub(super) async fn step_down(&self) {
        if let Some(lease) = self.inner.lead.send_replace(None) {
            self.give_back(&lease).await;
        }
    }

    /// Starts no more calls, waits for those under way, and gives the lease back.
    async fn stand_aside(&self) {
        let Some(lease) = self.inner.lead.send_replace(None) else { return };
        let ended = async {
            while !self.inner.sending.is_empty() {
                tokio::time::sleep(CALLS_LOOKED_AT_EVERY).await;
            }
        };
        // Some may hang for longer. What becomes of those is the next holder's to find out.
        let _ = tokio::time::timeout(CALLS_END_WITHIN, ended).await;
        self.give_back(&lease).await;
        lease.end();
    }

    async fn give_back(&self, lease: &Lease) {
        if let Err(fault) = self.store().let_go(lease).await {
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
            () = tokio::time::sleep(RENEW_EVERY) => continue,
            () = work.inner.reach.lost.notified() => {}
        }
        if work.leads().is_some() {
            tracing::warn!("no vendor can be reached from here; another replica may send");
            work.stand_aside().await;
            tokio::select! {
                () = closing.cancelled() => return,
                () = tokio::time::sleep(ASIDE_FOR) => {}
            }
        }
        work.inner.reach.forget();
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
