//! What the console and the chat page show.

use std::collections::HashSet;

use super::{
    Store, StoreError,
    engine::{row, values},
};
use crate::{
    cart::Cart,
    channel::{Button, ChannelKind},
    desk::Desk,
    id::{ConversationId, MerchantId, OrderId},
    language::Language,
    moment::Moment,
    money::Currency,
    order::{Fulfilment, Order, Status},
};

/// Most messages that one look at a conversation fetches.
const MOST_MESSAGES: i64 = 200;

/// Most ended orders that the console's board shows.
const MOST_ORDERS: i64 = 200;

/// Most orders under way that the board shows; no kitchen has more at once.
const MOST_OPEN: i64 = 2_000;

/// Most conversations that wait for a person which the console lists.
const MOST_CALLING: i64 = 500;

/// Most conversations that the console lists.
const MOST_CONVERSATIONS: i64 = 100;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The customer.
    Customer,
    /// The program.
    Bot,
    /// A person of the shop.
    Staff,
    /// Nobody: what happened, for the staff's eyes alone.
    Note,
}

/// An order with what its card shows.
#[derive(Debug, Clone)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// Where it was made.
    pub channel: ChannelKind,
}

/// A conversation in a list.
#[derive(Debug, Clone)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// Where it is held.
    pub channel: ChannelKind,
    /// The customer's name, where it is known.
    pub name: Option<String>,
    /// The customer's language, where it is known.
    pub language: Option<Language>,
    /// Who answers; `None` where the stored desk can't be read, which is a person's business too.
    pub desk: Option<Desk>,
    /// Where the bot stands in it, as stored.
    pub state: String,
    /// Counts turns; a correction of the order names it.
    pub version: i64,
    /// When something last happened.
    pub last_at: Moment,
    /// The last words said, and by whom; notes left out.
    pub last: Option<(Author, String)>,
    /// Whether the customer can be sent anything.
    pub reachable: bool,
    /// Messages that could not be sent.
    pub failed: i64,
    /// Why the last of them could not.
    pub fault: Option<String>,
}

/// A message in a conversation.
#[derive(Debug, Clone)]
pub struct MessageView {
    /// Its place; 1 is the first.
    pub seq: i64,
    /// Who.
    pub author: Author,
    /// The name of a member of the staff.
    pub by_name: Option<String>,
    /// `text`, or what stood in place of words: `voice`, `picture`, `sticker`, `location`, `contact`, `file`, `edit`,
    /// `press`, `other`.
    pub kind: String,
    /// The words.
    pub body: String,
    /// Buttons below.
    pub buttons: Vec<Button>,
    /// When.
    pub at: Moment,
    /// Whether the vendor has not taken it yet.
    pub waiting: bool,
    /// Why it will never be sent.
    pub fault: Option<String>,
}

row! {
    /// An arrival whose turn failed.
    #[derive(Debug, Clone)]
    pub struct AsideView {
        /// The channel's word.
        pub channel: String,
        /// The vendor's id.
        pub foreign_id: String,
        /// From whom.
        pub peer: String,
        /// The vendor's bytes.
        pub raw: String,
        /// What went wrong.
        pub fault: String,
        /// When, in Unix milliseconds.
        pub at: i64,
    }
}

row! {
    pub(super) struct OrderRow {
        order_id: String,
        number: i64,
        conversation_id: String,
        customer_id: String,
        language: String,
        status: String,
        version: i64,
        cart: String,
        line_totals: String,
        currency: String,
        fee: i64,
        total: i64,
        fulfilment: String,
        name: String,
        address: Option<String>,
        zone: Option<String>,
        placed_at: i64,
        not_before: Option<i64>,
        due: Option<i64>,
        reason: Option<String>,
        note: Option<String>,
        moved_at: i64,
    }
}

row! {
    struct OrderViewRow {
        order: OrderRow,
        channel: String,
    }
}

row! {
    struct ConversationRow {
        conversation_id: String,
        channel: String,
        name: Option<String>,
        language: Option<String>,
        desk: String,
        state: String,
        version: i64,
        last_at: i64,
        last_author: Option<String>,
        last_body: Option<String>,
        reachable: i64,
        failed: i64,
        fault: Option<String>,
    }
}

