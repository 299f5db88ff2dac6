//! Five updates come in every order, of twenty kinds.
//!
//! What has to hold, whatever the order:
//!
//! - The end of a chat depends on the order of its own updates alone, each counted when it came first: not on what came
//!   of other chats in between, not on repeats, and not on the run. Each order is run twice, and all chats of a script
//!   that got theirs in the same order are compared.
//! - Where nothing in a script depends on the order (goods beside other goods, questions, changed messages, old
//!   buttons, repeats, other customers), the goods in the end are those that were named, in whichever order.
//! - Elsewhere what comes of a muddle may differ: but each arrival has one effect and is answered, each yes places one
//!   order at most, nothing is ordered that was not named, an order costs what the catalogue says, nothing is stuck.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    Options,
    load::{Kind, Shared, Update},
    rig::Rig,
    verdict::Verdict,
};

/// Updates of a script.
const UPDATES: usize = 5;

/// How often each script's updates come all at once, in whatever order the network makes of it.
const AT_ONCE: usize = 20;

/// How long half a message waits here for its other half, in milliseconds: far longer than it takes to post five
/// updates, so that the order alone decides what belongs together.
const GATHER_MS: u64 = 6_000;

/// What an old button carries: no message with buttons is ever the first of a chat.
const OLD_BUTTON: &str = "0.0";

/// What a message becomes that its author changes.
const CHANGED: &str = "3 margherita, please";

/// Within which a button has to be shown to who waits for it.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// The button that places an order.
const YES: &str = "Yes, place it";

/// Five updates.
struct Script {
    name: &'static str,
    updates: [Sent; UPDATES],
    /// How many orders each customer makes where all come in order.
    orders: &'static [usize],
    /// What is named of each product: the most that may be in baskets and orders in the end, and, in a script that
    /// commutes, what has to be.
    goods: &'static [(&'static str, i64)],
    /// Whether the goods in the end are the same in every order.
    commutes: bool,
    /// Whether half a message is in it, which waits for its other half.
    halves: bool,
}

