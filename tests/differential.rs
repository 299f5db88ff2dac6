//! The two engines side by side: the same random operations on a file and on a server, the same answers. Texts are the
//! ones that databases have come to grief over; ids are few, so that keys collide and versions are stale often.

use std::{fmt::Debug, path::Path};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use theusual::{
    cart::Cart,
    channel::{Arrival, Button, ChannelKind, Content, Outgoing, Peer},
    conversation::State,
    customer::Customer,
    desk::{Desk, Why},
    id::{ConversationId, CustomerId, MerchantId, OrderId, StaffId},
    moment::Moment,
    money::Currency,
    order::{Fulfilment, Move, Order, Status},
    store::{
        Author, Conversation, Gathering, Member, NewMessage, NewName, Recalled, Standing, Store, StoreError, Tx,
        Unsent, Urgency,
    },
    understanding::alias::{Alias, Meant, Phrase},
};

use self::support::place::Place;

mod support;

/// Operations where `USUAL_TEST_OPERATIONS` does not say.
const OPERATIONS: usize = 100_000;

/// Operations between two looks at everything.
const LOOK_EVERY: usize = 4_000;

const SHOPS: [&str; 3] = ["one", "two", "Three-3"];

const TEXTS: [&str; 14] = [
    "2 margherita",
    "",
    " ",
    "yes",
    "O'Brien; DROP TABLE message; --",
    "$1 \"quoted\" \\ % _",
    "a\0b",
    "👩‍👩‍👧‍👦 \u{202e}rtl\u{202c} \u{200b}",
    "Ærlig talt, æøå ÆØÅ ß ı İ",
    "Привет, два капучино",
    "e\u{301}",
    "\u{fffd}",
    "line\nline\r\n\ttab",
    "{\"v\":\"1\",\"null\":null}",
];

/// Both databases, and the dice.
struct Pair {
    file: Store,
    server: Store,
    dice: StdRng,
    done: usize,
}

