//! How long the engine room takes, and what it allocates: a whole turn (what is around understanding: the transaction,
//! the commit, the answer on its way), and its parts by themselves. Run with `cargo bench --bench engine_room`; a word
//! after it picks the benches whose names have it.
//!
//! Databases are as durable as those that ship (`synchronous=FULL`). They lie beside the build, as a temporary folder of
//! the system's may be in memory, where a flush costs nothing.

mod shops;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use divan::{
    AllocProfiler, Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use futures::future::join_all;
use serde_json::{Value, json};
use theusual::{
    cart::Line,
    channel::{
        Arrival, Channel, ChannelKind, Fault, Inbox as _, Leave, Outgoing, Peer, Pending,
        telegram::{
            LIMITS,
            hook::{self, Posted},
        },
        web,
    },
    conversation::{Offer, Reply, Say},
    id::{ConversationId, MerchantId},
    language::Language,
    moment::{Moment, Span},
    store::{Store, Unsent, Urgency},
    wording::{Speech, Text, Wording},
    work::{
        Habits, Work, new_id, now,
        render::render,
        schedule::{After, Next, Now, Schedule},
    },
};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A question that leaves a conversation as it was, so that each turn is like the one before.
const QUESTION: &str = "how much is a margherita?";

/// Letters of the longest text that Telegram lets anybody write.
const LONGEST: usize = 4_096;

/// The number of the next update.
static NEXT: AtomicI64 = AtomicI64::new(1);

fn main() {
    divan::main();
}

/// A messenger that takes everything at once.
struct Taker;

impl Channel for Taker {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Telegram
    }

    fn send<'a>(
        &'a self,
        _: &'a Peer,
        _: &'a Outgoing,
        _: Option<Leave>,
    ) -> Pending<'a, Result<Option<String>, Fault>> {
        Box::pin(async { Ok(None) })
    }

    fn typing<'a>(&'a self, _: &'a Peer) -> Pending<'a, ()> {
        Box::pin(async {})
    }
}

/// An open shop with a database of its own.
struct House {
    runtime: Runtime,
    work: Work,
    folder: tempfile::TempDir,
}

impl House {
    fn open() -> House {
        // As the program has it on two cores, of which the writer's thread takes one.
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let work = runtime.block_on(async {
            let address = format!("sqlite://{}/usual.db", folder.path().display());
            let store = Store::open(&address).await.expect("a database");
            let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
            let read = |file: &str| fs::read_to_string(samples.join(file)).expect(file);
            let (catalog, faq) = (read("catalog.json"), read("faq.json"));
            store.import(&merchant(), &catalog, &faq, now()).await.expect("a shop");
            let channels: Vec<Arc<dyn Channel>> = vec![Arc::new(Taker)];
            Work::start(store, Habits { gather: Span::millis(0) }, channels).await.expect("the work begins")
        });
        House { runtime, work, folder }
    }

    /// Takes arrivals in at once; returns after the commits.
    fn take(&self, arrivals: Vec<Arrival>) {
        let taken = join_all(arrivals.into_iter().map(|arrival| self.work.deliver(arrival)));
        assert!(self.runtime.block_on(taken).iter().all(Result::is_ok), "each is stored");
    }

    fn close(self) {
        self.runtime.block_on(self.work.close());
        self.folder.close().expect("the folder goes");
    }
}

fn merchant() -> MerchantId {
    "pizzeria".parse().expect("an id")
}

/// An update as Telegram posts it: a private message with what is special about it.
fn update(chat: i64, special: &Value) -> String {
    let person = json!({"id": chat, "is_bot": false, "first_name": "A", "username": "a", "language_code": "en"});
    let chat = json!({"id": chat, "first_name": "A", "username": "a", "type": "private"});
    let mut message = json!({"message_id": 365, "from": person, "chat": chat, "date": 1_700_000_000});
    for (field, value) in special.as_object().expect("fields") {
        message[field] = value.clone();
    }
    json!({"update_id": NEXT.fetch_add(1, Ordering::Relaxed), "message": message}).to_string()
}

