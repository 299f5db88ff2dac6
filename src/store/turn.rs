//! The writing side of a turn. Every function here runs inside one transaction; nothing is stored before
//! [`Tx::commit`], and dropping a [`Tx`] undoes all of it.

use std::collections::HashSet;

use super::{
    Conversation, Gathering, NewMessage, Recalled, Store, StoreError, Urgency,
    ahead::Ahead,
    engine::{FromRow, Sql, Value, missing, row, values},
    postgres, sqlite,
    view::{OrderRow, channel, json, parsed},
};
use crate::{
    channel::{Arrival, ChannelKind, Outgoing, Peer},
    conversation::State,
    customer::Customer,
    desk::{Desk, Why},
    id::{ConversationId, CustomerId, MerchantId, OrderId},
    moment::Moment,
    order::Order,
};

/// Most orders of a customer that a turn looks at: the last one, and those still under way.
pub(super) const MOST_FACTS: i64 = 10;

/// Most unsent messages that are fetched at once when the program starts.
const MOST_UNSENT: i64 = 1_000;

/// A transaction that writes.
pub struct Tx {
    pub(super) writing: Writing,
    pub(super) ahead: Option<Box<Ahead>>,
    /// Whether it is run together with others or for the first time, so that it may turn out to be stale in the end.
    pub(super) hopeful: bool,
    /// Conversations and customers of which a row is put off: one statement can't write the same row twice.
    put_off: HashSet<u128>,
}

pub(super) enum Writing {
    Lite(sqlite::Writing),
    Pg(postgres::Writing),
}

/// A message that a vendor has to be given.
#[derive(Debug, Clone)]
pub struct Unsent {
    /// Of which shop.
    pub merchant: MerchantId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Its place in it.
    pub seq: i64,
    /// Over which channel.
    pub channel: ChannelKind,
    /// To whom.
    pub peer: Peer,
    /// What.
    pub message: Outgoing,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was said, by the wall clock of that moment.
    pub said_at: Moment,
    /// When to try.
    pub due_at: Moment,
    /// What it gives way to.
    pub urgency: Urgency,
    /// From when on it is not tried any more.
    pub expires_at: Option<Moment>,
    /// Whether its vendor asked to wait until it is due: [`ASKED_TO_WAIT`].
    pub told: bool,
}

/// The fault of a message whose vendor asked to wait.
pub const ASKED_TO_WAIT: &str = "the vendor asked to wait";

/// Where a message stands in the outbox, in the order in which messages are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// When to try.
    pub at: Moment,
    /// Of which shop.
    pub merchant: MerchantId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Its place in it.
    pub seq: i64,
}

/// A shop as it is stored: its files.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its id.
    pub id: MerchantId,
    /// The catalogue file.
    pub catalog: String,
    /// The FAQ file.
    pub faq: String,
    /// Counts imports.
    pub version: i64,
}

row! {
    struct ShopRow {
        merchant_id: String,
        catalog: String,
        faq: String,
        version: i64,
    }
}

row! {
    pub(super) struct ConversationRow {
        conversation_id: String,
        channel: String,
        peer: String,
        customer_id: String,
        version: i64,
        state: String,
        desk: String,
        language: Option<String>,
        next_seq: i64,
        gather_from: Option<i64>,
        gather_until: Option<i64>,
        orders: i64,
        reachable: i64,
        last_at: i64,
        shown_name: Option<String>,
        name: Option<String>,
        customer_language: Option<String>,
        address: Option<String>,
        offers: Option<i64>,
    }
}

row! {
    struct UnsentRow {
        merchant_id: String,
        conversation_id: String,
        seq: i64,
        channel: String,
        peer: String,
        body: String,
        buttons: Option<String>,
        attempts: i64,
        at: i64,
        due_at: i64,
        urgency: String,
        expires_at: Option<i64>,
        fault: Option<String>,
    }
}

row! {
    struct DueRow {
        due_at: i64,
        merchant_id: String,
        conversation_id: String,
        seq: i64,
    }
}

const SHOPS: &str = "SELECT merchant_id, catalog, faq, version FROM merchant ORDER BY opened_at, merchant_id";

const IMPORT: &str = "INSERT INTO merchant (merchant_id, catalog, faq, version, opened_at) \
     VALUES ($1, $2, $3, 1, $4) ON CONFLICT (merchant_id) DO UPDATE \
     SET catalog = excluded.catalog, faq = excluded.faq, version = merchant.version + 1";

/// On a server the row would be locked until the commit, and every other writer of the shop would wait for it; so there
/// the number is taken apart from the transaction, and a turn that fails afterwards leaves a gap. Its own commit waits for
/// no disk: the order that bears the number is behind it in the log.
const TAKE_ORDER_NUMBER: Sql = Sql {
    lite: "INSERT INTO order_number (merchant_id, last) VALUES ($1, 1) \
           ON CONFLICT (merchant_id) DO UPDATE SET last = order_number.last + 1 RETURNING last",
    pg: "WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS flush) \
         INSERT INTO order_number (merchant_id, last) SELECT $1, 1 FROM quick WHERE quick.flush = 'off' \
         ON CONFLICT (merchant_id) DO UPDATE SET last = order_number.last + 1 RETURNING last",
};