row! {
    struct MessageRow {
        seq: i64,
        author: String,
        by_name: Option<String>,
        kind: String,
        body: String,
        buttons: Option<String>,
        at: i64,
        failed: Option<i64>,
        fault: Option<String>,
    }
}

/// Orders as [`OrderViewRow`] reads them, of those that the rest of the statement picks.
macro_rules! orders {
    ($which:literal) => {
        concat!(
            "SELECT o.order_id, o.number, o.conversation_id, o.customer_id, o.language, o.status, o.version, \
             o.cart, o.line_totals, o.currency, o.fee, o.total, o.fulfilment, o.name, o.address, o.zone, \
             o.placed_at, o.not_before, o.due, o.reason, o.note, o.moved_at, c.channel FROM orders o \
             JOIN conversation c ON c.merchant_id = o.merchant_id AND c.conversation_id = o.conversation_id \
             WHERE o.merchant_id = $1 ",
            $which
        )
    };
}

/// Conversations as [`ConversationRow`] reads them, of those that the rest of the statement picks.
macro_rules! conversations {
    ($which:literal) => {
        concat!(
            "SELECT c.conversation_id, c.channel, coalesce(u.name, c.shown_name) AS name, c.language, c.desk, \
             c.state, c.version, c.last_at, m.author AS last_author, m.body AS last_body, c.reachable, \
             (SELECT count(*) FROM outbox x WHERE x.merchant_id = c.merchant_id \
              AND x.conversation_id = c.conversation_id AND x.failed = 1) AS failed, \
             (SELECT x.fault FROM outbox x WHERE x.merchant_id = c.merchant_id \
              AND x.conversation_id = c.conversation_id AND x.failed = 1 ORDER BY x.seq DESC LIMIT 1) AS fault \
             FROM conversation c JOIN customer u ON u.merchant_id = c.merchant_id AND u.customer_id = c.customer_id \
             LEFT JOIN message m ON m.merchant_id = c.merchant_id AND m.conversation_id = c.conversation_id \
             AND m.seq = (SELECT max(l.seq) FROM message l WHERE l.merchant_id = c.merchant_id \
              AND l.conversation_id = c.conversation_id AND l.author <> 'note') \
             WHERE c.merchant_id = $1 ",
            $which
        )
    };
}

const OPEN_ORDERS: &str =
    orders!("AND o.status IN ('placed', 'accepted', 'ready', 'out_for_delivery') ORDER BY o.placed_at DESC LIMIT $2");

const ENDED_ORDERS: &str = orders!(
    "AND o.moved_at > $2 AND o.status IN ('delivered', 'declined', 'cancelled') ORDER BY o.moved_at DESC LIMIT $3"
);

const ORDER: &str = orders!("AND o.order_id = $2");

const ORDERS_OF: &str = orders!("AND o.conversation_id = $2 ORDER BY o.placed_at DESC LIMIT $3");

const CONVERSATIONS: &str = conversations!("AND c.last_at > 0 ORDER BY c.last_at DESC LIMIT $2");

const CALLING: &str = conversations!("AND c.waiting_since IS NOT NULL ORDER BY c.waiting_since LIMIT $2");

const CONVERSATION: &str = conversations!("AND c.conversation_id = $2");

const MESSAGES: &str = "SELECT * FROM (SELECT m.seq, m.author, m.by_name, m.kind, m.body, m.buttons, m.at, x.failed, \
     x.fault FROM message m LEFT JOIN outbox x ON x.merchant_id = m.merchant_id \
     AND x.conversation_id = m.conversation_id AND x.seq = m.seq \
     WHERE m.merchant_id = $1 AND m.conversation_id = $2 AND m.seq > $3 ORDER BY m.seq DESC LIMIT $4) t ORDER BY seq";

const CONVERSATION_OF: &str =
    "SELECT conversation_id FROM conversation WHERE merchant_id = $1 AND channel = $2 AND peer = $3";

const ASIDE: &str = "SELECT channel, foreign_id, peer, raw, fault, at FROM aside WHERE merchant_id = $1 \
     ORDER BY at DESC, channel, foreign_id LIMIT 100";

