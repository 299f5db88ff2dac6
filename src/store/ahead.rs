//! What turns of one batch will ask a server for, asked together. A turn's questions to a file take microseconds; to a
//! server each is a way there and back, and sixty turns have two hundred of them. So before a batch begins, its arrivals'
//! conversations, repeats and orders are fetched at once, and what the turns save is written at once at its end.
//!
//! What was fetched is only an answer to the same question: whatever a turn saves takes its place, and what is changed
//! behind it is forgotten. Others may change it meanwhile; then the version is another one at the end, the batch is
//! undone, and each of its jobs runs by itself and asks anew.

use std::collections::{HashMap, HashSet};

use super::{
    Conversation, StoreError, Tx,
    engine::{Value, row},
    turn::{ConversationRow, MOST_FACTS, Writing},
    view::OrderRow,
};
use crate::{
    channel::{Arrival, ChannelKind, Peer},
    id::{CustomerId, MerchantId},
    order::Order,
};

type Chat = (MerchantId, ChannelKind, Peer);

/// Answers to questions that were asked ahead.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// By whom, as far as it was asked; `None` where there is no conversation.
    talks: HashMap<Chat, Option<Conversation>>,
    /// Foreign ids that were asked about, and of those the ones that came before.
    asked: HashSet<(MerchantId, ChannelKind, String)>,
    repeats: HashSet<(MerchantId, ChannelKind, String)>,
    /// A customer's latest orders, as far as they were asked for.
    orders: HashMap<(MerchantId, CustomerId), Vec<Order>>,
}

row! {
    struct TalkRow {
        merchant_id: String,
        talk: ConversationRow,
    }
}

row! {
    struct RepeatRow {
        merchant_id: String,
        channel: String,
        foreign_id: String,
    }
}

row! {
    struct LateOrderRow {
        merchant_id: String,
        order: OrderRow,
    }
}

/// Each by its key, and one after the other: joined otherwise, a server that knows its tables as they were when they
/// were empty reads all customers of a shop for sixty of them.
const TALKS: &str = "SELECT w.merchant_id, c.*, u.* FROM unnest($1::text[], $2::text[], $3::text[]) AS w (merchant_id, \
     channel, peer) CROSS JOIN LATERAL (SELECT conversation_id, channel, peer, customer_id, version, state, desk, \
     language, next_seq, gather_from, gather_until, orders, reachable, last_at, shown_name FROM conversation \
     WHERE merchant_id = w.merchant_id AND channel = w.channel AND peer = w.peer LIMIT 1) c \
     CROSS JOIN LATERAL (SELECT name, language AS customer_language, address, offers FROM customer \
     WHERE merchant_id = w.merchant_id AND customer_id = c.customer_id LIMIT 1) u";

const REPEATS: &str = "SELECT w.merchant_id, w.channel, w.foreign_id \
     FROM unnest($1::text[], $2::text[], $3::text[]) AS w (merchant_id, channel, foreign_id) \
     CROSS JOIN LATERAL (SELECT 1 FROM inbox i WHERE i.merchant_id = w.merchant_id AND i.channel = w.channel \
     AND i.foreign_id = w.foreign_id LIMIT 1) i";

const ORDERS: &str = "SELECT w.merchant_id, o.* FROM unnest($1::text[], $2::text[]) AS w (merchant_id, customer_id) \
     CROSS JOIN LATERAL (SELECT order_id, number, conversation_id, customer_id, language, status, version, cart, \
     line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, not_before, due, reason, note, \
     moved_at FROM orders WHERE merchant_id = w.merchant_id AND customer_id = w.customer_id \
     ORDER BY placed_at DESC, number DESC LIMIT $3) o";

