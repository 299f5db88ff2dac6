//! Fetching updates (`getUpdates`) where Telegram can't post them: no public address, or no secret.
//!
//! Telegram forgets an update when `getUpdates` is called with a higher `offset`. So the next call goes out only after
//! every update of the batch before it was committed: after a crash the whole batch comes again, and the inbox knows
//! what it has. Chats of a batch are worked on in parallel, the updates of one chat in their order, which needs no more
//! than the order in the batch.
//!
//! Races it knows:
//! - A chat whose updates can't be stored holds up the next batch for all, as there is one `offset` for all. It is tried
//!   again for as long as it takes; to skip it would lose it.
//! - Two programs with one token take turns in ending each other's call (409). Both go on, so that the one that is left
//!   works; the log says it. Updates go to whichever asks first, and if they share a database that does no harm.
//! - Update ids start anew at a random number after a week without any. The offset is therefore sent until Telegram has
//!   answered it with nothing, and then left out until there is a new batch.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::StreamExt;
use serde_json::{json, value::RawValue};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    ALLOWED_UPDATES, CALL_TIMEOUT, Fault, Parsed, StartError, Telegram,
    backoff::Backoff,
    fault::{CallError, Refusal},
    parse::parse,
};
use crate::{
    channel::{Inbox, Peer},
    failpoint::Failpoint,
    moment::Moment,
};

/// How long Telegram keeps a call open when there is nothing. Half a minute is below the minute after which proxies
/// close a silent connection.
const LONG_POLL: Duration = Duration::from_secs(30);

/// How much longer than that we wait for the answer before we take the connection for dead.
const GRACE: Duration = Duration::from_secs(10);

/// An empty answer that came sooner than this was not a long poll: some server in between answers by itself.
const TOO_SOON: Duration = Duration::from_secs(1);

/// The wait after such an answer, lest we ask in a circle.
const REST: Duration = Duration::from_millis(500);

/// Most updates in one batch (`getUpdates.limit`: 1 to 100).
const BATCH: u8 = 100;

/// How many chats are worked on at once, as many as Telegram's webhooks would have.
const PARALLEL_CHATS: usize = 40;

/// Fetches and delivers updates until `shutdown`, and then stops at once: what was not committed comes again.
///
/// # Errors
/// [`StartError::Token`] where Telegram does not accept the token (any more): nothing but another token mends that.
pub async fn run(telegram: Telegram, inbox: Arc<dyn Inbox>, shutdown: CancellationToken) -> Result<(), StartError> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Ok(()),
        error = fetch_for_ever(&telegram, &*inbox) => {
            tracing::error!(%error, "Telegram is not asked for updates any more");
            Err(error)
        }
    }
}

async fn fetch_for_ever(telegram: &Telegram, inbox: &dyn Inbox) -> StartError {
    let mut backoff = Backoff::default();
    let mut hooked = true;
    let mut offset = None;
    loop {
        let step = async {
            if hooked {
                delete_webhook(telegram).await?;
            }
            get_updates(telegram, offset).await
        };
        let asked = Instant::now();
        match step.await {
            Ok(updates) => {
                hooked = false;
                if updates.is_empty() {
                    backoff.succeeded();
                    // An offset that has just confirmed something may be answered with nothing at once.
                    if offset.take().is_none() && asked.elapsed() < TOO_SOON {
                        tokio::time::sleep(REST).await;
                    }
                    continue;
                }
                match deliver(telegram, inbox, &updates).await {
                    Some(last) => {
                        Failpoint::Fetched.pass();
                        backoff.succeeded();
                        offset = Some(last.saturating_add(1));
                    }
                    // Nothing in it has a number that could be confirmed: it will come again.
                    None => tokio::time::sleep(backoff.failed()).await,
                }
            }
            Err(CallError::Said(Refusal { code: 409, description, .. })) => {
                // Either a webhook was set meanwhile, or another program is polling. The first is mended by deleting it,
                // and that does the second no harm.
                hooked = true;
                let wait = backoff.failed();
                tracing::warn!(description, failures = backoff.failures(), "somebody else gets this bot's updates");
                tokio::time::sleep(wait).await;
            }
            Err(error) => match Fault::from(error.clone()) {
                Fault::Locked(_) => return error.into(),
                Fault::Wait(span) => {
                    let wait = span.to_duration().max(backoff.failed());
                    tracing::warn!(seconds = wait.as_secs(), "Telegram asks to wait before updates are fetched");
                    tokio::time::sleep(wait).await;
                }
                fault @ (Fault::Refused(_) | Fault::Gone | Fault::Down(_)) => {
                    let wait = backoff.failed();
                    tracing::warn!(?fault, failures = backoff.failures(), "updates could not be fetched");
                    tokio::time::sleep(wait).await;
                }
            },
        }
    }
}

async fn delete_webhook(telegram: &Telegram) -> Result<(), CallError> {
    telegram.call::<bool>("DeleteWebhook", &json!({}), CALL_TIMEOUT).await.map(|_| ())
}

async fn get_updates(telegram: &Telegram, offset: Option<i64>) -> Result<Vec<Box<RawValue>>, CallError> {
    let mut parameters = json!({
        "limit": BATCH,
        "timeout": LONG_POLL.as_secs(),
        "allowed_updates": ALLOWED_UPDATES,
    });
    if let Some(offset) = offset {
        parameters["offset"] = offset.into();
    }
    telegram.call("GetUpdates", &parameters, LONG_POLL + GRACE).await
}

/// Delivers a batch and returns when all of it is committed: the highest number in it.
async fn deliver(telegram: &Telegram, inbox: &dyn Inbox, updates: &[Box<RawValue>]) -> Option<i64> {
    let now = Moment::of(std::time::SystemTime::now());
    let merchant = telegram.settings().merchant();
    let mut last = None;
    let mut chats: HashMap<Option<Peer>, Vec<Parsed>> = HashMap::new();
    for update in updates {
        match parse(merchant, now, update.get().as_bytes()) {
            Ok(parsed) => {
                last = last.max(Some(parsed.update_id));
                let chat = parsed.arrival.as_ref().map(|arrival| arrival.peer.clone());
                chats.entry(chat).or_default().push(parsed);
            }
            Err(error) => tracing::error!(bytes = update.get().len(), %error, "an update could not be read"),
        }
    }
    let chats = futures::stream::iter(chats.into_values());
    chats
        .for_each_concurrent(PARALLEL_CHATS, |chat| async {
            for parsed in chat {
                deliver_at_last(telegram, inbox, parsed).await;
            }
        })
        .await;
    last
}

async fn deliver_at_last(telegram: &Telegram, inbox: &dyn Inbox, parsed: Parsed) {
    let mut backoff = Backoff::default();
    while telegram.take_in(inbox, parsed.clone()).await.is_err() {
        let wait = backoff.failed();
        tracing::warn!(update = parsed.update_id, failures = backoff.failures(), "an update could not be stored yet");
        tokio::time::sleep(wait).await;
    }
}
