//! The writing side of a turn. Every function here runs inside one transaction; nothing is stored before
//! [`Tx::commit`], and dropping a [`Tx`] undoes all of it.

use sqlx::{FromRow, Sqlite, SqliteConnection, Transaction};

use super::{
    Conversation, Gathering, NewMessage, Recalled, Store, StoreError, Urgency,
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
const MOST_FACTS: i64 = 10;

/// Most unsent messages that are fetched at once when the program starts.
const MOST_UNSENT: i64 = 1_000;

/// A transaction that writes.
pub struct Tx {
    tx: Transaction<'static, Sqlite>,
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
    /// When to try.
    pub due_at: Moment,
    /// What it gives way to.
    pub urgency: Urgency,
    /// From when on it is not tried any more.
    pub expires_at: Option<Moment>,
}

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

#[derive(FromRow)]
struct ShopRow {
    merchant_id: String,
    catalog: String,
    faq: String,
    version: i64,
}

#[derive(FromRow)]
struct ConversationRow {
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

#[derive(FromRow)]
struct UnsentRow {
    merchant_id: String,
    conversation_id: String,
    seq: i64,
    channel: String,
    peer: String,
    body: String,
    buttons: Option<String>,
    attempts: i64,
    due_at: i64,
    urgency: String,
    expires_at: Option<i64>,
}

#[derive(FromRow)]
struct DueRow {
    due_at: i64,
    merchant_id: String,
    conversation_id: String,
    seq: i64,
}

const SHOPS: &str = "SELECT merchant_id, catalog, faq, version FROM merchant ORDER BY opened_at, merchant_id";

const IMPORT: &str = "INSERT INTO merchant (merchant_id, catalog, faq, version, next_order, opened_at) \
     VALUES ($1, $2, $3, 1, 1, $4) ON CONFLICT (merchant_id) DO UPDATE \
     SET catalog = excluded.catalog, faq = excluded.faq, version = merchant.version + 1";

const NEXT_ORDER: &str = "SELECT next_order FROM merchant WHERE merchant_id = $1";

const TAKE_ORDER_NUMBER: &str =
    "UPDATE merchant SET next_order = next_order + 1 WHERE merchant_id = $1 AND next_order = $2";

const INBOX: &str = "INSERT INTO inbox (merchant_id, channel, foreign_id, conversation_id, seq, received_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id, channel, foreign_id) DO NOTHING";

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

const NEW_CUSTOMER: &str = "INSERT INTO customer (merchant_id, customer_id, name, language, address, offers, \
     created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

const SAVE_CUSTOMER: &str = "UPDATE customer SET name = $3, language = $4, address = $5, offers = $6 \
     WHERE merchant_id = $1 AND customer_id = $2";

const NEW_CONVERSATION: &str = "INSERT INTO conversation (merchant_id, conversation_id, channel, peer, customer_id, \
     version, state, desk, language, next_seq, gather_from, gather_until, orders, reachable, last_at, shown_name, \
     waiting_since) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

const SAVE_CONVERSATION: &str = "UPDATE conversation SET version = version + 1, state = $4, desk = $5, language = $6, \
     next_seq = $7, gather_from = $8, gather_until = $9, orders = $10, reachable = $11, last_at = $12, \
     shown_name = $13, waiting_since = $14 \
     WHERE merchant_id = $1 AND conversation_id = $2 AND version = $3";

const NEW_MESSAGE: &str = "INSERT INTO message (merchant_id, conversation_id, seq, author, by_name, kind, body, \
     buttons, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const WORDS_SINCE: &str = "SELECT body FROM message WHERE merchant_id = $1 AND conversation_id = $2 AND seq >= $3 \
     AND author = 'customer' AND kind = 'text' ORDER BY seq";

const TO_OUTBOX: &str = "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, fault, \
     failed, urgency, expires_at) VALUES ($1, $2, $3, $4, $5, $6, NULL, 0, $7, $8)";

const SENT: &str = "DELETE FROM outbox WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3";

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
     o.attempts, o.due_at, o.urgency, o.expires_at FROM outbox o \
     JOIN conversation c ON c.merchant_id = o.merchant_id AND c.conversation_id = o.conversation_id \
     JOIN message m ON m.merchant_id = o.merchant_id AND m.conversation_id = o.conversation_id AND m.seq = o.seq \
     WHERE o.failed = 0 AND (o.merchant_id, o.conversation_id, o.seq) > ($1, $2, $3) \
     ORDER BY o.merchant_id, o.conversation_id, o.seq LIMIT $4";

const UNSENT_OF: &str = "SELECT o.merchant_id, o.conversation_id, o.seq, o.channel, c.peer, m.body, m.buttons, \
     o.attempts, o.due_at, o.urgency, o.expires_at FROM outbox o \
     JOIN conversation c ON c.merchant_id = o.merchant_id AND c.conversation_id = o.conversation_id \
     JOIN message m ON m.merchant_id = o.merchant_id AND m.conversation_id = o.conversation_id AND m.seq = o.seq \
     WHERE o.failed = 0 AND o.merchant_id = $1 AND o.conversation_id = $2 ORDER BY o.seq";

const DUE: &str = "SELECT due_at, merchant_id, conversation_id, seq FROM outbox \
     WHERE failed = 0 AND channel = $1 AND due_at <= $2 AND due_at >= $3 \
     AND (due_at, merchant_id, conversation_id, seq) > ($3, $4, $5, $6) \
     ORDER BY due_at, merchant_id, conversation_id, seq LIMIT $7";

const NEW_ORDER: &str = "INSERT INTO orders (merchant_id, order_id, number, conversation_id, readback, customer_id, \
     language, status, version, cart, line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, \
     not_before, due, reason, note, moved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
     $16, $17, $18, $19, $20, $21, $22, $23, $24)";

const MOVE_ORDER: &str = "UPDATE orders SET status = $4, version = $5, due = $6, reason = $7, moved_at = $8 \
     WHERE merchant_id = $1 AND order_id = $2 AND version = $3";

const NEW_MOVE: &str = "INSERT INTO order_move (merchant_id, order_id, version, status, actor, at) \
     VALUES ($1, $2, $3, $4, $5, $6)";

const ORDER_OF: &str = "SELECT order_id, number, conversation_id, customer_id, language, status, version, cart, \
     line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, not_before, due, reason, note, moved_at \
     FROM orders WHERE merchant_id = $1 AND order_id = $2";

const RECENT_ORDERS: &str = "SELECT order_id, number, conversation_id, customer_id, language, status, version, cart, \
     line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, not_before, due, reason, note, moved_at \
     FROM orders WHERE merchant_id = $1 AND customer_id = $2 ORDER BY placed_at DESC LIMIT $3";

const SET_ASIDE: &str = "INSERT INTO aside (merchant_id, channel, foreign_id, peer, raw, fault, at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant_id, channel, foreign_id) DO NOTHING";

const KEPT_ASIDE: &str = "SELECT peer, raw, at FROM aside WHERE merchant_id = $1 AND channel = $2 AND foreign_id = $3";

const NO_LONGER_ASIDE: &str = "DELETE FROM aside WHERE merchant_id = $1 AND channel = $2 AND foreign_id = $3";

const NOT_RECEIVED: &str = "DELETE FROM inbox WHERE merchant_id = $1 AND channel = $2 AND foreign_id = $3";

const SAID_SINCE: &str = "SELECT COUNT(*) FROM message WHERE merchant_id = $1 AND conversation_id = $2 AND at > $3";

const GIVE_UP: &str = "UPDATE conversation SET version = version + 1, gather_from = NULL, gather_until = NULL, \
     desk = $3, waiting_since = $4 WHERE merchant_id = $1 AND conversation_id = $2";

const DUE_GATHERINGS: &str = "SELECT merchant_id, conversation_id, channel, gather_until FROM conversation \
     WHERE gather_until IS NOT NULL";

impl Tx {
    pub(super) fn new(tx: Transaction<'static, Sqlite>) -> Tx {
        Tx { tx }
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Makes all of it durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }

    /// Undoes all of it now, instead of when the connection is next used.
    pub async fn undo(self) -> Result<(), StoreError> {
        Ok(self.tx.rollback().await?)
    }

    /// Stores a shop's files, new or in place of the old ones. They must have been read without an error.
    pub async fn import(
        &mut self,
        merchant: &MerchantId,
        catalog: &str,
        faq: &str,
        now: Moment,
    ) -> Result<(), StoreError> {
        sqlx::query(IMPORT).bind(merchant.as_str()).bind(catalog).bind(faq).bind(now.0).execute(&mut *self.tx).await?;
        Ok(())
    }

    /// Writes an arrival down; `false` where it was there already and this one ends here.
    pub async fn receive(
        &mut self,
        arrival: &Arrival,
        conversation: ConversationId,
        seq: Option<i64>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(INBOX)
            .bind(arrival.merchant.as_str())
            .bind(arrival.channel.word())
            .bind(&arrival.foreign_id)
            .bind(conversation.to_string())
            .bind(seq)
            .bind(arrival.at.0)
            .execute(&mut *self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The conversation with somebody on a channel.
    pub async fn conversation_with(
        &mut self,
        merchant: &MerchantId,
        channel: ChannelKind,
        peer: &Peer,
    ) -> Result<Option<Conversation>, StoreError> {
        let row: Option<ConversationRow> = sqlx::query_as(BY_PEER)
            .bind(merchant.as_str())
            .bind(channel.word())
            .bind(peer.as_str())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(Conversation::try_from).transpose()
    }

    /// The conversation of an id.
    pub async fn conversation(
        &mut self,
        merchant: &MerchantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let row: Option<ConversationRow> =
            sqlx::query_as(BY_ID).bind(merchant.as_str()).bind(id.to_string()).fetch_optional(&mut *self.tx).await?;
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
        if conversation.new {
            sqlx::query(NEW_CONVERSATION)
                .bind(merchant.as_str())
                .bind(conversation.id.to_string())
                .bind(conversation.channel.word())
                .bind(conversation.peer.as_str())
                .bind(conversation.customer.id.to_string())
                .bind(state)
                .bind(desk)
                .bind(language)
                .bind(conversation.next_seq)
                .bind(gather_from)
                .bind(gather_until)
                .bind(conversation.orders)
                .bind(reachable)
                .bind(now.0)
                .bind(conversation.shown_name.as_deref())
                .bind(waiting_since(&conversation.desk))
                .execute(&mut *self.tx)
                .await?;
            return Ok(());
        }
        let done = sqlx::query(SAVE_CONVERSATION)
            .bind(merchant.as_str())
            .bind(conversation.id.to_string())
            .bind(conversation.version)
            .bind(state)
            .bind(desk)
            .bind(language)
            .bind(conversation.next_seq)
            .bind(gather_from)
            .bind(gather_until)
            .bind(conversation.orders)
            .bind(reachable)
            .bind(now.0)
            .bind(conversation.shown_name.as_deref())
            .bind(waiting_since(&conversation.desk))
            .execute(&mut *self.tx)
            .await?;
        one_row(done.rows_affected())
    }

    /// Saves a customer, new or changed.
    pub async fn save_customer(
        &mut self,
        merchant: &MerchantId,
        customer: &Customer,
        new: bool,
        now: Moment,
    ) -> Result<(), StoreError> {
        let statement = if new { NEW_CUSTOMER } else { SAVE_CUSTOMER };
        let query = sqlx::query(statement)
            .bind(merchant.as_str())
            .bind(customer.id.to_string())
            .bind(customer.name.as_deref())
            .bind(customer.language.map(|l| l.tag().to_owned()))
            .bind(customer.address.as_deref())
            .bind(customer.offers.map(i64::from));
        let query = if new { query.bind(now.0) } else { query };
        query.execute(&mut *self.tx).await?;
        Ok(())
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
        sqlx::query(NEW_MESSAGE)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .bind(seq)
            .bind(message.author.word())
            .bind(message.by_name)
            .bind(message.kind)
            .bind(&message.what.text)
            .bind(buttons)
            .bind(message.at.0)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// What the customer wrote from message `from` on, one text a message.
    pub async fn words_since(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        from: i64,
    ) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(WORDS_SINCE)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .bind(from)
            .fetch_all(&mut *self.tx)
            .await?)
    }

    /// Puts a message that was written down into the outbox.
    pub async fn post(&mut self, message: &Unsent) -> Result<(), StoreError> {
        sqlx::query(TO_OUTBOX)
            .bind(message.merchant.as_str())
            .bind(message.conversation.to_string())
            .bind(message.seq)
            .bind(message.channel.word())
            .bind(message.due_at.0)
            .bind(message.attempts)
            .bind(message.urgency.word())
            .bind(message.expires_at.map(|at| at.0))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// A vendor took the message.
    pub async fn mark_sent(&mut self, message: &Unsent) -> Result<(), StoreError> {
        sqlx::query(SENT)
            .bind(message.merchant.as_str())
            .bind(message.conversation.to_string())
            .bind(message.seq)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The message is tried again later.
    pub async fn mark_later(&mut self, message: &Unsent, fault: &str) -> Result<(), StoreError> {
        sqlx::query(LATER)
            .bind(message.merchant.as_str())
            .bind(message.conversation.to_string())
            .bind(message.seq)
            .bind(message.due_at.0)
            .bind(message.attempts)
            .bind(fault)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The message will never be sent; where `gone`, nothing else to this customer will be either, and what waits for
    /// them ends with it.
    pub async fn mark_failed(&mut self, message: &Unsent, fault: &str, gone: bool) -> Result<(), StoreError> {
        sqlx::query(FAILED)
            .bind(message.merchant.as_str())
            .bind(message.conversation.to_string())
            .bind(message.seq)
            .bind(fault)
            .execute(&mut *self.tx)
            .await?;
        if gone {
            sqlx::query(UNREACHABLE)
                .bind(message.merchant.as_str())
                .bind(message.conversation.to_string())
                .execute(&mut *self.tx)
                .await?;
            sqlx::query(FAILED_TOO)
                .bind(message.merchant.as_str())
                .bind(message.conversation.to_string())
                .bind(fault)
                .execute(&mut *self.tx)
                .await?;
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
        let done = sqlx::query(RESEND)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .bind(seq)
            .bind(due.0)
            .bind(expires.map(|at| at.0))
            .execute(&mut *self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many messages of a conversation could not be sent.
    pub async fn undelivered(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
    ) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(UNDELIVERED)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .fetch_one(&mut *self.tx)
            .await?)
    }

    /// The number that the next order of a shop gets, if it is placed in this transaction.
    pub async fn next_order_number(&mut self, merchant: &MerchantId) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(NEXT_ORDER).bind(merchant.as_str()).fetch_one(&mut *self.tx).await?)
    }

    /// Places an order under the number that it names. [`StoreError::Stale`] where somebody else took the number,
    /// [`StoreError::Taken`] where this read-back has its order already.
    pub async fn place(
        &mut self,
        merchant: &MerchantId,
        order: &Order,
        readback: i64,
        actor: &str,
    ) -> Result<(), StoreError> {
        let done =
            sqlx::query(TAKE_ORDER_NUMBER).bind(merchant.as_str()).bind(order.number).execute(&mut *self.tx).await?;
        one_row(done.rows_affected())?;
        let totals: Vec<i64> = order.line_totals.iter().map(|m| m.in_minor()).collect();
        sqlx::query(NEW_ORDER)
            .bind(merchant.as_str())
            .bind(order.id.to_string())
            .bind(order.number)
            .bind(order.conversation.to_string())
            .bind(readback)
            .bind(order.customer.to_string())
            .bind(order.language.tag().to_owned())
            .bind(order.status.word())
            .bind(order.version)
            .bind(written(&order.cart)?)
            .bind(written(&totals)?)
            .bind(order.total.currency().code().to_owned())
            .bind(order.fee.in_minor())
            .bind(order.total.in_minor())
            .bind(order.fulfilment.word())
            .bind(&order.name)
            .bind(order.address.as_deref())
            .bind(order.zone.as_ref().map(|z| z.as_str().to_owned()))
            .bind(order.placed_at.0)
            .bind(order.not_before.map(|m| m.0))
            .bind(order.due.map(|m| m.0))
            .bind(order.reason.as_deref())
            .bind(order.note.as_deref())
            .bind(order.moved_at.0)
            .execute(&mut *self.tx)
            .await?;
        self.note_move(merchant, order, actor).await
    }

    /// Saves an order that was moved. [`StoreError::Stale`] where somebody else moved it first.
    pub async fn move_order(&mut self, merchant: &MerchantId, order: &Order, actor: &str) -> Result<(), StoreError> {
        let done = sqlx::query(MOVE_ORDER)
            .bind(merchant.as_str())
            .bind(order.id.to_string())
            .bind(order.version - 1)
            .bind(order.status.word())
            .bind(order.version)
            .bind(order.due.map(|m| m.0))
            .bind(order.reason.as_deref())
            .bind(order.moved_at.0)
            .execute(&mut *self.tx)
            .await?;
        one_row(done.rows_affected())?;
        self.note_move(merchant, order, actor).await
    }

    /// One order.
    pub async fn order(&mut self, merchant: &MerchantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row: Option<OrderRow> =
            sqlx::query_as(ORDER_OF).bind(merchant.as_str()).bind(id.to_string()).fetch_optional(&mut *self.tx).await?;
        row.map(Order::try_from).transpose()
    }

    /// A customer's latest orders, the newest first.
    pub async fn recent_orders(
        &mut self,
        merchant: &MerchantId,
        customer: CustomerId,
    ) -> Result<Vec<Order>, StoreError> {
        let rows: Vec<OrderRow> = sqlx::query_as(RECENT_ORDERS)
            .bind(merchant.as_str())
            .bind(customer.to_string())
            .bind(MOST_FACTS)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.into_iter().map(Order::try_from).collect()
    }

    /// Lets go of messages that wait for their other half and can't be answered, and calls a person to them.
    pub async fn give_up_gathering(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
        desk: &Desk,
    ) -> Result<(), StoreError> {
        sqlx::query(GIVE_UP)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .bind(written(desk)?)
            .bind(waiting_since(desk))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Keeps an arrival whose turn failed, with the fault.
    pub async fn set_aside(&mut self, arrival: &Arrival, fault: &str) -> Result<(), StoreError> {
        sqlx::query(SET_ASIDE)
            .bind(arrival.merchant.as_str())
            .bind(arrival.channel.word())
            .bind(&arrival.foreign_id)
            .bind(arrival.peer.as_str())
            .bind(&arrival.raw)
            .bind(fault)
            .bind(arrival.at.0)
            .execute(&mut *self.tx)
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
        let key = (merchant.as_str(), channel.word(), foreign_id);
        let kept: Option<(String, String, i64)> =
            sqlx::query_as(KEPT_ASIDE).bind(key.0).bind(key.1).bind(key.2).fetch_optional(&mut *self.tx).await?;
        let Some((peer, raw, at)) = kept else { return Ok(None) };
        for statement in [NO_LONGER_ASIDE, NOT_RECEIVED] {
            sqlx::query(statement).bind(key.0).bind(key.1).bind(key.2).execute(&mut *self.tx).await?;
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
        let later: i64 = sqlx::query_scalar(SAID_SINCE)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .bind(at.0)
            .fetch_one(&mut *self.tx)
            .await?;
        Ok(later > 0)
    }

    async fn note_move(&mut self, merchant: &MerchantId, order: &Order, actor: &str) -> Result<(), StoreError> {
        sqlx::query(NEW_MOVE)
            .bind(merchant.as_str())
            .bind(order.id.to_string())
            .bind(order.version)
            .bind(order.status.word())
            .bind(actor)
            .bind(order.moved_at.0)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Every shop, the oldest first.
    pub async fn shops(&self) -> Result<Vec<Shop>, StoreError> {
        let rows: Vec<ShopRow> = sqlx::query_as(SHOPS).fetch_all(self.reader()).await?;
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
        tx.commit().await
    }

    /// Every message that no vendor has taken yet, each conversation's in order.
    pub async fn unsent(&self) -> Result<Vec<Unsent>, StoreError> {
        let mut all = Vec::new();
        let mut last = (String::new(), String::new(), 0);
        loop {
            let rows: Vec<UnsentRow> = sqlx::query_as(UNSENT)
                .bind(last.0)
                .bind(last.1)
                .bind(last.2)
                .bind(MOST_UNSENT)
                .fetch_all(self.reader())
                .await?;
            let Some(end) = rows.last() else { return Ok(all) };
            last = (end.merchant_id.clone(), end.conversation_id.clone(), end.seq);
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
        let rows: Vec<UnsentRow> = sqlx::query_as(UNSENT_OF)
            .bind(merchant.as_str())
            .bind(conversation.to_string())
            .fetch_all(self.reader())
            .await?;
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
        let rows: Vec<DueRow> = sqlx::query_as(DUE)
            .bind(channel.word())
            .bind(now.0)
            .bind(at)
            .bind(merchant.to_owned())
            .bind(conversation)
            .bind(seq)
            .bind(most)
            .fetch_all(self.reader())
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

    /// Conversations whose messages wait for their other half, with the moment at which the waiting ends.
    pub async fn gatherings(&self) -> Result<Vec<(MerchantId, ConversationId, ChannelKind, Moment)>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(DUE_GATHERINGS).fetch_all(self.reader()).await?;
        rows.into_iter()
            .map(|(merchant, conversation, kind, until)| {
                let (merchant, conversation) =
                    (parsed(&merchant, "merchant id")?, parsed(&conversation, "conversation id")?);
                Ok((merchant, conversation, channel(&kind)?, Moment(until)))
            })
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
            due_at: Moment(row.due_at),
            urgency: Urgency::of(&row.urgency)?,
            expires_at: row.expires_at.map(Moment),
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