const INBOX: &str = "INSERT INTO inbox (merchant_id, channel, foreign_id, conversation_id, seq, received_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id, channel, foreign_id) DO NOTHING";

/// For a server, of many arrivals at once.
const INBOX_ROWS: &str = "INSERT INTO inbox (merchant_id, channel, foreign_id, conversation_id, seq, received_at) \
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])";

const BY_PEER: &str = "SELECT c.conversation_id, c.channel, c.peer, c.customer_id, c.version, c.state, c.desk, \
     c.language, c.next_seq, c.gather_from, c.gather_until, c.orders, c.reachable, c.last_at, c.shown_name, u.name, \
     u.language AS customer_language, u.address, u.offers FROM conversation c JOIN customer u \
     ON u.merchant_id = c.merchant_id AND u.customer_id = c.customer_id \
     WHERE c.merchant_id = $1 AND c.channel = $2 AND c.peer = $3";

const BY_ID: &str = "SELECT c.conversation_id, c.channel, c.peer, c.customer_id, c.version, c.state, c.desk, \
     c.language, c.next_seq, c.gather_from, c.gather_until, c.orders, c.reachable, c.last_at, c.shown_name, u.name, \
     u.language AS customer_language, u.address, u.offers FROM conversation c JOIN customer u \
     ON u.merchant_id = c.merchant_id AND u.customer_id = c.customer_id \
     WHERE c.merchant_id = $1 AND c.conversation_id = $2";

const HOLD: &str = "SELECT version FROM conversation WHERE merchant_id = $1 AND channel = $2 AND peer = $3 FOR UPDATE";

const NEW_CUSTOMER: Sql = Sql {
    lite: "INSERT INTO customer (merchant_id, customer_id, name, language, address, offers, created_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7)",
    pg: "INSERT INTO customer (merchant_id, customer_id, name, language, address, offers, created_at) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])",
};

const SAVE_CUSTOMER: Sql = Sql {
    lite: "UPDATE customer SET name = $3, language = $4, address = $5, offers = $6 \
           WHERE merchant_id = $1 AND customer_id = $2",
    pg: "UPDATE customer c SET name = u.name, language = u.language, address = u.address, offers = u.offers \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) \
         AS u (merchant_id, customer_id, name, language, address, offers) \
         WHERE c.merchant_id = u.merchant_id AND c.customer_id = u.customer_id",
};

const NEW_CONVERSATION: Sql = Sql {
    lite: "INSERT INTO conversation (merchant_id, conversation_id, version, state, desk, language, next_seq, \
           gather_from, gather_until, orders, reachable, last_at, shown_name, waiting_since, channel, peer, \
           customer_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    pg: "INSERT INTO conversation (merchant_id, conversation_id, version, state, desk, language, next_seq, \
         gather_from, gather_until, orders, reachable, last_at, shown_name, waiting_since, channel, peer, \
         customer_id) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], \
         $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], \
         $14::bigint[], $15::text[], $16::text[], $17::text[])",
};

/// The peer never changes; it is named so that to a server every way to a conversation is a whole key.
const SAVE_CONVERSATION: Sql = Sql {
    lite: "UPDATE conversation SET version = version + 1, state = $4, desk = $5, language = $6, next_seq = $7, \
           gather_from = $8, gather_until = $9, orders = $10, reachable = $11, last_at = $12, shown_name = $13, \
           waiting_since = $14 WHERE merchant_id = $1 AND conversation_id = $2 AND version = $3 AND channel = $15 \
           AND peer = $16",
    pg: "UPDATE conversation c SET version = c.version + 1, state = u.state, desk = u.desk, \
         language = u.language, next_seq = u.next_seq, gather_from = u.gather_from, gather_until = u.gather_until, \
         orders = u.orders, reachable = u.reachable, last_at = u.last_at, shown_name = u.shown_name, \
         waiting_since = u.waiting_since FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], \
         $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], \
         $14::bigint[], $15::text[], $16::text[]) AS u (merchant_id, conversation_id, version, state, desk, language, \
         next_seq, gather_from, gather_until, orders, reachable, last_at, shown_name, waiting_since, channel, peer) \
         WHERE c.merchant_id = u.merchant_id AND c.conversation_id = u.conversation_id AND c.version = u.version \
         AND c.channel = u.channel AND c.peer = u.peer",
};

const NEW_MESSAGE: Sql = Sql {
    lite: "INSERT INTO message (merchant_id, conversation_id, seq, author, by_name, kind, body, buttons, at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    pg: "INSERT INTO message (merchant_id, conversation_id, seq, author, by_name, kind, body, buttons, at) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], \
         $8::text[], $9::bigint[])",
};

