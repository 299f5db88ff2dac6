//! The checker: what was sent, what Telegram was given, and what the database holds have to agree.
//!
//! - What was acknowledged is in the inbox, as a message of its conversation with the right words.
//! - Each arrival has one effect: one inbox row, one message; each read-back one order at most; a shop's order numbers
//!   are dense; what an order costs is the sum of its lines and its fee.
//! - Telegram got the messages of a chat in their order, all of them. One may come again where the program could not
//!   know that it was taken: its answer was on its way when the program was killed, or never came.
//! - Orders only move forward, each move on record.
//! - The engine finds its files sound.
//!
//! Where harm was done at certain moments, n is how often: the messages between two of them are not as many trials.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Deserialize;

use crate::{
    books::Books,
    fake::Taken,
    load::{Kind, Update, Walked},
    verdict::Verdict,
};

/// How long after a signal to one of several programs another may send again what that one had on the wire, in
/// milliseconds: within 35 s it has to have taken over (F21), and then it has to get around to it.
const SHAKEN_MS: u64 = 40_000;

/// What is compared with the database.
pub struct Evidence<'a> {
    /// What was sent, by the update's number.
    pub updates: &'a BTreeMap<i64, Update>,
    /// Chats whose updates came in order, where each yes must have made an order.
    pub walked: &'a BTreeMap<i64, Walked>,
    /// What Telegram was given.
    pub taken: &'a HashMap<i64, Vec<Taken>>,
    /// Messages that may have come again: chats with an answer on its way at the kills.
    pub in_flight: usize,
    /// How often harm was done by which something could be lost; 0 where it was done all the time.
    pub harms: usize,
    /// Whether several programs send, so that a message may come again over a connection of whichever.
    pub several: bool,
    /// When a program was sent a signal, in milliseconds from the start.
    pub signals: Vec<u64>,
    /// Whether all has healed, so that nothing may be left to be sent.
    pub healed: bool,
}

#[derive(Deserialize)]
struct InboxRow {
    foreign_id: String,
    conversation_id: String,
    seq: Option<i64>,
}

#[derive(Deserialize)]
struct MessageRow {
    conversation_id: String,
    seq: i64,
    author: String,
    kind: String,
    body: String,
}

#[derive(Deserialize)]
struct ConversationRow {
    conversation_id: String,
    peer: String,
}

#[derive(Deserialize)]
struct OrderRow {
    merchant_id: String,
    order_id: String,
    number: i64,
    conversation_id: String,
    readback: i64,
    status: String,
    version: i64,
    line_totals: String,
    fee: i64,
    total: i64,
}

#[derive(Deserialize)]
struct MoveRow {
    order_id: String,
    version: i64,
    status: String,
}

#[derive(Deserialize)]
struct One {
    value: String,
}

/// All that is compared.
struct Found {
    inbox: HashMap<i64, InboxRow>,
    messages: HashMap<String, BTreeMap<i64, MessageRow>>,
    peers: HashMap<String, i64>,
    orders: Vec<OrderRow>,
    moves: Vec<MoveRow>,
    aside: Vec<One>,
    outbox: Vec<One>,
    /// Whether a turn that failed may leave out an order number: on a server.
    gaps: bool,
}

/// Compares everything.
pub fn check(books: &Books, evidence: &Evidence<'_>, verdict: &mut Verdict) -> anyhow::Result<()> {
    let found = read(books)?;
    arrivals(&found, evidence, verdict);
    orders(&found, evidence, verdict);
    deliveries(&found, evidence, verdict);
    verdict.never(
        "turns that failed",
        found.aside.iter().map(|one| one.value.clone()).collect(),
        evidence.updates.len(),
    );
    match books.damage()? {
        Some(damage) => verdict.never("damage in the database", damage, 1),
        None => verdict.told("damage in the database", "not looked for"),
    }
    Ok(())
}