impl Store {
    /// The orders that are under way, and those that ended after `since`; the newest first.
    pub async fn board(&self, merchant: &MerchantId, since: Moment) -> Result<Vec<OrderView>, StoreError> {
        let mut rows: Vec<OrderViewRow> = self.engine.all(OPEN_ORDERS, &values![merchant.as_str(), MOST_OPEN]).await?;
        let ended: Vec<OrderViewRow> =
            self.engine.all(ENDED_ORDERS, &values![merchant.as_str(), since.0, MOST_ORDERS]).await?;
        rows.extend(ended);
        let mut views: Vec<OrderView> = rows.into_iter().filter_map(readable).collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.order.placed_at));
        Ok(views)
    }

    /// One order.
    pub async fn order(&self, merchant: &MerchantId, id: OrderId) -> Result<Option<OrderView>, StoreError> {
        let row: Option<OrderViewRow> = self.engine.first(ORDER, &values![merchant.as_str(), id.to_string()]).await?;
        row.map(OrderView::try_from).transpose()
    }

    /// The orders that came of a conversation, the newest first.
    pub async fn orders_of(&self, merchant: &MerchantId, id: ConversationId) -> Result<Vec<OrderView>, StoreError> {
        let rows: Vec<OrderViewRow> =
            self.engine.all(ORDERS_OF, &values![merchant.as_str(), id.to_string(), MOST_ORDERS]).await?;
        rows.into_iter().map(OrderView::try_from).collect()
    }

    /// The conversations that wait for a person, however old, and the latest ones; the newest first.
    pub async fn conversations(&self, merchant: &MerchantId) -> Result<Vec<ConversationView>, StoreError> {
        let mut rows: Vec<ConversationRow> =
            self.engine.all(CALLING, &values![merchant.as_str(), MOST_CALLING]).await?;
        let latest: Vec<ConversationRow> =
            self.engine.all(CONVERSATIONS, &values![merchant.as_str(), MOST_CONVERSATIONS]).await?;
        let known: HashSet<String> = rows.iter().map(|row| row.conversation_id.clone()).collect();
        rows.extend(latest.into_iter().filter(|row| !known.contains(&row.conversation_id)));
        let mut views: Vec<ConversationView> = rows.into_iter().filter_map(readable_talk).collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.last_at));
        Ok(views)
    }

    /// One conversation.
    pub async fn conversation(
        &self,
        merchant: &MerchantId,
        id: ConversationId,
    ) -> Result<Option<ConversationView>, StoreError> {
        let row: Option<ConversationRow> =
            self.engine.first(CONVERSATION, &values![merchant.as_str(), id.to_string()]).await?;
        row.map(ConversationView::try_from).transpose()
    }

    /// The conversation with somebody on a channel, where there is one.
    pub async fn conversation_with(
        &self,
        merchant: &MerchantId,
        channel: ChannelKind,
        peer: &crate::channel::Peer,
    ) -> Result<Option<ConversationId>, StoreError> {
        let id: Option<String> =
            self.engine.first(CONVERSATION_OF, &values![merchant.as_str(), channel.word(), peer.as_str()]).await?;
        id.map(|id| parsed(&id, "conversation id")).transpose()
    }

    /// What was said after message `after`, oldest first; of more than 200, the last 200.
    pub async fn messages(
        &self,
        merchant: &MerchantId,
        id: ConversationId,
        after: i64,
    ) -> Result<Vec<MessageView>, StoreError> {
        let rows: Vec<MessageRow> =
            self.engine.all(MESSAGES, &values![merchant.as_str(), id.to_string(), after, MOST_MESSAGES]).await?;
        rows.into_iter().map(MessageView::try_from).collect()
    }

    /// Arrivals whose turn failed, the newest first.
    pub async fn aside(&self, merchant: &MerchantId) -> Result<Vec<AsideView>, StoreError> {
        self.engine.all(ASIDE, &values![merchant.as_str()]).await
    }
}

impl Author {
    /// As the database has it.
    pub fn word(self) -> &'static str {
        match self {
            Author::Customer => "customer",
            Author::Bot => "bot",
            Author::Staff => "staff",
            Author::Note => "note",
        }
    }

    fn of(word: &str) -> Result<Author, StoreError> {
        [Author::Customer, Author::Bot, Author::Staff, Author::Note]
            .into_iter()
            .find(|author| author.word() == word)
            .ok_or_else(|| StoreError::Corrupt(format!("author {word:?}")))
    }
}