const WORDS_SINCE: &str = "SELECT body FROM message WHERE merchant_id = $1 AND conversation_id = $2 AND seq >= $3 \
     AND author = 'customer' AND kind = 'text' ORDER BY seq";

const TO_OUTBOX: Sql = Sql {
    lite: "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, fault, failed, urgency, \
           expires_at) VALUES ($1, $2, $3, $4, $5, $6, NULL, 0, $7, $8)",
    pg: "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, fault, failed, urgency, \
         expires_at) SELECT u.m, u.c, u.s, u.k, u.d, u.a, NULL, 0, u.u, u.e FROM unnest($1::text[], $2::text[], \
         $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[]) AS u (m, c, s, k, d, a, u, e)",
};

const SENT: Sql = Sql {
    lite: "DELETE FROM outbox WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3",
    pg: "DELETE FROM outbox o USING unnest($1::text[], $2::text[], $3::bigint[]) AS u (merchant_id, conversation_id, \
         seq) WHERE o.merchant_id = u.merchant_id AND o.conversation_id = u.conversation_id AND o.seq = u.seq",
};

const LATER: &str = "UPDATE outbox SET due_at = $4, attempts = $5, fault = $6 \
     WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3";

const FAILED: &str = "UPDATE outbox SET failed = 1, fault = $4 \
     WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3";

const FAILED_TOO: &str = "UPDATE outbox SET failed = 1, fault = $3 \
     WHERE merchant_id = $1 AND conversation_id = $2 AND failed = 0";

const RESEND: &str = "UPDATE outbox SET failed = 0, fault = NULL, attempts = 0, due_at = $4, expires_at = $5 \
     WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3 AND failed = 1";

const UNDELIVERED: &str = "SELECT COUNT(*) FROM outbox WHERE merchant_id = $1 AND conversation_id = $2 AND failed = 1";

const UNREACHABLE: &str = "UPDATE conversation SET reachable = 0 WHERE merchant_id = $1 AND conversation_id = $2";

const UNSENT: &str = "SELECT o.merchant_id, o.conversation_id, o.seq, o.channel, c.peer, m.body, m.buttons, \
     o.attempts, m.at, o.due_at, o.urgency, o.expires_at, o.fault FROM outbox o \
     JOIN conversation c ON c.merchant_id = o.merchant_id AND c.conversation_id = o.conversation_id \
     JOIN message m ON m.merchant_id = o.merchant_id AND m.conversation_id = o.conversation_id AND m.seq = o.seq \
     WHERE o.merchant_id = $1 AND o.failed = 0 AND (o.conversation_id, o.seq) > ($2, $3) \
     ORDER BY o.conversation_id, o.seq LIMIT $4";

const UNSENT_OF: &str = "SELECT o.merchant_id, o.conversation_id, o.seq, o.channel, c.peer, m.body, m.buttons, \
     o.attempts, m.at, o.due_at, o.urgency, o.expires_at, o.fault FROM outbox o \
     JOIN conversation c ON c.merchant_id = o.merchant_id AND c.conversation_id = o.conversation_id \
     JOIN message m ON m.merchant_id = o.merchant_id AND m.conversation_id = o.conversation_id AND m.seq = o.seq \
     WHERE o.failed = 0 AND o.merchant_id = $1 AND o.conversation_id = $2 ORDER BY o.seq";

const DUE: &str = "SELECT due_at, merchant_id, conversation_id, seq FROM outbox \
     WHERE failed = 0 AND channel = $1 AND due_at <= $2 AND due_at >= $3 \
     AND (due_at, merchant_id, conversation_id, seq) > ($3, $4, $5, $6) \
     ORDER BY due_at, merchant_id, conversation_id, seq LIMIT $7";

const NEW_ORDER: Sql = Sql {
    lite: "INSERT INTO orders (merchant_id, order_id, number, conversation_id, readback, customer_id, language, \
           status, version, cart, line_totals, currency, fee, total, fulfilment, name, address, zone, \
           placed_at, not_before, due, reason, note, moved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
           $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
    pg: "INSERT INTO orders (merchant_id, order_id, number, conversation_id, readback, customer_id, language, \
           status, version, cart, line_totals, currency, fee, total, fulfilment, name, address, zone, \
           placed_at, not_before, due, reason, note, moved_at) SELECT * FROM unnest($1::text[], $2::text[], \
           $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[], \
           $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::text[], \
           $17::text[], $18::text[], $19::bigint[], $20::bigint[], $21::bigint[], $22::text[], $23::text[], \
           $24::bigint[])",
};

const MOVE_ORDER: &str = "UPDATE orders SET status = $4, version = $5, due = $6, reason = $7, moved_at = $8 \
     WHERE merchant_id = $1 AND order_id = $2 AND version = $3";

const NEW_MOVE: Sql = Sql {
    lite: "INSERT INTO order_move (merchant_id, order_id, version, status, actor, at) VALUES ($1, $2, $3, $4, $5, $6)",
    pg: "INSERT INTO order_move (merchant_id, order_id, version, status, actor, at) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])",
};