/// The part that a copy has to pass, which may be older than what was sent: all that it holds agrees with itself, and
/// what was acknowledged `before` it was begun is in it.
pub fn check_copy(
    books: &Books,
    updates: &BTreeMap<i64, Update>,
    before: &BTreeMap<i64, Update>,
) -> anyhow::Result<Vec<String>> {
    let found = read(books)?;
    let mut findings = books.damage()?.unwrap_or_default();
    let lacking = before.values().filter(|update| update.acknowledged && !found.inbox.contains_key(&update.id));
    findings.extend(lacking.map(|update| format!("update {} is not in it", update.id)));
    findings.extend(wrong_words(&found, updates));
    findings.extend(wrong_effects(&found));
    findings.extend(wrong_orders(&found));
    findings.extend(wrong_moves(&found));
    Ok(findings)
}

fn read(books: &Books) -> anyhow::Result<Found> {
    let inbox: Vec<InboxRow> =
        books.rows("SELECT foreign_id, conversation_id, seq FROM inbox WHERE channel = 'telegram'")?;
    let messages: Vec<MessageRow> = books.rows(
        "SELECT m.conversation_id, m.seq, m.author, m.kind, m.body FROM message m JOIN conversation c \
         ON c.merchant_id = m.merchant_id AND c.conversation_id = m.conversation_id WHERE c.channel = 'telegram'",
    )?;
    let conversations: Vec<ConversationRow> =
        books.rows("SELECT conversation_id, peer FROM conversation WHERE channel = 'telegram'")?;
    let mut by_conversation: HashMap<String, BTreeMap<i64, MessageRow>> = HashMap::new();
    for message in messages {
        by_conversation.entry(message.conversation_id.clone()).or_default().insert(message.seq, message);
    }
    let number = |row: InboxRow| Some((row.foreign_id.strip_prefix('u')?.parse().ok()?, row));
    let peer = |row: ConversationRow| Some((row.conversation_id, row.peer.parse().ok()?));
    Ok(Found {
        inbox: inbox.into_iter().filter_map(number).collect(),
        messages: by_conversation,
        peers: conversations.into_iter().filter_map(peer).collect(),
        orders: books.rows(
            "SELECT merchant_id, order_id, number, conversation_id, readback, status, version, line_totals, fee, total \
             FROM orders ORDER BY merchant_id, number",
        )?,
        moves: books.rows("SELECT order_id, version, status FROM order_move ORDER BY order_id, version")?,
        aside: books.rows("SELECT foreign_id AS value FROM aside")?,
        outbox: books.rows("SELECT conversation_id AS value FROM outbox WHERE channel = 'telegram'")?,
        gaps: matches!(books, Books::Postgres(_)),
    })
}

fn arrivals(found: &Found, evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let acknowledged: Vec<&Update> = evidence.updates.values().filter(|update| update.acknowledged).collect();
    let aside: HashSet<&str> = found.aside.iter().map(|one| one.value.as_str()).collect();
    let lost = acknowledged
        .iter()
        .filter(|update| !found.inbox.contains_key(&update.id) && !aside.contains(format!("u{}", update.id).as_str()));
    let lost = lost.map(|update| format!("update {} of chat {}: {:?}", update.id, update.chat, update.text)).collect();
    let trials = |messages: usize| if evidence.harms > 0 { evidence.harms } else { messages };
    verdict.never("acknowledged updates that are lost", lost, trials(acknowledged.len()));
    verdict.never("messages with other words than were sent", wrong_words(found, evidence.updates), found.inbox.len());
    verdict.never("arrivals with more or less than one effect", wrong_effects(found), trials(found.inbox.len()));
}

/// An update's message is in its own chat, and says what was sent.
fn wrong_words(found: &Found, updates: &BTreeMap<i64, Update>) -> Vec<String> {
    let mut findings = Vec::new();
    for (id, row) in &found.inbox {
        let Some(update) = updates.get(id) else {
            findings.push(format!("update {id} is in the inbox and was never sent"));
            continue;
        };
        if found.peers.get(&row.conversation_id) != Some(&update.chat) {
            findings.push(format!("update {id} of chat {} is in another conversation", update.chat));
        }
        let Some(seq) = row.seq else {
            if !update.text.starts_with('/') {
                findings.push(format!("update {id} ({:?}) became no message", update.text));
            }
            continue;
        };
        let message = found.messages.get(&row.conversation_id).and_then(|messages| messages.get(&seq));
        match message {
            Some(message) if message.author == "customer" && says(message, update) => {}
            Some(message) => findings.push(format!("update {id} was {:?} and is {:?}", update.text, message.body)),
            None => findings.push(format!("update {id} ({:?}) has no message {seq}", update.text)),
        }
    }
    findings
}