impl Tx {
    /// Asks a server at once for what the turns of these arrivals will ask; a file is asked when they do.
    pub async fn ask_ahead(&mut self, arrivals: &[&Arrival]) -> Result<(), StoreError> {
        let Writing::Pg(tx) = &mut self.writing else { return Ok(()) };
        self.hopeful = true;
        if arrivals.is_empty() {
            return Ok(());
        }
        let mut ahead = Ahead::default();
        let merchants: Vec<&str> = arrivals.iter().map(|arrival| arrival.merchant.as_str()).collect();
        let channels: Vec<&str> = arrivals.iter().map(|arrival| arrival.channel.word()).collect();
        let peers: Vec<Value<'_>> = arrivals.iter().map(|arrival| arrival.peer.as_str().into()).collect();
        let ids: Vec<Value<'_>> = arrivals.iter().map(|arrival| (&arrival.foreign_id).into()).collect();
        for arrival in arrivals {
            let key = (arrival.merchant.clone(), arrival.channel);
            ahead.talks.insert((key.0.clone(), key.1, arrival.peer.clone()), None);
            ahead.asked.insert((key.0, key.1, arrival.foreign_id.clone()));
        }
        let talks: Vec<TalkRow> = tx.all_of(TALKS, &[texts(&merchants), texts(&channels), of(&peers)], None).await?;
        let mut buyers: (Vec<String>, Vec<String>) = Default::default();
        for TalkRow { merchant_id, talk } in talks {
            // One that can't be read is for the turn that asks for it.
            let Ok(talk) = Conversation::try_from(talk) else {
                return Ok(());
            };
            let merchant: MerchantId = super::view::parsed(&merchant_id, "merchant id")?;
            if talk.orders > 0 {
                buyers.0.push(merchant_id);
                buyers.1.push(talk.customer.id.to_string());
                ahead.orders.insert((merchant.clone(), talk.customer.id), Vec::new());
            }
            ahead.talks.insert((merchant, talk.channel, talk.peer.clone()), Some(talk));
        }
        let repeats: Vec<RepeatRow> =
            tx.all_of(REPEATS, &[texts(&merchants), texts(&channels), of(&ids)], None).await?;
        for row in repeats {
            let merchant = super::view::parsed(&row.merchant_id, "merchant id")?;
            ahead.repeats.insert((merchant, super::view::channel(&row.channel)?, row.foreign_id));
        }
        if !buyers.0.is_empty() {
            let columns = [buyers.0.into_iter().map(Some).collect(), buyers.1.into_iter().map(Some).collect()];
            let orders: Vec<LateOrderRow> = tx.all_of(ORDERS, &columns, Some(MOST_FACTS)).await?;
            for LateOrderRow { merchant_id, order } in orders {
                let order = Order::try_from(order)?;
                let key = (super::view::parsed(&merchant_id, "merchant id")?, order.customer);
                ahead.orders.entry(key).or_default().push(order);
            }
        }
        self.ahead = Some(Box::new(ahead));
        Ok(())
    }

    /// A conversation that was asked for ahead; the outer `None` where it was not.
    pub(super) fn talk_ahead(
        &self,
        merchant: &MerchantId,
        kind: ChannelKind,
        peer: &Peer,
    ) -> Option<Option<Conversation>> {
        self.ahead.as_ref()?.talks.get(&(merchant.clone(), kind, peer.clone())).cloned()
    }

    /// Whether an arrival came before, where that was asked ahead; it has come from now on.
    pub(super) fn came_before(&mut self, arrival: &Arrival) -> Option<bool> {
        let ahead = self.ahead.as_mut()?;
        let key = (arrival.merchant.clone(), arrival.channel, arrival.foreign_id.clone());
        ahead.asked.contains(&key).then(|| !ahead.repeats.insert(key))
    }

    /// A customer's orders that were asked for ahead.
    pub(super) fn orders_ahead(&self, merchant: &MerchantId, customer: CustomerId) -> Option<Vec<Order>> {
        self.ahead.as_ref()?.orders.get(&(merchant.clone(), customer)).cloned()
    }

    /// A conversation was saved.
    pub(super) fn saved(&mut self, merchant: &MerchantId, talk: &Conversation) {
        let Some(ahead) = self.ahead.as_mut() else { return };
        let chat = (merchant.clone(), talk.channel, talk.peer.clone());
        if let Some(known) = ahead.talks.get_mut(&chat) {
            let version = if talk.new { 1 } else { talk.version + 1 };
            *known = Some(Conversation { version, new: false, ..talk.clone() });
        }
    }

    /// Orders of a customer have changed.
    pub(super) fn forget_orders(&mut self, merchant: &MerchantId, customer: CustomerId) {
        if let Some(ahead) = self.ahead.as_mut() {
            ahead.orders.remove(&(merchant.clone(), customer));
        }
    }

    /// Rows are changed otherwise than by saving them: whatever is asked from now on is asked anew.
    pub(super) fn forget_ahead(&mut self) {
        self.ahead = None;
    }
}

fn texts(all: &[&str]) -> Vec<Option<String>> {
    all.iter().map(|text| Some((*text).to_owned())).collect()
}

fn of(all: &[Value<'_>]) -> Vec<Option<String>> {
    let text = |value: &Value<'_>| match value {
        Value::Text(text) => text.as_ref().map(|text| text.clone().into_owned()),
        Value::Int(_) => None,
    };
    all.iter().map(text).collect()
}