const ORDER_OF: &str = "SELECT order_id, number, conversation_id, customer_id, language, status, version, cart, \
     line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, not_before, due, reason, note, moved_at \
     FROM orders WHERE merchant_id = $1 AND order_id = $2";

const RECENT_ORDERS: &str = "SELECT order_id, number, conversation_id, customer_id, language, status, version, cart, \
     line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, not_before, due, reason, note, moved_at \
     FROM orders WHERE merchant_id = $1 AND customer_id = $2 \
     ORDER BY placed_at DESC, number DESC LIMIT $3";

const SET_ASIDE: &str = "INSERT INTO aside (merchant_id, channel, foreign_id, peer, raw, fault, at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant_id, channel, foreign_id) DO NOTHING";

const KEPT_ASIDE: &str = "SELECT peer, raw, at FROM aside WHERE merchant_id = $1 AND channel = $2 AND foreign_id = $3";

const NO_LONGER_ASIDE: &str = "DELETE FROM aside WHERE merchant_id = $1 AND channel = $2 AND foreign_id = $3";

const NOT_RECEIVED: &str = "DELETE FROM inbox WHERE merchant_id = $1 AND channel = $2 AND foreign_id = $3";

const SAID_SINCE: &str = "SELECT COUNT(*) FROM message WHERE merchant_id = $1 AND conversation_id = $2 AND at > $3";

const GIVE_UP: &str = "UPDATE conversation SET version = version + 1, gather_from = NULL, gather_until = NULL, \
     desk = $3, waiting_since = $4 WHERE merchant_id = $1 AND conversation_id = $2";

const DUE_GATHERINGS: &str = "SELECT conversation_id, channel, gather_until FROM conversation \
     WHERE merchant_id = $1 AND gather_until IS NOT NULL AND gather_until <= $2";

impl Tx {
    pub(super) fn new(writing: Writing) -> Tx {
        Tx { writing, ahead: None, hopeful: false, put_off: HashSet::new() }
    }

    /// Runs a statement; how many rows it touched.
    pub(super) async fn run(&mut self, sql: impl Into<Sql>, values: &[Value<'_>]) -> Result<u64, StoreError> {
        match &mut self.writing {
            Writing::Lite(tx) => tx.run(sql.into().lite, values),
            Writing::Pg(tx) => tx.run(sql.into().pg, values).await,
        }
    }

    /// Runs a statement whose rows nobody reads before [`Tx::settle`] or the commit: on a server, many together. Where it
    /// is `exact` and touches no row, the transaction is [`StoreError::Stale`].
    pub(super) fn later(&mut self, sql: Sql, values: &[Value<'_>], exact: bool) -> Result<(), StoreError> {
        match &mut self.writing {
            Writing::Lite(tx) => match tx.run(sql.lite, values)? {
                0 if exact => Err(StoreError::Stale),
                _ => Ok(()),
            },
            Writing::Pg(tx) => tx.later(sql.pg, values, exact),
        }
    }

    /// Makes what was put off visible to the statements that follow.
    pub async fn settle(&mut self) -> Result<(), StoreError> {
        if let Writing::Pg(tx) = &mut self.writing {
            tx.settle().await?;
            self.put_off.clear();
        }
        Ok(())
    }

    /// A row of this id is put off next; one that was put off before is written first.
    async fn puts_off(&mut self, id: u128) -> Result<(), StoreError> {
        if !self.put_off.insert(id) {
            self.settle().await?;
            self.put_off.insert(id);
        }
        Ok(())
    }

    pub(super) async fn all<T: FromRow>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        match &mut self.writing {
            Writing::Lite(tx) => tx.all(sql.into().lite, values),
            Writing::Pg(tx) => tx.all(sql.into().pg, values).await,
        }
    }

    pub(super) async fn first<T: FromRow>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    pub(super) async fn one<T: FromRow>(&mut self, sql: impl Into<Sql>, values: &[Value<'_>]) -> Result<T, StoreError> {
        self.first(sql, values).await?.ok_or_else(missing)
    }

    /// Makes all of it durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.writing {
            Writing::Lite(tx) => tx.commit(),
            Writing::Pg(tx) => tx.commit().await,
        }
    }

    /// Undoes all of it now, instead of when the connection is next used.
    pub async fn undo(self) -> Result<(), StoreError> {
        match self.writing {
            Writing::Lite(tx) => {
                drop(tx);
                Ok(())
            }
            Writing::Pg(tx) => tx.undo().await,
        }
    }

    /// Stores a shop's files, new or in place of the old ones. They must have been read without an error.
    pub async fn import(
        &mut self,
        merchant: &MerchantId,
        catalog: &str,
        faq: &str,
        now: Moment,
    ) -> Result<(), StoreError> {
        self.run(IMPORT, &values![merchant.as_str(), catalog, faq, now.0]).await?;
        Ok(())
    }