/// An update of a script: of which customer, or which earlier one of the script it is about.
#[derive(Clone, Copy)]
enum Sent {
    Says(usize, &'static str),
    /// A press of the button with that label, which stands where it does when all come in order.
    Presses(usize, &'static str),
    /// A press of a button of long ago.
    PressesOld(usize),
    /// The message is changed.
    Edits(usize),
    /// The same update comes once more.
    Again(usize),
}

use Sent::{Again, Edits, Presses, PressesOld, Says};

static SCRIPTS: [Script; 20] = [
    Script {
        name: "what changes nothing, beside an order",
        updates: [Says(0, "2 margherita"), Edits(0), PressesOld(0), Again(0), Again(1)],
        orders: &[0],
        goods: &[("margherita", 2)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "five customers",
        updates: [
            Says(0, "2 margherita"),
            Says(1, "1 diavola"),
            Says(2, "3 cola"),
            Says(3, "1 tiramisu"),
            Says(4, "2 focaccia"),
        ],
        orders: &[0, 0, 0, 0, 0],
        goods: &[("margherita", 2), ("diavola", 1), ("cola", 3), ("tiramisu", 1), ("focaccia", 2)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "the same update five times",
        updates: [Says(0, "2 margherita"), Again(0), Again(0), Again(0), Again(0)],
        orders: &[0],
        goods: &[("margherita", 2)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "two customers and their names",
        updates: [
            Says(0, "2 margherita for pickup"),
            Says(0, "Anna"),
            Says(1, "1 diavola for pickup"),
            Says(1, "Nina"),
            Again(0),
        ],
        orders: &[0, 0],
        goods: &[("margherita", 2), ("diavola", 1)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "an order in words",
        updates: [
            Says(0, "2 margherita"),
            Says(0, "and 1 diavola"),
            Says(0, "pickup"),
            Says(0, "Anna"),
            Says(0, "yes"),
        ],
        orders: &[1],
        goods: &[("margherita", 2), ("diavola", 1)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "an order by buttons, the last one twice",
        updates: [Says(0, "2 margherita"), Presses(0, "Pickup"), Says(0, "Anna"), Presses(0, YES), Again(3)],
        orders: &[1],
        goods: &[("margherita", 2)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "all by buttons, and a second yes in words",
        updates: [Says(0, "1 diavola"), Presses(0, "Pickup"), Presses(0, "Person"), Presses(0, YES), Says(0, "yes")],
        orders: &[1],
        goods: &[("diavola", 1)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "additions",
        updates: [
            Says(0, "2 margherita"),
            Says(0, "1 diavola"),
            Says(0, "3 cola"),
            Says(0, "1 tiramisu"),
            Says(0, "2 focaccia"),
        ],
        orders: &[0],
        goods: &[("margherita", 2), ("diavola", 1), ("cola", 3), ("tiramisu", 1), ("focaccia", 2)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "questions among additions",
        updates: [
            Says(0, "2 margherita"),
            Says(0, "when are you open?"),
            Says(0, "1 tiramisu"),
            Says(0, "how much is a diavola?"),
            Says(0, "where do you deliver?"),
        ],
        orders: &[0],
        goods: &[("margherita", 2), ("tiramisu", 1)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "an order, cancelled, and another begun",
        updates: [
            Says(0, "2 margherita for pickup"),
            Says(0, "Anna"),
            Says(0, "yes"),
            Says(0, "cancel my order"),
            Says(0, "1 tiramisu"),
        ],
        orders: &[1],
        goods: &[("margherita", 2), ("tiramisu", 1)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "a yes that comes again after it was cancelled",
        updates: [
            Says(0, "2 margherita for pickup"),
            Says(0, "Anna"),
            Presses(0, YES),
            Says(0, "cancel my order"),
            Again(2),
        ],
        orders: &[1],
        goods: &[("margherita", 2)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "halves of messages",
        updates: [Says(0, "I want"), Says(0, "two"), Says(0, "margherita"), Says(0, "pickup"), Says(0, "Anna")],
        orders: &[0],
        // "Margherita" is one and "two margherita" two: in some order both were said.
        goods: &[("margherita", 3)],
        commutes: false,
        halves: true,
    },
    Script {
        name: "half a message beside a whole one",
        updates: [Says(0, "I want"), Says(0, "2 margherita"), Edits(1), Again(0), Again(1)],
        orders: &[0],
        goods: &[("margherita", 2)],
        commutes: true,
        halves: true,
    },
    Script {
        name: "two customers change what they wrote",
        updates: [Says(0, "2 margherita"), Edits(0), Says(1, "1 diavola"), Edits(2), Again(1)],
        orders: &[0, 0],
        goods: &[("margherita", 2), ("diavola", 1)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "a correction",
        updates: [
            Says(0, "2 margherita"),
            Says(0, "make that three margherita"),
            Says(0, "pickup"),
            Says(0, "Anna"),
            Says(0, "yes"),
        ],
        orders: &[1],
        // With nothing to correct it is an order of its own.
        goods: &[("margherita", 5)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "something is taken out again",
        updates: [
            Says(0, "2 margherita and 1 tiramisu for pickup"),
            Says(0, "remove the tiramisu"),
            Says(0, "Anna"),
            Says(0, "yes"),
            Again(3),
        ],
        orders: &[1],
        goods: &[("margherita", 2), ("tiramisu", 1)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "a person is asked for",
        updates: [
            Says(0, "2 margherita"),
            Says(0, "I want to talk to a person"),
            Says(0, "1 tiramisu"),
            Edits(0),
            PressesOld(0),
        ],
        orders: &[0],
        goods: &[("margherita", 2), ("tiramisu", 1)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "the chat is opened",
        updates: [Says(0, "/start"), Says(0, "2 margherita"), Again(0), Again(1), PressesOld(0)],
        orders: &[0],
        goods: &[("margherita", 2)],
        commutes: true,
        halves: false,
    },
    Script {
        name: "a delivery",
        updates: [
            Says(0, "2 margherita"),
            Presses(0, "Delivery"),
            Says(0, "Storgata 5, 0155"),
            Says(0, "Anna"),
            Says(0, "yes"),
        ],
        orders: &[1],
        goods: &[("margherita", 2)],
        commutes: false,
        halves: false,
    },
    Script {
        name: "one buys, another asks for the total",
        updates: [
            Says(0, "2 margherita for pickup"),
            Presses(0, "Person"),
            Says(1, "1 cola for pickup"),
            Says(1, "Nina"),
            Presses(0, YES),
        ],
        orders: &[1, 0],
        goods: &[("margherita", 2), ("cola", 1)],
        commutes: false,
        halves: false,
    },
];

/// A script's updates in one order, twice.
struct Permuted {
    script: usize,
    order: Vec<usize>,
    /// The chats of its customers, of each time.
    twice: [Vec<i64>; 2],
    /// How long the slower of the two took.
    took: Duration,
}

/// What a chat came to. What differs from run to run by its nature (numbers, moments) is left out.
#[derive(Debug, Clone, PartialEq)]
struct End {
    orders: Vec<Placed>,
    stage: Value,
    basket: Value,
    /// Who has it, and why.
    desk: (String, String),
    /// Who spoke, message by message.
    authors: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Placed {
    status: String,
    cart: Value,
    fee: i64,
    total: i64,
    fulfilment: String,
    name: String,
}

/// The database in the end.
struct Ends {
    chats: HashMap<i64, End>,
    /// What the catalogue says that products cost, in minor units.
    prices: HashMap<String, i64>,
}

#[derive(Deserialize)]
struct ConversationRow {
    conversation_id: String,
    peer: String,
    state: String,
    desk: String,
}

#[derive(Deserialize)]
struct OrderRow {
    conversation_id: String,
    status: String,
    cart: String,
    fee: i64,
    total: i64,
    fulfilment: String,
    name: String,
}

#[derive(Deserialize)]
struct MessageRow {
    conversation_id: String,
    author: String,
}

#[derive(Deserialize)]
struct CatalogRow {
    catalog: String,
}

#[derive(Deserialize)]
struct Catalog {
    products: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    id: String,
    price: String,
}

/// Five updates in all 120 orders, of twenty scripts; each trial is a script.
pub async fn reorder(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let scripts = options.trials(SCRIPTS.len());
    rig.program.set("USUAL_GATHER_MS", &GATHER_MS.to_string());
    rig.program.start().await?;
    let mut in_order = Vec::new();
    let mut permuted = Vec::new();
    let mut at_once = Vec::new();
    for (place, script) in SCRIPTS.iter().enumerate().cycle().take(scripts) {
        let (chats, buttons) = script.walk(&rig).await?;
        in_order.push((place, chats));
        let buttons = Arc::new(buttons);
        permuted.extend(run_permuted(&rig, place, &buttons).await?);
        at_once.extend(run_at_once(&rig, place, &buttons).await?);
    }
    rig.gathered().await?;
    rig.heal_and_check().await?;
    rig.all_answered();
    let ends = Ends::read(&rig)?;
    let mut verdict = rig.verdict;
    let odd = in_order.iter().flat_map(|(place, chats)| SCRIPTS[*place].odd_in_order(chats, &ends)).collect();
    verdict.never("scripts that came to something else in order", odd, scripts);

    let all = permuted.len();
    permuted.retain(|one| !SCRIPTS[one.script].halves || one.took < Duration::from_millis(GATHER_MS));
    verdict.told("permutations not compared, as they took too long", all - permuted.len());
    // The chat that got its updates in an order first, by script, customer and order.
    let mut firsts: HashMap<(usize, usize, Vec<usize>), i64> = HashMap::new();
    for (place, chats) in &in_order {
        let order: Vec<usize> = (0..UPDATES).collect();
        for (who, chat) in chats.iter().enumerate() {
            firsts.entry((*place, who, SCRIPTS[*place].order_of(who, &order))).or_insert(*chat);
        }
    }
    let (mut differing, mut muddled, mut broken, mut commuting) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for one in &permuted {
        let script = &SCRIPTS[one.script];
        let named = |what: String| format!("{:?} of {:?}: {what}", one.order, script.name);
        let mut other = None;
        for (who, chat) in one.twice.iter().flat_map(|chats| chats.iter().enumerate()) {
            let first = *firsts.entry((one.script, who, script.order_of(who, &one.order))).or_insert(*chat);
            let (this, that) = (ends.chats.get(chat), ends.chats.get(&first));
            if this != that && other.is_none() {
                other = Some(format!("chat {chat} came to {this:?}, chat {first} to {that:?}"));
            }
        }
        differing.extend(other.map(named));
        if script.commutes {
            commuting += 1;
            let wrong = one.twice.iter().find_map(|chats| script.other_goods(chats, &ends));
            muddled.extend(wrong.map(named));
        }
        let wrong = one.twice.iter().find_map(|chats| script.broken(chats, &ends));
        broken.extend(wrong.map(named));
    }
    verdict.never("permutations with another end than their order has", differing, permuted.len());
    verdict.never("permutations with other goods, where none may differ", muddled, commuting);
    verdict.never("permutations that broke what holds in any order", broken, permuted.len());
    let wrong = at_once.iter().filter_map(|(place, chats)| {
        let script = &SCRIPTS[*place];
        let wrong =
            script.broken(chats, &ends).or_else(|| script.other_goods(chats, &ends).filter(|_| script.commutes));
        wrong.map(|wrong| format!("{:?} at once: {wrong}", script.name))
    });
    verdict.never("times five at once that broke it", wrong.collect(), at_once.len());
    Ok(verdict)
}

/// Runs a script in every order, twice each, all beside one another.
async fn run_permuted(rig: &Rig, place: usize, buttons: &Arc<Vec<String>>) -> anyhow::Result<Vec<Permuted>> {
    let mut together = JoinSet::new();
    for order in permutations() {
        let (shared, buttons) = (Arc::clone(rig.load.shared()), Arc::clone(buttons));
        together.spawn(async move {
            let begun = Instant::now();
            let script = &SCRIPTS[place];
            let once = || script.run(&shared, &buttons, &order);
            let (one, two) = tokio::join!(once(), once());
            Permuted { script: place, twice: [one, two], took: begun.elapsed(), order }
        });
    }
    let mut permuted = Vec::new();
    while let Some(one) = together.join_next().await {
        permuted.push(one?);
    }
    Ok(permuted)
}

/// Runs a script some times with all updates at once: the script's place and the chats.
async fn run_at_once(rig: &Rig, place: usize, buttons: &[String]) -> anyhow::Result<Vec<(usize, Vec<i64>)>> {
    let mut runs = Vec::new();
    let mut posts = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (shared, script) = (rig.load.shared(), &SCRIPTS[place]);
        let chats = script.strangers(shared);
        for update in script.write(shared, &chats, buttons) {
            let shared = Arc::clone(shared);
            posts.spawn(async move { shared.deliver(update).await });
        }
        runs.push((place, chats));
    }
    while let Some(posted) = posts.join_next().await {
        posted?;
    }
    Ok(runs)
}

impl Script {
    /// Whose update stands at a place.
    fn who(&self, place: usize) -> usize {
        match self.updates[place] {
            Says(who, _) | Presses(who, _) | PressesOld(who) => who,
            Edits(of) | Again(of) => self.who(of),
        }
    }

    /// A new chat for each customer.
    fn strangers(&self, shared: &Shared) -> Vec<i64> {
        self.orders.iter().map(|_| shared.new_chat()).collect()
    }

    /// Which updates of a customer count, and in which order: of one that comes again the first.
    fn order_of(&self, who: usize, order: &[usize]) -> Vec<usize> {
        let mut own = Vec::new();
        for place in order {
            let place = if let Again(of) = self.updates[*place] { of } else { *place };
            if self.who(place) == who && !own.contains(&place) {
                own.push(place);
            }
        }
        own
    }

    /// How many of a customer's updates are a yes.
    fn times_yes(&self, who: usize) -> usize {
        let yes = |sent: &&Sent| match sent {
            Says(of, text) => *of == who && *text == "yes",
            Presses(of, label) => *of == who && *label == YES,
            PressesOld(_) | Edits(_) | Again(_) => false,
        };
        self.updates.iter().filter(yes).count()
    }

    /// The update at a place, behind those before it. A number belongs to a place, whenever the update then comes.
    fn update(&self, place: usize, shared: &Shared, chats: &[i64], before: &[Update], button: &str) -> Update {
        let chat = chats[self.who(place)];
        match self.updates[place] {
            Says(_, text) => shared.write_down(chat, text, 1),
            Presses(..) => shared.write_down_as(Kind::Press, chat, button, 1),
            PressesOld(_) => shared.write_down_as(Kind::Press, chat, OLD_BUTTON, 1),
            Edits(of) => shared.write_down_as(Kind::Edit(before[of].id), chat, CHANGED, 1),
            Again(of) => before[of].clone(),
        }
    }

    fn write(&self, shared: &Shared, chats: &[i64], buttons: &[String]) -> Vec<Update> {
        let mut updates = Vec::new();
        for (place, button) in buttons.iter().enumerate() {
            let update = self.update(place, shared, chats, &updates, button);
            updates.push(update);
        }
        updates
    }

    /// Lets new customers send everything in order and look at what they are shown: their chats, and what the buttons
    /// carry that are pressed.
    async fn walk(&self, rig: &Rig) -> anyhow::Result<(Vec<i64>, Vec<String>)> {
        let shared = rig.load.shared();
        let chats = self.strangers(shared);
        let (mut updates, mut buttons) = (Vec::new(), Vec::new());
        for place in 0..UPDATES {
            let button = match self.updates[place] {
                Presses(who, label) => shown(rig, chats[who], label).await.with_context(|| self.name.to_owned())?,
                Says(..) | PressesOld(_) | Edits(_) | Again(_) => String::new(),
            };
            let update = self.update(place, shared, &chats, &updates, &button);
            shared.deliver(update.clone()).await;
            updates.push(update);
            buttons.push(button);
        }
        Ok((chats, buttons))
    }

    /// Lets new customers send everything in another order, one after the other: their chats.
    async fn run(&self, shared: &Arc<Shared>, buttons: &[String], order: &[usize]) -> Vec<i64> {
        let chats = self.strangers(shared);
        let updates = self.write(shared, &chats, buttons);
        for place in order {
            shared.deliver(updates[*place].clone()).await;
        }
        chats
    }

    /// What is wrong where everything came in order.
    fn odd_in_order(&self, chats: &[i64], ends: &Ends) -> Vec<String> {
        let mut odd = Vec::new();
        for (chat, wanted) in chats.iter().zip(self.orders) {
            let made = ends.chats.get(chat).map(|end| end.orders.len());
            if made != Some(*wanted) {
                odd.push(format!("{:?}: {made:?} orders in chat {chat}, not {wanted}", self.name));
            }
        }
        odd.extend(self.broken(chats, ends).map(|wrong| format!("{:?}: {wrong}", self.name)));
        odd.extend(self.other_goods(chats, ends).filter(|_| self.commutes).map(|w| format!("{:?}: {w}", self.name)));
        odd
    }

    /// Where the goods in baskets and orders are not just those that were named.
    fn other_goods(&self, chats: &[i64], ends: &Ends) -> Option<String> {
        let found = goods(chats, ends);
        let named: BTreeMap<String, i64> = self.goods.iter().map(|(id, many)| ((*id).to_owned(), *many)).collect();
        (found != named).then(|| format!("{found:?} in chats {chats:?}, not {named:?}"))
    }

    /// What may not be, in whichever order the updates came.
    fn broken(&self, chats: &[i64], ends: &Ends) -> Option<String> {
        for (who, chat) in chats.iter().enumerate() {
            let Some(end) = ends.chats.get(chat) else { return Some(format!("chat {chat} has no conversation")) };
            if end.orders.len() > self.times_yes(who) {
                return Some(format!("chat {chat}: {} orders, {} times yes", end.orders.len(), self.times_yes(who)));
            }
            if let Some(wrong) = end.orders.iter().find(|order| ends.price(order).is_some_and(|sum| sum != order.total))
            {
                return Some(format!("chat {chat}: {wrong:?} costs {:?}", ends.price(wrong)));
            }
            if end.unanswered(self.halves) {
                return Some(format!("chat {chat}: a message was not answered: {:?}", end.authors));
            }
        }
        let most: HashMap<&str, i64> = self.goods.iter().copied().collect();
        let found = goods(chats, ends);
        let more = found.iter().find(|(id, many)| **many > most.get(id.as_str()).copied().unwrap_or(0))?;
        Some(format!("{} {} in chats {chats:?}", more.1, more.0))
    }
}

impl End {
    /// Whether a message of the customer's has no answer before the next. Once a person is called the bot may be
    /// silent; halves are answered together.
    fn unanswered(&self, halves: bool) -> bool {
        let mut waits = false;
        let mut skipped = false;
        for author in &self.authors {
            match author.as_str() {
                "customer" => {
                    skipped |= waits && !halves;
                    waits = true;
                }
                "bot" => waits = false,
                _ => {}
            }
        }
        self.desk.0 == "bot" && (skipped || waits)
    }
}

impl Ends {
    fn read(rig: &Rig) -> anyhow::Result<Ends> {
        let conversations: Vec<ConversationRow> =
            rig.books.rows("SELECT conversation_id, peer, state, desk FROM conversation WHERE channel = 'telegram'")?;
        let orders: Vec<OrderRow> = rig.books.rows(
            "SELECT conversation_id, status, cart, fee, total, fulfilment, name FROM orders \
             ORDER BY conversation_id, readback",
        )?;
        let messages: Vec<MessageRow> =
            rig.books.rows("SELECT conversation_id, author FROM message ORDER BY conversation_id, seq")?;
        let mut placed: HashMap<String, Vec<Placed>> = HashMap::new();
        for row in orders {
            let OrderRow { conversation_id, status, cart, fee, total, fulfilment, name } = row;
            let cart = serde_json::from_str(&cart).context("a cart")?;
            let order = Placed { status, cart, fee, total, fulfilment, name };
            placed.entry(conversation_id).or_default().push(order);
        }
        let mut authors: HashMap<String, Vec<String>> = HashMap::new();
        for row in messages {
            authors.entry(row.conversation_id).or_default().push(row.author);
        }
        let mut chats = HashMap::new();
        for row in conversations {
            let state: Value = serde_json::from_str(&row.state).context("a conversation's state")?;
            let desk: Value = serde_json::from_str(&row.desk).context("a conversation's desk")?;
            let word = |field: &str| desk[field].as_str().unwrap_or("").to_owned();
            let end = End {
                orders: placed.remove(&row.conversation_id).unwrap_or_default(),
                stage: state["stage"]["at"].clone(),
                basket: state["stage"]["basket"].clone(),
                desk: (word("owner"), word("why")),
                authors: authors.remove(&row.conversation_id).unwrap_or_default(),
            };
            chats.insert(row.peer.parse::<i64>().context("a chat's number")?, end);
        }
        let catalog: Vec<CatalogRow> = rig.books.rows("SELECT catalog FROM merchant WHERE merchant_id = 'pizzeria'")?;
        let catalog: Catalog = serde_json::from_str(&catalog.first().context("the sample shop")?.catalog)?;
        // All prices of the sample shop have two decimals.
        let price = |product: Product| Some((product.id, product.price.replace('.', "").parse::<i64>().ok()?));
        Ok(Ends { chats, prices: catalog.products.into_iter().filter_map(price).collect() })
    }

    /// What an order has to cost, where it is of plain products alone.
    fn price(&self, order: &Placed) -> Option<i64> {
        let mut sum = order.fee;
        for line in order.cart.as_array()? {
            if line["options"].as_array().is_some_and(|options| !options.is_empty()) {
                return None;
            }
            sum += self.prices.get(line["product"].as_str()?)? * line["quantity"].as_i64()?;
        }
        Some(sum)
    }
}

/// What is in the baskets and orders of some chats, of each product.
fn goods(chats: &[i64], ends: &Ends) -> BTreeMap<String, i64> {
    let mut goods = BTreeMap::new();
    for end in chats.iter().filter_map(|chat| ends.chats.get(chat)) {
        let carts = end.orders.iter().map(|order| &order.cart).chain([&end.basket["cart"]]);
        for line in carts.filter_map(Value::as_array).flatten() {
            let id = line["product"].as_str().map_or_else(|| line["product"].to_string(), str::to_owned);
            *goods.entry(id).or_insert(0) += line["quantity"].as_i64().unwrap_or(1);
        }
    }
    goods
}

/// What the button with that label carries, once it is shown in a chat.
async fn shown(rig: &Rig, chat: i64, label: &str) -> anyhow::Result<String> {
    let begun = Instant::now();
    loop {
        if let Some(data) = rig.fake.button(chat, label) {
            return Ok(data);
        }
        if begun.elapsed() > SHOWN_WITHIN {
            bail!("chat {chat} is shown no button {label:?}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// All orders of five.
fn permutations() -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..UPDATES {
        let longer = |one: &Vec<usize>| {
            (0..=one.len())
                .map(|at| {
                    let mut one = one.clone();
                    one.insert(at, next);
                    one
                })
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}