/// What somebody writes, as it was read from Telegram's webhook.
fn says(chat: i64, text: &str) -> Arrival {
    match hook::read(&merchant(), now(), update(chat, &json!({"text": text})).as_bytes()) {
        Posted::Update(parsed) => parsed.arrival.expect("a message"),
        other => panic!("{other:?}"),
    }
}

/// A message of one chat, awaited before the next: each is a commit by itself.
#[divan::bench(sample_count = 500, sample_size = 1)]
fn turn_of_one_chat(bencher: Bencher<'_, '_>) {
    let house = House::open();
    bencher
        .counter(ItemsCount::new(1usize))
        .with_inputs(|| vec![says(1, QUESTION)])
        .bench_local_values(|arrivals| house.take(arrivals));
    house.close();
}

/// A message of each of so many chats at once, which share commits.
#[divan::bench(args = [64], sample_count = 100, sample_size = 1)]
fn turns_of_chats_at_once(bencher: Bencher<'_, '_>, chats: i64) {
    let house = House::open();
    bencher
        .counter(ItemsCount::new(chats as usize))
        .with_inputs(|| (1..=chats).map(|chat| says(chat, QUESTION)).collect::<Vec<_>>())
        .bench_local_values(|arrivals| house.take(arrivals));
    house.close();
}

/// The first words of so many customers at once, an order each.
#[divan::bench(args = [64], sample_count = 100, sample_size = 1)]
fn orders_of_strangers_at_once(bencher: Bencher<'_, '_>, customers: i64) {
    let house = House::open();
    let mut met = 0;
    bencher
        .counter(ItemsCount::new(customers as usize))
        .with_inputs(|| {
            met += customers;
            (met - customers + 1..=met).map(|chat| says(chat, "2 margherita for pickup")).collect::<Vec<_>>()
        })
        .bench_local_values(|arrivals| house.take(arrivals));
    house.close();
}

/// Reading what Telegram posts: a message as most are, the longest with a hundred entities, a pressed button.
#[divan::bench(args = ["message", "longest", "press"])]
fn webhook_body(bencher: Bencher<'_, '_>, kind: &str) {
    let body = match kind {
        "message" => update(1_111_111, &json!({"text": "two margherita without basil, and a cola please"})),
        "longest" => {
            let entity = |at: usize| json!({"type": "bold", "offset": at * 40, "length": 20});
            let entities: Vec<Value> = (0..100).map(entity).collect();
            update(1_111_111, &json!({"text": "ж".repeat(LONGEST), "entities": entities}))
        }
        _ => {
            let message = json!({"message_id": 366, "date": 1_700_000_000, "text": "Total: €19.00. Shall I place it?",
                "chat": {"id": 1_111_111, "first_name": "A", "type": "private"}});
            let from = json!({"id": 1_111_111, "is_bot": false, "first_name": "A", "language_code": "en"});
            let press = json!({"id": "4382bfdwdsb323b2d9", "from": from, "chat_instance": "7", "data": "17.0",
                "message": message});
            json!({"update_id": 10_000, "callback_query": press}).to_string()
        }
    };
    let merchant = merchant();
    bencher
        .counter(BytesCount::of_str(&body))
        .bench_local(|| black_box(hook::read(&merchant, Moment(0), body.as_bytes())));
}