    /// Writes an arrival down; `false` where it was there already and this one ends here.
    pub async fn receive(
        &mut self,
        arrival: &Arrival,
        conversation: ConversationId,
        seq: Option<i64>,
    ) -> Result<bool, StoreError> {
        let before = self.came_before(arrival);
        if before == Some(true) {
            return Ok(false);
        }
        let id = conversation.to_string();
        let (merchant, channel) = (arrival.merchant.as_str(), arrival.channel.word());
        let values = values![merchant, channel, &arrival.foreign_id, id, seq, arrival.at.0];
        match &mut self.writing {
            // Where it has come meanwhile after all, its key stands in the way and everything is asked anew.
            Writing::Pg(tx) if before.is_some() => tx.later(INBOX_ROWS, &values, false).map(|()| true),
            Writing::Pg(_) | Writing::Lite(_) => Ok(self.run(INBOX, &values).await? == 1),
        }
    }

    /// The conversation with somebody on a channel.
    pub async fn conversation_with(
        &mut self,
        merchant: &MerchantId,
        channel: ChannelKind,
        peer: &Peer,
    ) -> Result<Option<Conversation>, StoreError> {
        if let Some(talk) = self.talk_ahead(merchant, channel, peer) {
            return Ok(talk);
        }
        self.settle().await?;
        let row: Option<ConversationRow> =
            self.first(BY_PEER, &values![merchant.as_str(), channel.word(), peer.as_str()]).await?;
        row.map(Conversation::try_from).transpose()
    }

    /// Keeps the conversation with somebody from being changed by other replicas until this transaction ends. In a file
    /// nobody else writes meanwhile.
    pub async fn hold(&mut self, merchant: &MerchantId, channel: ChannelKind, peer: &Peer) -> Result<(), StoreError> {
        if let Writing::Pg(_) = self.writing {
            self.run(HOLD, &values![merchant.as_str(), channel.word(), peer.as_str()]).await?;
        }
        Ok(())
    }

    /// The conversation of an id.
    pub async fn conversation(
        &mut self,
        merchant: &MerchantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.settle().await?;
        let row: Option<ConversationRow> = self.first(BY_ID, &values![merchant.as_str(), id.to_string()]).await?;
        row.map(Conversation::try_from).transpose()
    }

    /// Saves a conversation as it now is. [`StoreError::Stale`] where somebody else saved it since it was loaded.
    pub async fn save(
        &mut self,
        merchant: &MerchantId,
        conversation: &Conversation,
        now: Moment,
    ) -> Result<(), StoreError> {
        let state = match &conversation.state {
            Recalled::Known(state) => written(state)?,
            Recalled::Unreadable(text) => text.clone(),
        };
        let desk = written(&conversation.desk)?;
        let language = conversation.language.map(|l| l.tag().to_owned());
        let gather_from = conversation.gathering.map(|g| g.from);
        let gather_until = conversation.gathering.map(|g| g.until.0);
        let reachable = i64::from(conversation.reachable);
        self.saved(merchant, conversation);
        self.puts_off(conversation.id.0).await?;
        let values = values![
            merchant.as_str(),
            conversation.id.to_string(),
            if conversation.new { 1 } else { conversation.version },
            state,
            desk,
            language,
            conversation.next_seq,
            gather_from,
            gather_until,
            conversation.orders,
            reachable,
            now.0,
            conversation.shown_name.as_deref(),
            waiting_since(&conversation.desk),
            conversation.channel.word(),
            conversation.peer.as_str(),
            conversation.customer.id.to_string()
        ];
        match conversation.new {
            true => self.later(NEW_CONVERSATION, &values, false),
            false => self.later(SAVE_CONVERSATION, &values[..16], true),
        }
    }

    /// Saves a customer, new or changed.
    pub async fn save_customer(
        &mut self,
        merchant: &MerchantId,
        customer: &Customer,
        new: bool,
        now: Moment,
    ) -> Result<(), StoreError> {
        let [name, address] = [customer.name.as_deref(), customer.address.as_deref()];
        let language = customer.language.map(|l| l.tag().to_owned());
        let offers = customer.offers.map(i64::from);
        self.puts_off(customer.id.0).await?;
        let values = values![merchant.as_str(), customer.id.to_string(), name, language, address, offers, now.0];
        match new {
            true => self.later(NEW_CUSTOMER, &values, false),
            false => self.later(SAVE_CUSTOMER, &values[..6], true),
        }
    }

    /// Writes a message of a conversation down.
    pub async fn say(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        seq: i64,
        message: &NewMessage<'_>,
    ) -> Result<(), StoreError> {
        let buttons = match message.what.buttons.as_slice() {
            [] => None,
            buttons => Some(written(&buttons)?),
        };
        self.later(
            NEW_MESSAGE,
            &values![
                merchant.as_str(),
                conversation.to_string(),
                seq,
                message.author.word(),
                message.by_name,
                message.kind,
                &message.what.text,
                buttons,
                message.at.0
            ],
            false,
        )
    }