/// Whether a message is what came of an update. A press stands with its button's label, and a change without words.
fn says(message: &MessageRow, update: &Update) -> bool {
    match update.kind {
        Kind::Words => message.kind == "text" && message.body == update.text,
        Kind::Press => message.kind == "press",
        Kind::Edit(_) => message.kind == "edit" && message.body.is_empty(),
    }
}

/// One message for each arrival, one arrival for each message, no holes.
fn wrong_effects(found: &Found) -> Vec<String> {
    let mut findings = Vec::new();
    let mut of_arrivals = HashSet::new();
    for (id, row) in &found.inbox {
        if row.seq.is_some_and(|seq| !of_arrivals.insert((row.conversation_id.as_str(), seq))) {
            findings.push(format!("update {id} shares its message with another"));
        }
    }
    for (conversation, messages) in &found.messages {
        let of_customer = messages.values().filter(|message| message.author == "customer");
        for message in of_customer.filter(|message| !of_arrivals.contains(&(conversation.as_str(), message.seq))) {
            findings.push(format!("message {} of {conversation} came from nowhere: {:?}", message.seq, message.body));
        }
        let (first, last) = (messages.keys().next(), messages.keys().next_back());
        if let (Some(first), Some(last)) = (first, last)
            && last - first + 1 != messages.len() as i64
        {
            findings.push(format!("{conversation} has holes: {} messages from {first} to {last}", messages.len()));
        }
    }
    findings
}

fn orders(found: &Found, evidence: &Evidence<'_>, verdict: &mut Verdict) {
    verdict.never("orders doubled, misnumbered or miscounted", wrong_orders(found), found.orders.len());
    verdict.never("moves of orders out of sequence", wrong_moves(found), found.moves.len());
    let mut by_chat: HashMap<i64, usize> = HashMap::new();
    for order in &found.orders {
        if let Some(chat) = found.peers.get(&order.conversation_id) {
            *by_chat.entry(*chat).or_default() += 1;
        }
    }
    let wrong = evidence.walked.iter().filter_map(|(chat, walked)| {
        let placed = by_chat.get(chat).copied().unwrap_or(0);
        (placed != walked.confirmed).then(|| format!("chat {chat}: {placed} orders for {} times yes", walked.confirmed))
    });
    let confirmed = evidence.walked.values().map(|walked| walked.confirmed).sum();
    verdict.never("chats with more or fewer orders than times yes", wrong.collect(), confirmed);
}

fn wrong_orders(found: &Found) -> Vec<String> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    let mut readbacks = HashSet::new();
    for order in &found.orders {
        if !numbers.entry(&order.merchant_id).or_default().insert(order.number) {
            findings.push(format!("{} has two orders number {}", order.merchant_id, order.number));
        }
        if !readbacks.insert((&order.conversation_id, order.readback)) {
            findings.push(format!("read-back {} of {} has two orders", order.readback, order.conversation_id));
        }
        let lines: Vec<i64> = serde_json::from_str(&order.line_totals).unwrap_or_default();
        if lines.is_empty() || lines.iter().sum::<i64>() + order.fee != order.total {
            findings.push(format!("order {} costs {}: {lines:?} and {}", order.number, order.total, order.fee));
        }
    }
    for (merchant, numbers) in numbers {
        if !found.gaps && numbers.last().is_some_and(|last| *last != numbers.len() as i64) {
            findings.push(format!("{merchant} has {} orders, numbered up to {:?}", numbers.len(), numbers.last()));
        }
    }
    findings
}

/// Each order's moves are numbered without a hole, go forward, and end where the order stands.
fn wrong_moves(found: &Found) -> Vec<String> {
    let mut by_order: HashMap<&str, Vec<&MoveRow>> = HashMap::new();
    for a_move in &found.moves {
        by_order.entry(&a_move.order_id).or_default().push(a_move);
    }
    let mut findings = Vec::new();
    for order in &found.orders {
        let moves = by_order.remove(order.order_id.as_str()).unwrap_or_default();
        let dense = moves.windows(2).all(|pair| pair[0].version + 1 == pair[1].version);
        let forward = moves.windows(2).all(|pair| step_of(&pair[0].status) < step_of(&pair[1].status));
        let ends = moves.last().is_some_and(|last| last.status == order.status && last.version == order.version);
        if !(dense && forward && ends) {
            let moves: Vec<&str> = moves.iter().map(|a_move| a_move.status.as_str()).collect();
            findings.push(format!("order {} ({}) moved {moves:?}", order.number, order.status));
        }
    }
    findings.extend(by_order.keys().map(|order| format!("moves of {order}, which is no order")));
    findings
}

