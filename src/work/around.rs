//! What other processes on the same database do, so that screens and catalogues here follow, and what is left undone by
//! one that died is taken up.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    Event, Work, now,
    send::{Handed, Post},
};
use crate::{
    channel::Peer,
    moment::Span,
    store::{Heard, LONGEST_NEWS, StoreError},
};

/// How often waits for half a message are looked for whose end nobody noticed: those of a replica that died.
const LOOK_FOR_OVERDUE: Duration = Duration::from_secs(5);

/// So much later than promised, a wait is nobody's: who has it looks at it within milliseconds.
const OVERDUE: Span = Span::seconds(3);

/// When listening that failed is tried again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// What a commit changed, for other replicas: who says it, then an event a line. Too much of it is "look at everything".
pub(super) fn news(replica: &str, events: &[Event]) -> String {
    let mut text = replica.to_owned();
    for event in events {
        text.push('\n');
        match event {
            Event::Conversation { merchant, conversation } => text.push_str(&format!("c {merchant} {conversation}")),
            Event::Opened { merchant, peer } if !peer.as_str().contains(['\n', '\r']) => {
                text.push_str(&format!("p {merchant} {}", peer.as_str()));
            }
            Event::Order { merchant, order } => text.push_str(&format!("o {merchant} {order}")),
            Event::Names { merchant } => text.push_str(&format!("n {merchant}")),
            // No commit tells whether this process can store.
            Event::Opened { .. } | Event::Storing | Event::Anything => text.push('*'),
        }
    }
    if text.len() > LONGEST_NEWS { format!("{replica}\n*") } else { text }
}

/// What another replica said; `None` where it was this one. What can't be read may be anything.
fn read(replica: &str, news: &str) -> Option<Vec<Event>> {
    let mut lines = news.lines();
    if lines.next() == Some(replica) {
        return None;
    }
    let event = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (kind, merchant) = (words.next()?, words.next()?.parse().ok()?);
        match kind {
            "c" => Some(Event::Conversation { merchant, conversation: words.next()?.parse().ok()? }),
            "p" => Some(Event::Opened { merchant, peer: Peer::new(words.next()?)? }),
            "o" => Some(Event::Order { merchant, order: words.next()?.parse().ok()? }),
            "n" => Some(Event::Names { merchant }),
            _ => None,
        }
    };
    let events: Vec<Event> = lines.map(|line| event(line).unwrap_or(Event::Anything)).collect();
    Some(if events.is_empty() { vec![Event::Anything] } else { events })
}

/// Follows what others commit until the end.
pub(super) async fn listen(work: Work, post: Post, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => return,
            fault = follow(&work, &post) => tracing::warn!(%fault, "what other processes write can't be followed; trying again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LISTEN_AGAIN) => {}
        }
        // Whatever was missed.
        happened(&work, &post, vec![Event::Anything]).await;
    }
}

/// Takes up what others left, until the end.
pub(super) async fn take_up(work: Work, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_FOR_OVERDUE) => {}
        }
        let latest = now().after(Span(-OVERDUE.0));
        for shop in work.shops() {
            match work.store().gatherings(&shop.id, latest).await {
                Ok(overdue) => {
                    for (conversation, _, until) in overdue {
                        work.wake(shop.id.clone(), conversation, until);
                    }
                }
                Err(fault) => tracing::warn!(merchant = %shop.id, %fault, "overdue answers can't be looked for"),
            }
        }
    }
}

async fn follow(work: &Work, post: &Post) -> StoreError {
    let mut watch = match work.store().watch().await {
        Ok(watch) => watch,
        Err(fault) => return fault,
    };
    loop {
        let events = match watch.next().await {
            Ok(Heard::Anything) => Some(vec![Event::Anything]),
            Ok(Heard::Told(news)) => read(&work.inner.replica, &news),
            Err(fault) => return fault,
        };
        if let Some(events) = events {
            happened(work, post, events).await;
        }
    }
}

async fn happened(work: &Work, post: &Post, events: Vec<Event>) {
    let shops = events.iter().any(|event| matches!(event, Event::Anything | Event::Names { .. }));
    if shops && let Err(fault) = work.reopen_shops().await {
        tracing::error!(%fault, "a shop that was imported can't be opened; the old one stays open");
    }
    for event in events {
        // What another replica left in the outbox is for the one that sends.
        if let Event::Conversation { merchant, conversation } = &event
            && work.store().shared()
            && work.leads().is_some()
        {
            let _ = post.send(Handed::Look(merchant.clone(), *conversation));
        }
        work.tell(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ConversationId, OrderId};

    #[test]
    fn news_come_back_as_they_were_told() {
        let merchant: crate::id::MerchantId = "pizzeria".parse().unwrap();
        let events = vec![
            Event::Conversation { merchant: merchant.clone(), conversation: ConversationId(7) },
            Event::Order { merchant: merchant.clone(), order: OrderId(9) },
            Event::Names { merchant: merchant.clone() },
            Event::Opened { merchant: merchant.clone(), peer: Peer::new("a b: c").unwrap() },
            Event::Anything,
        ];
        let told = news("one", &events);
        assert_eq!(read("two", &told), Some(events));
        assert_eq!(read("one", &told), None, "what one said oneself is known");
        assert_eq!(read("two", ""), Some(vec![Event::Anything]), "an import says no more");
        assert_eq!(read("two", "one\nx y z"), Some(vec![Event::Anything]));
        let many: Vec<Event> = (0..500)
            .map(|n| Event::Conversation { merchant: merchant.clone(), conversation: ConversationId(n) })
            .collect();
        assert_eq!(news("one", &many), "one\n*");
    }
}