    /// What the customer wrote from message `from` on, one text a message.
    pub async fn words_since(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        from: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.settle().await?;
        self.all(WORDS_SINCE, &values![merchant.as_str(), conversation.to_string(), from]).await
    }

    /// Puts a message that was written down into the outbox.
    pub async fn post(&mut self, message: &Unsent) -> Result<(), StoreError> {
        self.later(
            TO_OUTBOX,
            &values![
                message.merchant.as_str(),
                message.conversation.to_string(),
                message.seq,
                message.channel.word(),
                message.due_at.0,
                message.attempts,
                message.urgency.word(),
                message.expires_at.map(|at| at.0)
            ],
            false,
        )
    }

    /// A vendor took the message.
    pub async fn mark_sent(&mut self, message: &Unsent) -> Result<(), StoreError> {
        self.later(SENT, &values![message.merchant.as_str(), message.conversation.to_string(), message.seq], false)
    }

    /// The message is tried again later.
    pub async fn mark_later(&mut self, message: &Unsent, fault: &str) -> Result<(), StoreError> {
        self.settle().await?;
        self.run(
            LATER,
            &values![
                message.merchant.as_str(),
                message.conversation.to_string(),
                message.seq,
                message.due_at.0,
                message.attempts,
                fault
            ],
        )
        .await?;
        Ok(())
    }

    /// The message will never be sent; where `gone`, nothing else to this customer will be either, and what waits for
    /// them ends with it.
    pub async fn mark_failed(&mut self, message: &Unsent, fault: &str, gone: bool) -> Result<(), StoreError> {
        self.settle().await?;
        self.forget_ahead();
        self.run(FAILED, &values![message.merchant.as_str(), message.conversation.to_string(), message.seq, fault])
            .await?;
        if gone {
            self.run(UNREACHABLE, &values![message.merchant.as_str(), message.conversation.to_string()]).await?;
            self.run(FAILED_TOO, &values![message.merchant.as_str(), message.conversation.to_string(), fault]).await?;
        }
        Ok(())
    }

    /// Puts a message that could not be sent back to those that wait; `false` where it is none of them (any more).
    pub async fn resend(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        seq: i64,
        due: Moment,
        expires: Option<Moment>,
    ) -> Result<bool, StoreError> {
        self.settle().await?;
        let done = self
            .run(RESEND, &values![merchant.as_str(), conversation.to_string(), seq, due.0, expires.map(|at| at.0)])
            .await?;
        Ok(done == 1)
    }

    /// How many messages of a conversation could not be sent.
    pub async fn undelivered(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
    ) -> Result<i64, StoreError> {
        self.settle().await?;
        self.one(UNDELIVERED, &values![merchant.as_str(), conversation.to_string()]).await
    }

    /// Takes the number that the next order of a shop gets.
    pub async fn take_order_number(&mut self, merchant: &MerchantId) -> Result<i64, StoreError> {
        let values = values![merchant.as_str()];
        let taken: Vec<i64> = match &mut self.writing {
            Writing::Lite(tx) => tx.all(TAKE_ORDER_NUMBER.lite, &values)?,
            Writing::Pg(tx) => tx.apart(TAKE_ORDER_NUMBER.pg, &values).await?,
        };
        taken.into_iter().next().ok_or_else(missing)
    }

    /// Places an order under a number that was taken for it. [`StoreError::Taken`] where this read-back has its order
    /// already.
    pub async fn place(
        &mut self,
        merchant: &MerchantId,
        order: &Order,
        readback: i64,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.forget_orders(merchant, order.customer);
        let totals: Vec<i64> = order.line_totals.iter().map(|m| m.in_minor()).collect();
        self.later(
            NEW_ORDER,
            &values![
                merchant.as_str(),
                order.id.to_string(),
                order.number,
                order.conversation.to_string(),
                readback,
                order.customer.to_string(),
                order.language.tag().to_owned(),
                order.status.word(),
                order.version,
                written(&order.cart)?,
                written(&totals)?,
                order.total.currency().code().to_owned(),
                order.fee.in_minor(),
                order.total.in_minor(),
                order.fulfilment.word(),
                &order.name,
                order.address.as_deref(),
                order.zone.as_ref().map(|z| z.as_str().to_owned()),
                order.placed_at.0,
                order.not_before.map(|m| m.0),
                order.due.map(|m| m.0),
                order.reason.as_deref(),
                order.note.as_deref(),
                order.moved_at.0
            ],
            false,
        )?;
        self.note_move(merchant, order, actor).await
    }

    /// Saves an order that was moved. [`StoreError::Stale`] where somebody else moved it first.
    pub async fn move_order(&mut self, merchant: &MerchantId, order: &Order, actor: &str) -> Result<(), StoreError> {
        self.settle().await?;
        self.forget_orders(merchant, order.customer);
        let done = self
            .run(
                MOVE_ORDER,
                &values![
                    merchant.as_str(),
                    order.id.to_string(),
                    order.version - 1,
                    order.status.word(),
                    order.version,
                    order.due.map(|m| m.0),
                    order.reason.as_deref(),
                    order.moved_at.0
                ],
            )
            .await?;
        one_row(done)?;
        self.note_move(merchant, order, actor).await
    }