/// What is done to both; the values are thrown once.
enum Operation {
    Receive(Arrival, ConversationId, Option<i64>),
    ByPeer(MerchantId, ChannelKind, Peer),
    ById(MerchantId, ConversationId),
    Save(MerchantId, Box<Conversation>, Moment),
    SaveCustomer(MerchantId, Customer, bool),
    Say(MerchantId, ConversationId, i64, Author, Option<&'static str>, Outgoing, Moment),
    WordsSince(MerchantId, ConversationId, i64),
    Post(Box<Unsent>),
    Sent(Box<Unsent>),
    Later(Box<Unsent>, &'static str),
    Failed(Box<Unsent>, &'static str, bool),
    TakeNumber(MerchantId),
    Place(MerchantId, Box<Order>, i64),
    Move(MerchantId, OrderId, Move, i64),
    Recent(MerchantId, CustomerId),
    GiveUp(MerchantId, ConversationId, Desk),
    SetAside(Arrival, &'static str),
    TakeAside(MerchantId, ChannelKind, String),
    SaidSince(MerchantId, ConversationId, Moment),
    Suggest(MerchantId, Alias, &'static str, ConversationId, i64),
    Decide(MerchantId, Alias, Standing),
    Live(MerchantId, Phrase),
    CustomerSaid(MerchantId, ConversationId),
    Resend(MerchantId, ConversationId, i64, Moment),
    Undelivered(MerchantId, ConversationId),
}

#[tokio::test]
async fn both_engines_give_the_same_answers() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = number("USUAL_TEST_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let operations = number("USUAL_TEST_OPERATIONS").map_or(OPERATIONS, |n| n as usize);
    println!("differential: seed {seed}, {operations} operations");
    let (file, server) = (Place::in_file(), Place::on_server().await);
    let mut pair = Pair {
        file: Store::open(&file.address()).await.unwrap(),
        server: Store::open(&server.address()).await.unwrap(),
        dice: StdRng::seed_from_u64(seed),
        done: 0,
    };
    for (at, shop) in SHOPS.into_iter().enumerate() {
        pair.import(shop.parse().unwrap(), Moment(at as i64)).await;
    }
    let mut looked = 0;
    while pair.done < operations {
        pair.transaction().await;
        pair.alone().await;
        if pair.done / LOOK_EVERY > looked {
            looked = pair.done / LOOK_EVERY;
            pair.look().await;
        }
    }
    pair.look().await;
    let rows = file.numbers("SELECT count(*) FROM message UNION ALL SELECT count(*) FROM orders").await;
    println!("differential: {} operations, {looked} looks at everything, messages and orders: {rows:?}", pair.done);
    assert!(rows.iter().all(|count| *count > 0), "the operations did nothing");
    pair.file.close().await;
    pair.server.close().await;
}

#[tokio::test]
async fn an_order_number_is_taken_once_and_nobody_waits_for_it() {
    let merchant: MerchantId = SHOPS[0].parse().unwrap();
    for place in [Place::in_file(), Place::on_server().await] {
        let store = Store::open(&place.address()).await.unwrap();
        store.import(&merchant, "{}", "{}", Moment(0)).await.unwrap();
        let mut taken = Vec::new();
        if store.shared() {
            // Two turns of two replicas, neither of which is over.
            let (mut one, mut other) = (store.begin().await.unwrap(), store.begin().await.unwrap());
            taken.push(one.take_order_number(&merchant).await.unwrap());
            taken.push(other.take_order_number(&merchant).await.unwrap());
            taken.push(one.take_order_number(&merchant).await.unwrap());
            one.undo().await.unwrap();
            other.commit().await.unwrap();
        }
        let mut last = store.begin().await.unwrap();
        taken.push(last.take_order_number(&merchant).await.unwrap());
        taken.push(last.take_order_number(&merchant).await.unwrap());
        last.commit().await.unwrap();
        assert_eq!(taken, (1..=taken.len() as i64).collect::<Vec<_>>());
        store.close().await;
    }
}

impl Pair {
    /// A few operations in one transaction on each, which is kept or undone.
    async fn transaction(&mut self) {
        let operations: Vec<Operation> = (0..self.dice.random_range(1..=12)).map(|_| self.throw()).collect();
        let at_once = self.dice.random_bool(0.5);
        let (mut file, mut server) = (self.file.begin().await.unwrap(), self.server.begin().await.unwrap());
        for operation in &operations {
            self.done += 1;
            let mut answers = (operation.run(&mut file).await, operation.run(&mut server).await);
            // A server may put a row off, and its fault with it.
            if answers.0.is_err() || at_once {
                answers = (with(answers.0, file.settle().await), with(answers.1, server.settle().await));
            }
            same(&answers.0, &answers.1, "in a transaction");
            if answers.0.is_err() {
                // A server's transaction is over with its first fault; so is a turn's.
                file.undo().await.unwrap();
                return server.undo().await.unwrap();
            }
        }
        if self.dice.random_bool(0.9) {
            same(&kind(file.commit().await), &kind(server.commit().await), "at the commit");
        } else {
            file.undo().await.unwrap();
            server.undo().await.unwrap();
        }
    }

    /// An operation that is a transaction by itself.
    async fn alone(&mut self) {
        self.done += 1;
        let merchant = self.merchant();
        let (name, value) = (self.text(), self.text());
        let now = self.moment();
        let both = [&self.file, &self.server];
        let mut answers = Vec::new();
        let staff = Member { id: StaffId(self.dice.random_range(0..8)), name: value.into(), password: name.into() };
        let what = self.dice.random_range(0..9);
        for store in both {
            answers.push(match what {
                0 => shown(store.add_staff(&merchant, &staff, name, now).await),
                1 => shown(store.staff_by_login(&merchant, name).await),
                2 => shown(store.open_session(&merchant, name, staff.id, now).await),
                3 => shown(store.session(&merchant, name).await),
                4 => shown(store.session_seen(&merchant, name, now).await),
                5 => shown(store.close_session(&merchant, name).await),
                6 => shown(store.keep(&merchant, name, value).await),
                7 => shown(store.kept(&merchant, name).await),
                _ => shown(store.forget(&merchant, name, value).await),
            });
        }
        same(&answers[0], &answers[1], "alone");
    }

    async fn import(&mut self, merchant: MerchantId, at: Moment) {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
        let read = |file: &str| std::fs::read_to_string(samples.join(file)).unwrap();
        for store in [&self.file, &self.server] {
            store.import(&merchant, &read("catalog.json"), &read("faq.json"), at).await.unwrap();
        }
    }

    /// Everything that pages show, of every shop.
    async fn look(&mut self) {
        let mut looks = Vec::new();
        for store in [&self.file, &self.server] {
            let mut seen = vec![
                shown(
                    store
                        .shops()
                        .await
                        .map(|shops| shops.iter().map(|s| (s.id.clone(), s.version)).collect::<Vec<_>>()),
                ),
                shown(store.vitals().await.map(|vitals| (vitals.outbox, vitals.aside))),
            ];
            for shop in SHOPS {
                let merchant: MerchantId = shop.parse().unwrap();
                seen.push(shown(store.unsent(&merchant).await));
                seen.push(shown(store.gatherings(&merchant, Moment(5_000)).await.map(by_debug)));
                seen.push(shown(store.board(&merchant, Moment(500)).await.map(by_debug)));
                seen.push(shown(store.conversations(&merchant).await.map(by_debug)));
                seen.push(shown(store.aside(&merchant).await.map(by_debug)));
                seen.push(shown(store.aliases(&merchant).await));
                seen.push(shown(store.staff_count(&merchant).await));
                seen.push(shown(store.suggested_names(&merchant).await));
                for standing in [Standing::Suggested, Standing::Approved, Standing::Dismissed] {
                    seen.push(shown(store.names(&merchant, standing).await.map(by_debug)));
                }
                for id in 0..10 {
                    let id = ConversationId(id);
                    seen.push(shown(store.conversation(&merchant, id).await));
                    seen.push(shown(store.messages(&merchant, id, 3).await));
                    seen.push(shown(store.orders_of(&merchant, id).await.map(by_debug)));
                }
            }
            looks.push(seen);
        }
        for (file, server) in looks[0].iter().zip(&looks[1]) {
            same(file, server, "looking at everything");
        }
    }

    fn throw(&mut self) -> Operation {
        let merchant = self.merchant();
        let conversation = ConversationId(self.dice.random_range(0..10));
        let seq = self.dice.random_range(1..40);
        match self.dice.random_range(0..32) {
            0 => Operation::Receive(self.arrival(), conversation, self.dice.random_bool(0.5).then_some(seq)),
            1 => Operation::ByPeer(merchant, self.channel(), self.peer()),
            2 => Operation::ById(merchant, conversation),
            3..=5 => Operation::Save(merchant, Box::new(self.conversation(conversation)), self.moment()),
            6 | 7 => Operation::SaveCustomer(merchant, self.customer(), self.dice.random_bool(0.3)),
            8..=11 => {
                let author =
                    *[Author::Customer, Author::Bot, Author::Staff, Author::Note].choose(&mut self.dice).unwrap();
                let by = self.dice.random_bool(0.3).then(|| self.text());
                Operation::Say(merchant, conversation, seq, author, by, self.outgoing(), self.moment())
            }
            12 => Operation::WordsSince(merchant, conversation, seq),
            13 | 14 => Operation::Post(Box::new(self.unsent(merchant, conversation, seq))),
            15 => Operation::Sent(Box::new(self.unsent(merchant, conversation, seq))),
            16 => Operation::Later(Box::new(self.unsent(merchant, conversation, seq)), self.text()),
            17 => Operation::Failed(
                Box::new(self.unsent(merchant, conversation, seq)),
                self.text(),
                self.dice.random_bool(0.3),
            ),
            18 => Operation::TakeNumber(merchant),
            19 | 20 => Operation::Place(merchant, Box::new(self.order(conversation)), seq),
            21 | 22 => {
                let moves = [
                    Move::Accept { minutes: 20 },
                    Move::Decline { reason: self.text().into() },
                    Move::Ready,
                    Move::OutForDelivery,
                    Move::Delivered,
                    Move::Cancel,
                ];
                let version = self.dice.random_range(-1..=1);
                Operation::Move(
                    merchant,
                    OrderId(self.dice.random_range(0..60)),
                    moves.choose(&mut self.dice).unwrap().clone(),
                    version,
                )
            }
            23 => Operation::Recent(merchant, CustomerId(self.dice.random_range(0..10))),
            24 => Operation::GiveUp(merchant, conversation, self.desk()),
            25 => Operation::SetAside(self.arrival(), self.text()),
            26 => Operation::TakeAside(merchant, self.channel(), self.foreign_id()),
            27 => Operation::SaidSince(merchant, conversation, self.moment()),
            28 => match self.dice.random_range(0..3) {
                0 => Operation::Suggest(merchant, self.alias(), self.text(), conversation, seq),
                1 => {
                    let standing = [Standing::Suggested, Standing::Approved, Standing::Dismissed];
                    Operation::Decide(merchant, self.alias(), *standing.choose(&mut self.dice).unwrap())
                }
                _ => Operation::Live(merchant, self.alias().phrase),
            },
            29 => Operation::CustomerSaid(merchant, conversation),
            30 => Operation::Resend(merchant, conversation, seq, self.moment()),
            _ => Operation::Undelivered(merchant, conversation),
        }
    }

    fn merchant(&mut self) -> MerchantId {
        SHOPS.choose(&mut self.dice).unwrap().parse().unwrap()
    }

    fn text(&mut self) -> &'static str {
        TEXTS.choose(&mut self.dice).unwrap()
    }

    fn moment(&mut self) -> Moment {
        Moment(self.dice.random_range(0..10_000))
    }

    fn channel(&mut self) -> ChannelKind {
        *ChannelKind::ALL.choose(&mut self.dice).unwrap()
    }

    fn peer(&mut self) -> Peer {
        Peer::new(format!("peer-{}", self.dice.random_range(0..10))).unwrap()
    }

    fn foreign_id(&mut self) -> String {
        format!("u{}", self.dice.random_range(0..400))
    }

    fn desk(&mut self) -> Desk {
        match self.dice.random_range(0..3) {
            0 => Desk::Bot,
            1 => Desk::Waiting { since: self.moment(), why: Why::NotUnderstood },
            _ => Desk::Staff { name: self.text().to_owned(), since: self.moment() },
        }
    }

    fn customer(&mut self) -> Customer {
        Customer {
            id: CustomerId(self.dice.random_range(0..10)),
            name: self.dice.random_bool(0.5).then(|| self.text().to_owned()),
            language: ["en", "nb"].choose(&mut self.dice).and_then(|tag| tag.parse().ok()),
            address: self.dice.random_bool(0.5).then(|| self.text().to_owned()),
            offers: [None, Some(false), Some(true)].choose(&mut self.dice).copied().flatten(),
        }
    }

    fn conversation(&mut self, id: ConversationId) -> Conversation {
        let waits = self.dice.random_bool(0.2);
        Conversation {
            id,
            channel: self.channel(),
            peer: self.peer(),
            customer: self.customer(),
            shown_name: self.dice.random_bool(0.5).then(|| self.text().to_owned()),
            version: self.dice.random_range(1..4),
            state: if self.dice.random_bool(0.8) {
                Recalled::Known(State::default())
            } else {
                Recalled::Unreadable(self.text().to_owned())
            },
            desk: self.desk(),
            language: "en".parse().ok(),
            next_seq: self.dice.random_range(1..40),
            gathering: waits.then(|| Gathering { from: 1, until: self.moment() }),
            orders: self.dice.random_range(0..3),
            reachable: self.dice.random_bool(0.9),
            new: self.dice.random_bool(0.3),
        }
    }

    fn outgoing(&mut self) -> Outgoing {
        let buttons =
            (0..self.dice.random_range(0..3)).map(|_| Button { label: self.text().into(), data: "1.1".into() });
        let buttons = buttons.collect();
        Outgoing { text: self.text().to_owned(), buttons }
    }

    fn arrival(&mut self) -> Arrival {
        Arrival {
            merchant: self.merchant(),
            channel: self.channel(),
            foreign_id: self.foreign_id(),
            peer: self.peer(),
            name: None,
            language: None,
            at: self.moment(),
            content: Content::Opened(None),
            raw: self.text().to_owned(),
        }
    }

    fn unsent(&mut self, merchant: MerchantId, conversation: ConversationId, seq: i64) -> Unsent {
        Unsent {
            merchant,
            conversation,
            seq,
            channel: self.channel(),
            peer: self.peer(),
            message: self.outgoing(),
            attempts: self.dice.random_range(0..5),
            said_at: self.moment(),
            due_at: self.moment(),
            urgency: *[Urgency::Answer, Urgency::News, Urgency::Offer].choose(&mut self.dice).unwrap(),
            expires_at: self.dice.random_bool(0.5).then(|| self.moment()),
            told: false,
        }
    }

    fn order(&mut self, conversation: ConversationId) -> Order {
        let currency = Currency::parse("EUR").unwrap();
        let money = |minor: i64| currency.minor(minor).unwrap();
        let at = self.moment();
        Order {
            id: OrderId(self.dice.random_range(0..60)),
            number: self.dice.random_range(1..12),
            customer: CustomerId(self.dice.random_range(0..10)),
            conversation,
            language: "ru".parse().unwrap(),
            status: Status::Placed,
            version: 1,
            cart: Cart::default(),
            line_totals: vec![money(950)],
            fee: money(0),
            total: money(950),
            fulfilment: Fulfilment::Pickup,
            name: self.text().to_owned(),
            address: self.dice.random_bool(0.5).then(|| self.text().to_owned()),
            zone: None,
            placed_at: at,
            not_before: self.dice.random_bool(0.5).then_some(at),
            due: None,
            reason: None,
            note: self.dice.random_bool(0.5).then(|| self.text().to_owned()),
            moved_at: at,
        }
    }

    fn alias(&mut self) -> Alias {
        let phrase = ["white pizza", "the usual one", "fanta", "big"].choose(&mut self.dice).unwrap();
        let meant = ["margherita", "diavola"].choose(&mut self.dice).unwrap();
        Alias {
            phrase: Phrase::parse(phrase).unwrap(),
            language: "en".parse().unwrap(),
            meant: Meant::Product(meant.parse().unwrap()),
        }
    }
}

impl Operation {
    /// The answer as text, or the kind of fault.
    async fn run(&self, tx: &mut Tx) -> Result<String, String> {
        match self {
            Operation::Receive(arrival, id, seq) => debug(tx.receive(arrival, *id, *seq).await),
            Operation::ByPeer(merchant, channel, peer) => debug(tx.conversation_with(merchant, *channel, peer).await),
            Operation::ById(merchant, id) => debug(tx.conversation(merchant, *id).await),
            Operation::Save(merchant, conversation, now) => debug(tx.save(merchant, conversation, *now).await),
            Operation::SaveCustomer(merchant, customer, new) => {
                debug(tx.save_customer(merchant, customer, *new, Moment(7)).await)
            }
            Operation::Say(merchant, id, seq, author, by_name, what, at) => {
                let message = NewMessage { author: *author, by_name: *by_name, kind: "text", what, at: *at };
                debug(tx.say(merchant, *id, *seq, &message).await)
            }
            Operation::WordsSince(merchant, id, from) => debug(tx.words_since(merchant, *id, *from).await),
            Operation::Post(message) => debug(tx.post(message).await),
            Operation::Sent(message) => debug(tx.mark_sent(message).await),
            Operation::Later(message, fault) => debug(tx.mark_later(message, fault).await),
            Operation::Failed(message, fault, gone) => debug(tx.mark_failed(message, fault, *gone).await),
            // Which one is another matter: a server takes it apart from the transaction, which may be undone.
            Operation::TakeNumber(merchant) => debug(tx.take_order_number(merchant).await.map(|number| number > 0)),
            Operation::Place(merchant, order, readback) => {
                debug(tx.place(merchant, order, *readback, "customer").await)
            }
            Operation::Move(merchant, id, a_move, off) => match tx.order(merchant, *id).await {
                Ok(Some(order)) => match order.moved(a_move, Moment(9_000)) {
                    Ok(mut moved) => {
                        moved.version += off;
                        debug(tx.move_order(merchant, &moved, "staff").await)
                    }
                    Err(refused) => Ok(refused.to_string()),
                },
                other => debug(other),
            },
            Operation::Recent(merchant, customer) => debug(tx.recent_orders(merchant, *customer).await.map(by_debug)),
            Operation::GiveUp(merchant, id, desk) => debug(tx.give_up_gathering(merchant, *id, desk).await),
            Operation::SetAside(arrival, fault) => debug(tx.set_aside(arrival, fault).await),
            Operation::TakeAside(merchant, channel, id) => debug(tx.take_aside(merchant, *channel, id).await),
            Operation::SaidSince(merchant, id, at) => debug(tx.said_since(merchant, *id, *at).await),
            Operation::Suggest(merchant, alias, written, conversation, seq) => {
                let name = NewName { alias, written, conversation: *conversation, seq: *seq, by: "Ada" };
                debug(tx.suggest_name(merchant, &name, Moment(8)).await)
            }
            Operation::Decide(merchant, alias, standing) => {
                debug(tx.decide_name(merchant, &alias.phrase, &alias.meant, *standing, Moment(9)).await)
            }
            Operation::Live(merchant, phrase) => debug(tx.live_meaning(merchant, phrase).await),
            Operation::CustomerSaid(merchant, id) => debug(tx.customer_said(merchant, *id).await),
            Operation::Resend(merchant, id, seq, due) => debug(tx.resend(merchant, *id, *seq, *due, None).await),
            Operation::Undelivered(merchant, id) => debug(tx.undelivered(merchant, *id).await),
        }
    }
}

fn debug<T: Debug>(answer: Result<T, StoreError>) -> Result<String, String> {
    kind(answer).map(|answer| format!("{answer:?}"))
}

/// A fault without its engine's words.
fn kind<T>(answer: Result<T, StoreError>) -> Result<T, String> {
    answer.map_err(|fault| match fault {
        StoreError::Stale => "stale".to_owned(),
        StoreError::Taken(_) => "taken".to_owned(),
        other => panic!("no engine should say {other:?} here"),
    })
}

fn with(answer: Result<String, String>, settled: Result<(), StoreError>) -> Result<String, String> {
    answer.and_then(|answer| kind(settled).map(|()| answer))
}

fn shown<T: Debug>(answer: Result<T, StoreError>) -> String {
    format!("{:?}", debug(answer))
}

/// Rows whose order the statement leaves open where what it orders by is equal.
fn by_debug<T: Debug>(rows: Vec<T>) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

#[track_caller]
fn same<T: PartialEq + Debug>(file: &T, server: &T, doing: &str) {
    assert!(file == server, "the engines differ {doing}:\n  file   {file:?}\n  server {server:?}");
}
