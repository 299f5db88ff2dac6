//! Tells open pages of the console to look again. No content is sent, only what changed: the page fetches it.
//!
//! Promises: each stream begins with `again`, by which the page fetches everything, so that what happened between two
//! connections is never missed; a stream that fell behind says `again` too. It ends with its sign-in (at once where
//! that was ended in this process, within [`LOOK_EVERY`] otherwise) and with the program.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use axum::{
    extract::{Extension, State},
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
};
use futures::stream;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout_at},
};

use super::{
    Console,
    session::{self, Staff},
};
use crate::{
    id::MerchantId,
    work::{Event, Numbered},
};

/// How often a stream makes sure that its sign-in is still good.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How long changes are gathered before they are told: a turn makes several, and one look shows them all.
const GATHERED: Duration = Duration::from_millis(80);

/// Silence beyond which proxies and phones drop a connection is about a minute.
const ALIVE_EVERY: Duration = Duration::from_secs(20);

/// How long a browser waits before it connects anew.
const RETRY: Duration = Duration::from_millis(1_500);

/// Keeps nginx and its like from holding a stream back.
pub const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// What a page looks at again.
const ORDERS: &str = "orders";
const TALKS: &str = "talks";
const NAMES: &str = "names";
const AGAIN: &str = "again";
/// The sign-in is over.
const OUT: &str = "out";

struct Live {
    console: Console,
    token_hash: String,
    changes: Receiver<Numbered>,
    ended: Receiver<String>,
    look: Interval,
    /// What is still to be sent.
    ready: BTreeSet<String>,
    over: bool,
}

pub(super) async fn events(State(console): State<Console>, Extension(staff): Extension<Staff>) -> Response {
    let mut look = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = Live {
        changes: console.web.work.events(),
        ended: console.memory.ended.subscribe(),
        token_hash: staff.token_hash,
        look,
        ready: BTreeSet::from([AGAIN.to_owned()]),
        over: false,
        console,
    };
    let stream = stream::unfold(live, |mut live| async move {
        let name = live.next().await?;
        let event = Sent::default().event(name).data("-").retry(RETRY);
        Some((Ok::<_, Infallible>(event), live))
    });
    ([UNBUFFERED], Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE_EVERY))).into_response()
}

impl Live {
    /// The next thing to look at again; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(name) = self.ready.pop_first() {
                return Some(name);
            }
            if self.over {
                return None;
            }
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        let shutdown = self.console.web.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => self.over = true,
            ended = self.ended.recv() => match ended {
                Ok(token_hash) if token_hash != self.token_hash => {}
                // Ours, or so many that ours may have been among them.
                Ok(_) | Err(RecvError::Lagged(_)) => self.look_at_sign_in().await,
                Err(RecvError::Closed) => self.over = true,
            },
            _ = self.look.tick() => self.look_at_sign_in().await,
            change = self.changes.recv() => {
                self.take(change);
                let until = Instant::now() + GATHERED;
                while let Ok(change) = timeout_at(until, self.changes.recv()).await {
                    self.take(change);
                    if self.over {
                        break;
                    }
                }
            }
        }
    }

    fn take(&mut self, change: Result<Numbered, RecvError>) {
        let merchant = &self.console.web.merchant;
        match change {
            Ok(told) => self.ready.extend(names(&told.event, merchant)),
            Err(RecvError::Lagged(_)) => {
                self.ready.insert(AGAIN.to_owned());
            }
            Err(RecvError::Closed) => self.over = true,
        }
    }

    /// A database that does not answer ends no sign-in.
    async fn look_at_sign_in(&mut self) {
        if let Ok(None) = session::used(&self.console, &self.token_hash).await {
            self.ready = BTreeSet::from([OUT.to_owned()]);
            self.over = true;
        }
    }
}

fn names(event: &Event, ours: &MerchantId) -> Vec<String> {
    match event {
        Event::Conversation { merchant, conversation } if merchant == ours => {
            vec![TALKS.to_owned(), format!("talk-{conversation}")]
        }
        Event::Order { merchant, .. } if merchant == ours => vec![ORDERS.to_owned()],
        Event::Names { merchant } if merchant == ours => vec![NAMES.to_owned()],
        Event::Conversation { .. } | Event::Opened { .. } | Event::Order { .. } | Event::Names { .. } => Vec::new(),
        Event::Storing | Event::Anything => vec![AGAIN.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ConversationId, OrderId};

    #[test]
    fn only_this_shop_s_changes_are_told() {
        let (ours, other): (MerchantId, MerchantId) = ("pizzeria".parse().unwrap(), "petshop".parse().unwrap());
        let order = |merchant: &MerchantId| Event::Order { merchant: merchant.clone(), order: OrderId(1) };
        assert_eq!(names(&order(&ours), &ours), ["orders"]);
        assert!(names(&order(&other), &ours).is_empty());
        let talk = Event::Conversation { merchant: ours.clone(), conversation: ConversationId(1) };
        assert_eq!(names(&talk, &ours), ["talks", "talk-00000000-0000-0000-0000-000000000001"]);
        assert_eq!(names(&Event::Anything, &ours), ["again"]);
    }
}