    /// One order.
    pub async fn order(&mut self, merchant: &MerchantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.settle().await?;
        let row: Option<OrderRow> = self.first(ORDER_OF, &values![merchant.as_str(), id.to_string()]).await?;
        row.map(Order::try_from).transpose()
    }

    /// A customer's latest orders, the newest first.
    pub async fn recent_orders(
        &mut self,
        merchant: &MerchantId,
        customer: CustomerId,
    ) -> Result<Vec<Order>, StoreError> {
        if let Some(orders) = self.orders_ahead(merchant, customer) {
            return Ok(orders);
        }
        self.settle().await?;
        let rows: Vec<OrderRow> =
            self.all(RECENT_ORDERS, &values![merchant.as_str(), customer.to_string(), MOST_FACTS]).await?;
        rows.into_iter().map(Order::try_from).collect()
    }

    /// Lets go of messages that wait for their other half and can't be answered, and calls a person to them.
    pub async fn give_up_gathering(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        desk: &Desk,
    ) -> Result<(), StoreError> {
        self.settle().await?;
        self.forget_ahead();
        self.run(GIVE_UP, &values![merchant.as_str(), conversation.to_string(), written(desk)?, waiting_since(desk)])
            .await?;
        Ok(())
    }

    /// Keeps an arrival whose turn failed, with the fault.
    pub async fn set_aside(&mut self, arrival: &Arrival, fault: &str) -> Result<(), StoreError> {
        self.run(
            SET_ASIDE,
            &values![
                arrival.merchant.as_str(),
                arrival.channel.word(),
                &arrival.foreign_id,
                arrival.peer.as_str(),
                &arrival.raw,
                fault,
                arrival.at.0
            ],
        )
        .await?;
        Ok(())
    }

    /// Takes an arrival back that was kept aside, as if it had never come: from whom, the vendor's bytes, and when.
    pub async fn take_aside(
        &mut self,
        merchant: &MerchantId,
        channel: ChannelKind,
        foreign_id: &str,
    ) -> Result<Option<(Peer, String, Moment)>, StoreError> {
        self.settle().await?;
        self.forget_ahead();
        let key = (merchant.as_str(), channel.word(), foreign_id);
        let kept: Option<(String, String, i64)> = self.first(KEPT_ASIDE, &values![key.0, key.1, key.2]).await?;
        let Some((peer, raw, at)) = kept else { return Ok(None) };
        for statement in [NO_LONGER_ASIDE, NOT_RECEIVED] {
            self.run(statement, &values![key.0, key.1, key.2]).await?;
        }
        let peer = Peer::new(peer).ok_or_else(|| StoreError::Corrupt("a peer is too long".to_owned()))?;
        Ok(Some((peer, raw, Moment(at))))
    }

    /// Whether anything was said in a conversation after a moment.
    pub async fn said_since(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        at: Moment,
    ) -> Result<bool, StoreError> {
        self.settle().await?;
        let later: i64 = self.one(SAID_SINCE, &values![merchant.as_str(), conversation.to_string(), at.0]).await?;
        Ok(later > 0)
    }

    async fn note_move(&mut self, merchant: &MerchantId, order: &Order, actor: &str) -> Result<(), StoreError> {
        self.later(
            NEW_MOVE,
            &values![
                merchant.as_str(),
                order.id.to_string(),
                order.version,
                order.status.word(),
                actor,
                order.moved_at.0
            ],
            false,
        )
    }
}

impl Store {
    /// Every shop, the oldest first.
    pub async fn shops(&self) -> Result<Vec<Shop>, StoreError> {
        let rows: Vec<ShopRow> = self.engine.all(SHOPS, &[]).await?;
        rows.into_iter()
            .map(|row| {
                Ok(Shop {
                    id: parsed(&row.merchant_id, "merchant id")?,
                    catalog: row.catalog,
                    faq: row.faq,
                    version: row.version,
                })
            })
            .collect()
    }

