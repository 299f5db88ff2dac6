//! What brings answers to an open chat page.
//!
//! Promises: each message of the visitor's own conversation is shown once, in order, from the cursor on that the browser
//! holds, whatever was missed between two connections.
//!
//! Races: a stream listens for events before it looks, and looks again after each; what comes between the two is seen
//! twice and sent once, for the cursor moves with what was sent. A stream that fell behind looks again from its cursor.
//! Pages of one visitor that heard of the same event share one look: an event is numbered after its commit and before it
//! is told, so that a look under its number began after the commit.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::response::sse::Event as Sent;
use quick_cache::{Weighter, sync::Cache};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::for_customers;
use crate::{
    channel::{Button, ChannelKind, Peer},
    console::Web,
    id::{ConversationId, MerchantId},
    store::{MessageView, StoreError},
    work::{Event, Numbered},
};

/// Browsers come back this long after a stream has ended, each at a moment of its own: ten thousand at once would be
/// a flood.
const RETRY_MILLIS: std::ops::Range<u64> = 1_000..4_000;

/// Bytes of shared looks that are kept: pages that share one take it within a second, in which a busy shop's customers
/// are told a few hundred messages.
const MOST_SHARED: u64 = 1024 * 1024;

/// Looks that are expected among [`MOST_SHARED`]: one holds a message or two.
const SHARED_LOOKS: usize = 1_000;

#[derive(Serialize)]
struct Said<'a> {
    seq: i64,
    author: &'static str,
    name: Option<&'a str>,
    kind: &'a str,
    text: &'a str,
    buttons: &'a [Button],
    at: i64,
}

/// What a stream holds while it is open.
pub(super) struct Stream {
    web: Web,
    newest: Arc<Newest>,
    merchant: MerchantId,
    peer: Peer,
    /// `None` until the visitor's first message has made one.
    conversation: Option<ConversationId>,
    events: Receiver<Numbered>,
    shutdown: CancellationToken,
    /// The seq of the last message that was sent or passed over.
    cursor: i64,
    /// What was seen and not sent yet.
    ready: VecDeque<Arc<Frame>>,
    /// The newest event after which nothing was looked at yet.
    stale: Option<u64>,
    /// Said at the beginning of each stream: how long to wait before the next.
    retry: Option<Duration>,
}

/// A message as it goes over the wire.
struct Frame {
    seq: i64,
    /// `None` for what is not for the customer's eyes.
    json: Option<String>,
}

/// What was found after an event.
#[derive(Clone)]
struct Look {
    conversation: Option<ConversationId>,
    frames: Arc<[Arc<Frame>]>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Asked {
    merchant: MerchantId,
    peer: Peer,
    cursor: i64,
    event: u64,
}

#[derive(Clone)]
struct Bytes;

/// The looks that pages of one visitor share.
pub(super) struct Newest(Cache<Asked, Look, Bytes>);

impl Newest {
    pub(super) fn new() -> Newest {
        Newest(Cache::with_weighter(SHARED_LOOKS, MOST_SHARED, Bytes))
    }
}

impl Weighter<Asked, Look> for Bytes {
    fn weight(&self, asked: &Asked, look: &Look) -> u64 {
        let words: usize = look.frames.iter().map(|frame| frame.json.as_ref().map_or(0, String::len)).sum();
        let own = size_of::<Asked>() + size_of::<Look>() + asked.peer.as_str().len();
        (own + words + look.frames.len() * size_of::<Frame>()) as u64
    }
}

impl Stream {
    pub(super) fn new(web: Web, newest: Arc<Newest>, merchant: MerchantId, peer: Peer, cursor: i64) -> Stream {
        let events = web.work.events();
        Stream {
            events,
            stale: Some(web.work.last_event()),
            shutdown: web.shutdown.clone(),
            web,
            newest,
            merchant,
            peer,
            conversation: None,
            cursor,
            ready: VecDeque::new(),
            retry: Some(Duration::from_millis(rand::random_range(RETRY_MILLIS))),
        }
    }

    /// The next thing to send; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Sent> {
        if let Some(retry) = self.retry.take() {
            return Some(Sent::default().event("alive").data("-").retry(retry));
        }
        loop {
            if let Some(frame) = self.ready.pop_front() {
                self.cursor = self.cursor.max(frame.seq);
                if let Some(json) = &frame.json {
                    return Some(Sent::default().id(frame.seq.to_string()).data(json));
                }
                continue;
            }
            if let Some(event) = self.stale.take() {
                if let Err(error) = self.look(event).await {
                    tracing::warn!(%error, "a chat's stream ended; its page comes back");
                    return None;
                }
                continue;
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return None,
                event = self.events.recv() => match event {
                    Ok(told) => self.stale = self.concerns(&told.event).then_some(told.number),
                    Err(RecvError::Lagged(_)) => self.stale = Some(self.web.work.last_event()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    async fn look(&mut self, event: u64) -> Result<(), StoreError> {
        let asked = Asked { merchant: self.merchant.clone(), peer: self.peer.clone(), cursor: self.cursor, event };
        let look = self.newest.0.get_or_insert_async(&asked, self.fetch()).await?;
        self.conversation = look.conversation;
        self.ready = look.frames.iter().cloned().collect();
        Ok(())
    }

    async fn fetch(&self) -> Result<Look, StoreError> {
        let store = self.web.work.store();
        let conversation = match self.conversation {
            Some(conversation) => Some(conversation),
            None => store.conversation_with(&self.merchant, ChannelKind::Web, &self.peer).await?,
        };
        let messages = match conversation {
            Some(conversation) => store.messages(&self.merchant, conversation, self.cursor).await?,
            None => Vec::new(),
        };
        Ok(Look { conversation, frames: messages.iter().map(|message| Arc::new(frame(message))).collect() })
    }

    /// Whether an event is about this conversation. One that has not begun begins with its peer.
    fn concerns(&self, event: &Event) -> bool {
        match event {
            Event::Conversation { merchant, conversation } => {
                *merchant == self.merchant && self.conversation == Some(*conversation)
            }
            Event::Opened { merchant, peer } => *merchant == self.merchant && *peer == self.peer,
            Event::Order { .. } | Event::Names { .. } | Event::Storing => false,
            Event::Anything => true,
        }
    }
}

fn frame(message: &MessageView) -> Frame {
    let said = |author| Said {
        seq: message.seq,
        author,
        name: message.by_name.as_deref(),
        kind: &message.kind,
        text: &message.body,
        buttons: &message.buttons,
        at: message.at.0,
    };
    // What can't be written as JSON is passed over like a note; strings and numbers always can.
    let json = for_customers(message).and_then(|author| serde_json::to_string(&said(author)).ok());
    Frame { seq: message.seq, json }
}