/// An order as a view; one that can't be read is left out and logged, so that the others still show.
fn readable(row: OrderViewRow) -> Option<OrderView> {
    let id = row.order.order_id.clone();
    OrderView::try_from(row).inspect_err(|fault| tracing::error!(order = id, %fault, "an order can't be read")).ok()
}

/// The same for a conversation.
fn readable_talk(row: ConversationRow) -> Option<ConversationView> {
    let id = row.conversation_id.clone();
    let unread = |fault: &StoreError| tracing::error!(conversation = id, %fault, "a conversation can't be read");
    ConversationView::try_from(row).inspect_err(unread).ok()
}

impl TryFrom<OrderRow> for Order {
    type Error = StoreError;

    fn try_from(row: OrderRow) -> Result<Order, StoreError> {
        let currency = Currency::parse(&row.currency).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let money = |minor| currency.minor(minor).map_err(|e| StoreError::Corrupt(e.to_string()));
        let cart: Cart = json(&row.cart, "cart")?;
        let totals: Vec<i64> = json(&row.line_totals, "line totals")?;
        Ok(Order {
            id: parsed(&row.order_id, "order id")?,
            number: row.number,
            customer: parsed(&row.customer_id, "customer id")?,
            conversation: parsed(&row.conversation_id, "conversation id")?,
            language: parsed(&row.language, "language")?,
            status: Status::of(&row.status).ok_or_else(|| StoreError::Corrupt(format!("status {:?}", row.status)))?,
            version: row.version,
            cart,
            line_totals: totals.into_iter().map(money).collect::<Result<_, _>>()?,
            fee: money(row.fee)?,
            total: money(row.total)?,
            fulfilment: Fulfilment::of(&row.fulfilment)
                .ok_or_else(|| StoreError::Corrupt(format!("fulfilment {:?}", row.fulfilment)))?,
            name: row.name,
            address: row.address,
            zone: row.zone.map(|zone| parsed(&zone, "zone id")).transpose()?,
            placed_at: Moment(row.placed_at),
            not_before: row.not_before.map(Moment),
            due: row.due.map(Moment),
            reason: row.reason,
            note: row.note,
            moved_at: Moment(row.moved_at),
        })
    }
}

impl TryFrom<OrderViewRow> for OrderView {
    type Error = StoreError;

    fn try_from(row: OrderViewRow) -> Result<OrderView, StoreError> {
        Ok(OrderView { order: row.order.try_into()?, channel: channel(&row.channel)? })
    }
}

impl TryFrom<ConversationRow> for ConversationView {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<ConversationView, StoreError> {
        let last = match (row.last_author, row.last_body) {
            (Some(author), Some(body)) => Some((Author::of(&author)?, body)),
            _ => None,
        };
        Ok(ConversationView {
            id: parsed(&row.conversation_id, "conversation id")?,
            channel: channel(&row.channel)?,
            name: row.name,
            language: row.language.and_then(|tag| tag.parse().ok()),
            desk: serde_json::from_str(&row.desk).ok(),
            state: row.state,
            version: row.version,
            last_at: Moment(row.last_at),
            last,
            reachable: row.reachable != 0,
            failed: row.failed,
            fault: row.fault,
        })
    }
}

impl TryFrom<MessageRow> for MessageView {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<MessageView, StoreError> {
        Ok(MessageView {
            seq: row.seq,
            author: Author::of(&row.author)?,
            by_name: row.by_name,
            kind: row.kind,
            body: row.body,
            buttons: row.buttons.map(|b| json(&b, "buttons")).transpose()?.unwrap_or_default(),
            at: Moment(row.at),
            waiting: row.failed == Some(0),
            fault: row.fault.filter(|_| row.failed == Some(1)),
        })
    }
}

pub(super) fn channel(word: &str) -> Result<ChannelKind, StoreError> {
    word.parse().map_err(|()| StoreError::Corrupt(format!("channel {word:?}")))
}

pub(super) fn parsed<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(what.to_owned()))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    // The library's own words quote what stands there, and faults are logged.
    serde_json::from_str(text).map_err(|e| {
        StoreError::Corrupt(format!("{what}, line {}, column {}: {:?}", e.line(), e.column(), e.classify()))
    })
}