/// How far an order is.
fn step_of(status: &str) -> usize {
    match status {
        "placed" => 0,
        "accepted" => 1,
        "ready" => 2,
        "out_for_delivery" => 3,
        // Delivered, declined, cancelled: nothing comes after.
        _ => 4,
    }
}

fn deliveries(found: &Found, evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    let (mut doubled, mut sent) = (0, 0);
    let chats: HashMap<i64, &str> = found.peers.iter().map(|(id, chat)| (*chat, id.as_str())).collect();
    for (chat, conversation) in &chats {
        let messages = found.messages.get(*conversation);
        let said: Vec<&str> = messages
            .into_iter()
            .flat_map(|messages| messages.values())
            .filter(|message| message.author == "bot" || message.author == "staff")
            .map(|message| message.body.as_str())
            .collect();
        let taken = evidence.taken.get(chat).map_or(&[][..], Vec::as_slice);
        let outcome = follow(&said, taken, evidence);
        sent += outcome.sent;
        doubled += outcome.doubled;
        findings.extend(outcome.wrong.map(|wrong| format!("chat {chat}: {wrong}")));
        if outcome.sent < said.len() {
            missing.push(format!("chat {chat} got {} of {} messages", outcome.sent, said.len()));
        }
    }
    let strangers = evidence.taken.keys().filter(|chat| !chats.contains_key(chat));
    findings.extend(strangers.map(|chat| format!("chat {chat} got messages and has no conversation")));
    verdict.never("messages out of order, or again without a reason", findings, sent);
    if evidence.healed {
        verdict.never("chats with messages that were never sent", missing, chats.len());
        let left = found.outbox.iter().map(|one| format!("of conversation {}", one.value)).collect();
        verdict.never("messages left in the outbox", left, sent);
    }
    let most = evidence.in_flight;
    verdict.figure(
        "messages that came twice, of those in flight",
        doubled,
        &format!("≤ {most}"),
        sent,
        doubled <= most,
    );
}

struct Followed {
    /// Messages that were sent, each counted once.
    sent: usize,
    doubled: usize,
    /// The first that should not have come when it came.
    wrong: Option<String>,
}

/// Follows what Telegram was given along what was said. Where two messages with the same words stand beside each other,
/// one that came again can't be told from the next: every reading is followed, and the furthest counts.
fn follow(said: &[&str], taken: &[Taken], evidence: &Evidence<'_>) -> Followed {
    // Of several programs none knows which connection was whose; but only while they change places.
    let shaken = |at: u64| evidence.signals.iter().any(|signal| (*signal..signal + SHAKEN_MS).contains(&at));
    let mut readings = BTreeSet::from([0]);
    for (at, message) in taken.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| taken.get(at));
        // The program could not know that the one before was taken: it did not hear, or did not live to note it down.
        let passed_on = evidence.several && shaken(message.at_ms);
        let unknown = before.is_some_and(|before| passed_on || !before.answered || before.life < message.life);
        let mut further = BTreeSet::new();
        for sent in &readings {
            if said.get(*sent) == Some(&message.text.as_str()) {
                further.insert(sent + 1);
            }
            if unknown && *sent > 0 && said[sent - 1] == message.text {
                further.insert(*sent);
            }
        }
        if further.is_empty() {
            let sent = readings.last().copied().unwrap_or(0);
            let (text, life, expected) = (&message.text, message.life, said.get(sent));
            let wrong = Some(format!("message {at} was {text:?} in life {life}, expected {expected:?}"));
            return Followed { sent, doubled: at - sent, wrong };
        }
        readings = further;
    }
    let sent = readings.last().copied().unwrap_or(0);
    Followed { sent, doubled: taken.len() - sent, wrong: None }
}