/// So many chats wait behind Telegram's limits. The next message that may go is found, it goes, its answer comes, and
/// another is put behind the rest. Nothing is slept: time is an argument.
#[divan::bench(args = [1_000, 100_000])]
fn next_of_waiting(bencher: Bencher<'_, '_>, waiting: usize) {
    const KIND: ChannelKind = ChannelKind::Telegram;
    let at = |tick: Moment| Now { tick, wall: tick };
    // What a start takes for just sent is long past.
    let mut schedule = Schedule::new([(KIND, Some(LIMITS))], at(Moment(-60_000)));
    let mut now = at(Moment(0));
    for chat in 1..=waiting {
        let message = Unsent {
            merchant: merchant(),
            conversation: ConversationId(chat as u128),
            seq: 1,
            channel: KIND,
            peer: Peer::new(chat.to_string()).expect("a peer"),
            message: Outgoing { text: "Your order is number 7, €19.00.".to_owned(), buttons: Vec::new() },
            attempts: 0,
            said_at: now.wall,
            due_at: now.wall,
            urgency: Urgency::Answer,
            expires_at: None,
            told: false,
        };
        schedule.take(message, now);
    }
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        let mut message = loop {
            match schedule.next(KIND, now) {
                Some(Next::Send(message, _)) => break message,
                Some(Next::Expired(_)) => unreachable!("nothing here has an end"),
                None => now = at(schedule.wakes_at().expect("what waits has a time")),
            }
        };
        let id = message.conversation;
        schedule.answered(KIND, id, now.tick, now.tick);
        schedule.done(id, After::Sent, now);
        message.seq += 1;
        message.due_at = now.wall;
        schedule.take(message, now)
    });
}

/// Writing an answer out for Telegram: a read-back with two buttons, and a menu of forty products.
#[divan::bench(args = ["read-back", "menu"])]
fn rendering(bencher: Bencher<'_, '_>, kind: &str) {
    let catalog = shops::sample("pizzeria");
    let wording = Wording::embedded().expect("wording");
    let speech = Speech { wording: &wording, catalog: &catalog, language: Language::ENGLISH, now: Moment(0) };
    let reply = match kind {
        "read-back" => {
            let mut says = vec![Say::Text(Text::ReadbackHead {})];
            says.extend(catalog.products.iter().take(4).map(|product| {
                let line = Line::of(product.id.clone());
                Say::Text(Text::LineSum { line, sum: product.price })
            }));
            says.push(Say::Text(Text::SumTotal { sum: catalog.products[0].price }));
            says.push(Say::Text(Text::ReadbackPickup { name: "A".to_owned() }));
            says.push(Say::Text(Text::ReadbackAsk {}));
            Reply { says, offers: vec![Offer::Yes, Offer::Change] }
        }
        _ => {
            let mut says = vec![Say::Text(Text::MenuHead {})];
            for category in &catalog.categories {
                says.extend([Say::Gap, Say::Heading(category.id.clone())]);
                let products = catalog.products.iter().filter(|product| product.category == category.id);
                says.extend(products.map(|product| Say::Product(product.id.clone())));
            }
            Reply { says, offers: Vec::new() }
        }
    };
    let abilities = ChannelKind::Telegram.abilities();
    bencher.bench_local(|| black_box(render(&reply, &speech, abilities, 17)));
}

/// What a chat page reads: the conversation that is a visitor's, and so many of its messages. One is a look after an
/// event, two hundred are a page that is opened.
#[divan::bench(args = [1, 200], sample_count = 200)]
fn messages_of_a_page(bencher: Bencher<'_, '_>, messages: i64) {
    let house = House::open();
    let (merchant, peer) = (merchant(), Peer::new("visitor").expect("a peer"));
    for _ in 0..100 {
        let id = uuid::Uuid::from_u128(new_id()).to_string();
        let body = json!({"id": id, "text": QUESTION}).to_string();
        let arrival = web::arrival(merchant.clone(), peer.clone(), None, body.as_bytes(), now());
        house.take(vec![arrival.expect("a message")]);
    }
    let store = house.work.store();
    let look = |after: i64| {
        house.runtime.block_on(async {
            let found = store.conversation_with(&merchant, ChannelKind::Web, &peer).await.expect("the database");
            store.messages(&merchant, found.expect("a conversation"), after).await.expect("the database")
        })
    };
    let newest = look(0).last().expect("messages").seq;
    assert_eq!(look(newest - messages).len() as i64, messages, "each question has one answer");
    bencher.counter(ItemsCount::new(messages as usize)).bench_local(|| black_box(look(newest - messages)));
    house.close();
}