    /// Stores a shop's files, new or in place of the old ones. They must have been read without an error.
    pub async fn import(&self, merchant: &MerchantId, catalog: &str, faq: &str, now: Moment) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.import(merchant, catalog, faq, now).await?;
        // Whoever serves it opens it anew.
        tx.tell("").await?;
        tx.commit().await
    }

    /// Every message of a shop that no vendor has taken yet, each conversation's in order.
    pub async fn unsent(&self, merchant: &MerchantId) -> Result<Vec<Unsent>, StoreError> {
        let mut all = Vec::new();
        let mut last = (String::new(), 0);
        loop {
            let rows: Vec<UnsentRow> =
                self.engine.all(UNSENT, &values![merchant.as_str(), last.0, last.1, MOST_UNSENT]).await?;
            let Some(end) = rows.last() else { return Ok(all) };
            last = (end.conversation_id.clone(), end.seq);
            for row in rows {
                all.push(row.try_into()?);
            }
        }
    }

    /// What no vendor has taken yet of one conversation, in order.
    pub async fn unsent_of(
        &self,
        merchant: &MerchantId,
        conversation: ConversationId,
    ) -> Result<Vec<Unsent>, StoreError> {
        let rows: Vec<UnsentRow> =
            self.engine.all(UNSENT_OF, &values![merchant.as_str(), conversation.to_string()]).await?;
        rows.into_iter().map(Unsent::try_from).collect()
    }

    /// Messages of a channel that are due at `now`, those behind `after` and at most so many, in the order in which they
    /// are due.
    pub async fn due(
        &self,
        channel: ChannelKind,
        now: Moment,
        after: Option<&Due>,
        most: i64,
    ) -> Result<Vec<Due>, StoreError> {
        let (at, merchant, conversation, seq) = match after {
            Some(due) => (due.at.0, due.merchant.as_str(), due.conversation.to_string(), due.seq),
            None => (i64::MIN, "", String::new(), 0),
        };
        let rows: Vec<DueRow> = self
            .engine
            .all(DUE, &values![channel.word(), now.0, at, merchant.to_owned(), conversation, seq, most])
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Due {
                    at: Moment(row.due_at),
                    merchant: parsed(&row.merchant_id, "merchant id")?,
                    conversation: parsed(&row.conversation_id, "conversation id")?,
                    seq: row.seq,
                })
            })
            .collect()
    }

    /// Conversations of a shop whose messages wait for their other half until that moment at the latest, with the moment
    /// at which the waiting ends.
    pub async fn gatherings(
        &self,
        merchant: &MerchantId,
        latest: Moment,
    ) -> Result<Vec<(ConversationId, ChannelKind, Moment)>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            self.engine.all(DUE_GATHERINGS, &values![merchant.as_str(), latest.0]).await?;
        rows.into_iter()
            .map(|(id, kind, until)| Ok((parsed(&id, "conversation id")?, channel(&kind)?, Moment(until))))
            .collect()
    }
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<Conversation, StoreError> {
        let gathering = match (row.gather_from, row.gather_until) {
            (Some(from), Some(until)) => Some(Gathering { from, until: Moment(until) }),
            _ => None,
        };
        let state = match serde_json::from_str::<State>(&row.state) {
            Ok(state) => Recalled::Known(state),
            Err(_) => Recalled::Unreadable(row.state),
        };
        Ok(Conversation {
            id: parsed(&row.conversation_id, "conversation id")?,
            channel: channel(&row.channel)?,
            peer: Peer::new(row.peer).ok_or_else(|| StoreError::Corrupt("peer".to_owned()))?,
            customer: Customer {
                id: parsed(&row.customer_id, "customer id")?,
                name: row.name,
                language: row.customer_language.and_then(|tag| tag.parse().ok()),
                address: row.address,
                offers: row.offers.map(|wanted| wanted != 0),
            },
            shown_name: row.shown_name,
            version: row.version,
            state,
            // One that can't be read is a person's business, and must not keep the person out.
            desk: serde_json::from_str(&row.desk)
                .unwrap_or(Desk::Waiting { since: Moment(row.last_at), why: Why::NotUnderstood }),
            language: row.language.and_then(|tag| tag.parse().ok()),
            next_seq: row.next_seq,
            gathering,
            orders: row.orders,
            reachable: row.reachable != 0,
            new: false,
        })
    }
}

impl TryFrom<UnsentRow> for Unsent {
    type Error = StoreError;

    fn try_from(row: UnsentRow) -> Result<Unsent, StoreError> {
        Ok(Unsent {
            merchant: parsed(&row.merchant_id, "merchant id")?,
            conversation: parsed(&row.conversation_id, "conversation id")?,
            seq: row.seq,
            channel: channel(&row.channel)?,
            peer: Peer::new(row.peer).ok_or_else(|| StoreError::Corrupt("peer".to_owned()))?,
            message: Outgoing {
                text: row.body,
                buttons: row.buttons.map(|b| json(&b, "buttons")).transpose()?.unwrap_or_default(),
            },
            attempts: row.attempts,
            said_at: Moment(row.at),
            due_at: Moment(row.due_at),
            urgency: Urgency::of(&row.urgency)?,
            expires_at: row.expires_at.map(Moment),
            told: row.fault.as_deref() == Some(ASKED_TO_WAIT),
        })
    }
}

/// Since when a person is awaited, for the list of those who wait.
fn waiting_since(desk: &Desk) -> Option<i64> {
    match desk {
        Desk::Waiting { since, .. } => Some(since.0),
        Desk::Bot | Desk::Staff { .. } => None,
    }
}

fn one_row(affected: u64) -> Result<(), StoreError> {
    if affected == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

pub(super) fn written<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Failed(e.to_string()))
}
