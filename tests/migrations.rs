//! Databases that earlier versions of the program left, with rows in every table: this one opens each, every row stays
//! as it was, and the shop goes on from there. One of a newer version is refused and left as it is. And where the
//! program is killed while it brings an old database up to date, nothing is lost and the next start does it.
//!
//! `USUAL_TEST_MIGRATION_KILLS` sets how many kills there are, `USUAL_TEST_SEED` repeats a run's moments (as far as the
//! machine does).

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};
use theusual::{
    channel::{Arrival, ChannelKind, Inbox as _, Peer, web},
    desk::{Desk, Why},
    id::{ConversationId, MerchantId},
    moment::{Moment, Span},
    store::{Author, Standing, Store, Urgency, Waiting, transfer},
    work::{Habits, Work, new_id, now},
};

use self::support::{
    command::{refused, usual},
    place::Place,
    replica::Replica,
    shop::PATIENCE,
};

mod support;

/// How many kills there are where `USUAL_TEST_MIGRATION_KILLS` does not say.
const KILLS: usize = 16;

/// Messages of the database that is being migrated at the kills: enough for the steps that go over a whole table to
/// take a while.
const MESSAGES: i64 = 20_000;

/// How long after a program has begun to write an old file's tables it is killed at most, in milliseconds.
const LONGEST_WRITING: u64 = 20;

/// How long the beginning of that is waited for; a start may be over before it is seen.
const BEGINS_WITHIN: Duration = Duration::from_secs(2);

/// Every version from one on.
const LATEST: i64 = i64::MAX;

/// Columns that a migration took away; what they held is elsewhere.
const GONE: [(&str, &str); 1] = [("merchant", "next_order")];

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// As every version of the program makes it in a file.
const LEDGER: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
     installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
     execution_time BIGINT NOT NULL)";

const NOTE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
     VALUES ($1, $2, 1, $3, 0)";

/// Shops as the programs of their time wrote them: from which version on, up to which one, and how. The first has given
/// out seven order numbers, the second none.
const SHOPS: [(i64, i64, &str); 2] = [
    (
        1,
        5,
        "INSERT INTO merchant (merchant_id, catalog, faq, version, next_order, opened_at) \
         VALUES ('pizzeria', $1, $2, 3, 8, 1), ('trattoria', $1, $2, 1, 1, 2)",
    ),
    (
        6,
        LATEST,
        "INSERT INTO merchant (merchant_id, catalog, faq, version, opened_at) \
         VALUES ('pizzeria', $1, $2, 3, 1), ('trattoria', $1, $2, 1, 2)",
    ),
];

/// The same of rows in all other tables: a customer in the middle of an order, and one with three orders who waits for
/// a person, to whom one message could not be sent and one is still to be sent.
const ROWS: [(i64, i64, &str); 16] = [
    (
        1,
        LATEST,
        "INSERT INTO customer (merchant_id, customer_id, name, language, address, offers, created_at) VALUES
         ('pizzeria', '00000000-0000-7000-8000-000000000011', 'Marta', 'en', NULL, 1, 1),
         ('pizzeria', '00000000-0000-7000-8000-000000000012', NULL, 'nb', 'Storgata 1, 0155', NULL, 2)",
    ),
    (
        1,
        LATEST,
        r#"INSERT INTO conversation (merchant_id, conversation_id, channel, peer, customer_id, shown_name, version,
           state, desk, language, next_seq, orders, reachable, last_at) VALUES
           ('pizzeria', '00000000-0000-7000-8000-000000000001', 'web', 'one', '00000000-0000-7000-8000-000000000011',
           NULL, 1, '{"v":"1","stage":{"at":"filling",
           "basket":{"cart":[{"product":"margherita","quantity":2,"options":[]}]},"ask":{"ask":"fulfilment"},
           "asked":[[{"ask":"fulfilment"},1]]},"offered":{"seq":2,"offers":[{"fulfil":"pickup"},{"fulfil":"delivery"}]},
           "placed":null,"slips":0}',
           '{"owner":"bot"}', 'en', 3, 0, 1, 1)"#,
    ),
    (
        1,
        LATEST,
        r#"INSERT INTO conversation (merchant_id, conversation_id, channel, peer, customer_id, shown_name, version,
           state, desk, language, next_seq, orders, reachable, last_at, waiting_since) VALUES
           ('pizzeria', '00000000-0000-7000-8000-000000000002', 'telegram', '42',
           '00000000-0000-7000-8000-000000000012', 'Nina', 9, '{"v":"1","stage":{"at":"idle"}}',
           '{"owner":"waiting","since":5,"why":"asked"}', 'nb', 6, 3, 1, 5, 5)"#,
    ),
    (
        1,
        LATEST,
        "INSERT INTO inbox (merchant_id, channel, foreign_id, conversation_id, seq, received_at) VALUES
         ('pizzeria', 'web', 'w1', '00000000-0000-7000-8000-000000000001', 1, 1),
         ('pizzeria', 'telegram', 'u7', '00000000-0000-7000-8000-000000000002', NULL, 2)",
    ),
    (
        1,
        LATEST,
        r#"INSERT INTO message (merchant_id, conversation_id, seq, author, by_name, kind, body, buttons, at) VALUES
           ('pizzeria', '00000000-0000-7000-8000-000000000001', 1, 'customer', NULL, 'text', '2 margherita', NULL, 1),
           ('pizzeria', '00000000-0000-7000-8000-000000000001', 2, 'bot', NULL, 'text', 'Pickup or delivery?',
           '[{"label":"Pickup","data":"2.0"},{"label":"Delivery","data":"2.1"}]', 1),
           ('pizzeria', '00000000-0000-7000-8000-000000000002', 1, 'customer', NULL, 'voice', '', NULL, 1),
           ('pizzeria', '00000000-0000-7000-8000-000000000002', 2, 'bot', NULL, 'text', 'Jeg henter noen', NULL, 2),
           ('pizzeria', '00000000-0000-7000-8000-000000000002', 3, 'staff', 'Ada', 'text', 'Hei, æøå 👩‍🍳', NULL, 3),
           ('pizzeria', '00000000-0000-7000-8000-000000000002', 4, 'note', 'Ada', 'text', 'Ada had it', NULL, 4),
           ('pizzeria', '00000000-0000-7000-8000-000000000002', 5, 'bot', NULL, 'text', 'Bestillingen er klar', NULL,
           5)"#,
    ),
    (
        1,
        2,
        "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, fault, failed) VALUES
         ('pizzeria', '00000000-0000-7000-8000-000000000002', 3, 'telegram', 3, 10, 'the messenger refused it', 1),
         ('pizzeria', '00000000-0000-7000-8000-000000000002', 5, 'telegram', 5, 1, 'the vendor asked to wait', 0)",
    ),
    (
        3,
        LATEST,
        "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, fault, failed, urgency,
         expires_at) VALUES ('pizzeria', '00000000-0000-7000-8000-000000000002', 3, 'telegram', 3, 10,
         'the messenger refused it', 1, 'answer', 86400003), ('pizzeria', '00000000-0000-7000-8000-000000000002', 5,
         'telegram', 5, 1, 'the vendor asked to wait', 0, 'news', 4102444800000)",
    ),
    (
        1,
        LATEST,
        r#"INSERT INTO orders (merchant_id, order_id, number, conversation_id, readback, customer_id, language, status,
           version, cart, line_totals, currency, fee, total, fulfilment, name, address, zone, placed_at, not_before,
           due, reason, note, moved_at) VALUES
           ('pizzeria', '00000000-0000-7000-8000-000000000105', 5, '00000000-0000-7000-8000-000000000002', 101,
           '00000000-0000-7000-8000-000000000012', 'nb', 'declined', 2,
           '[{"product":"margherita","quantity":1,"options":[]}]', '[950]', 'EUR', 0, 950, 'pickup', 'Nina', NULL, NULL,
           5, NULL, NULL, 'the oven is cold', NULL, 55),
           ('pizzeria', '00000000-0000-7000-8000-000000000106', 6, '00000000-0000-7000-8000-000000000002', 102,
           '00000000-0000-7000-8000-000000000012', 'nb', 'delivered', 4,
           '[{"product":"margherita","quantity":2,"options":[]}]', '[1900]', 'EUR', 0, 1900, 'pickup', 'Nina', NULL,
           NULL, 6, NULL, 60, NULL, NULL, 66),
           ('pizzeria', '00000000-0000-7000-8000-000000000107', 7, '00000000-0000-7000-8000-000000000002', 103,
           '00000000-0000-7000-8000-000000000012', 'nb', 'placed', 1,
           '[{"product":"margherita","quantity":2,"options":[]}]', '[1900]', 'EUR', 290, 2190, 'delivery', 'Nina',
           'Storgata 1, 0155', 'centre', 7, 70, NULL, NULL, 'no nuts', 7)"#,
    ),
    (
        1,
        LATEST,
        "INSERT INTO order_move (merchant_id, order_id, version, status, actor, at) VALUES
         ('pizzeria', '00000000-0000-7000-8000-000000000105', 1, 'placed', 'customer', 5),
         ('pizzeria', '00000000-0000-7000-8000-000000000105', 2, 'declined', 'Ada', 55)",
    ),
    (
        1,
        LATEST,
        r#"INSERT INTO aside (merchant_id, channel, foreign_id, peer, raw, fault, at)
           VALUES ('pizzeria', 'telegram', 'u8', '43', '{"update_id":8}', 'stored data can''t be read: state', 3)"#,
    ),
    (
        1,
        LATEST,
        "INSERT INTO staff (merchant_id, staff_id, name, login, password, created_at)
         VALUES ('pizzeria', '00000000-0000-7000-8000-000000000201', 'Ada', 'ada', '$argon2id$v=19$a hash', 1)",
    ),
    (
        1,
        LATEST,
        "INSERT INTO session (merchant_id, token, staff_id, created_at, seen_at)
         VALUES ('pizzeria', 'hash of a token', '00000000-0000-7000-8000-000000000201', 1, 2)",
    ),
    (1, LATEST, "INSERT INTO keepsake (merchant_id, name, value) VALUES ('pizzeria', 'a name', 'a value')"),
    (
        2,
        LATEST,
        r#"INSERT INTO alias (merchant_id, phrase, thing, written, language, standing, times, conversation_id, seq,
           by_name, at) VALUES ('pizzeria', 'gondoliera', '{"product":"capricciosa"}', 'Gondoliera', 'en', 'approved',
           2, '00000000-0000-7000-8000-000000000001', 1, 'Ada', 4)"#,
    ),
    (
        4,
        LATEST,
        "INSERT INTO lease (merchant_id, name, holder, fence, until)
         VALUES ('pizzeria', 'sending', 'a replica that is gone', 4, 0)",
    ),
    (6, LATEST, "INSERT INTO order_number (merchant_id, last) VALUES ('pizzeria', 7)"),
];

/// What fills a database of version 1: so many customers of a bot with a message each that is in the outbox, of which a
/// tenth still waits. The bot is switched off here, so it waits for good. Ids are the rows' numbers.
const MUCH: [&str; 4] = [
    "INSERT INTO customer (merchant_id, customer_id, created_at) SELECT 'pizzeria', n.id, n.i FROM n",
    r#"INSERT INTO conversation (merchant_id, conversation_id, channel, peer, customer_id, version, state, desk,
       next_seq, orders, reachable, last_at) SELECT 'pizzeria', n.id, 'telegram', n.id, n.id, 1,
       '{"v":"1","stage":{"at":"idle"}}', '{"owner":"bot"}', 2, 0, 1, n.i FROM n"#,
    "INSERT INTO message (merchant_id, conversation_id, seq, author, kind, body, at)
     SELECT 'pizzeria', n.id, 1, 'bot', 'text', 'Bestillingen er klar', n.i FROM n",
    "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, failed)
     SELECT 'pizzeria', n.id, 1, 'telegram', n.i, 0, CASE WHEN n.i % 10 = 0 THEN 0 ELSE 1 END FROM n",
];

/// Tables by name: their columns, or their rows.
type Tables = BTreeMap<String, Vec<String>>;

fn merchant() -> MerchantId {
    "pizzeria".parse().unwrap()
}

/// The conversation of that number.
fn talk(number: u128) -> ConversationId {
    ConversationId(0x7000_8000_0000_0000_0000 + number)
}

fn sample(name: &str) -> String {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
    std::fs::read_to_string(samples.join(name)).unwrap()
}

/// What the customer of the shop's own page says.
fn says(text: &str) -> Arrival {
    let id = uuid::Uuid::from_u128(new_id()).to_string();
    let body = serde_json::json!({"id": id, "text": text}).to_string();
    web::arrival(merchant(), Peer::new("one").unwrap(), None, body.as_bytes(), now()).unwrap()
}

fn file(place: &Place) -> PathBuf {
    PathBuf::from(place.address().trim_start_matches("sqlite://"))
}

/// Makes the tables as they were at a version, with the ledger of it.
async fn make(place: &Place, version: i64) {
    if place.shared() {
        let mut connection = PgConnection::connect(&place.address()).await.unwrap();
        MIGRATIONS.run_to(version, &mut connection).await.unwrap();
        connection.close().await.unwrap();
        return;
    }
    let connection = rusqlite::Connection::open(file(place)).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.execute_batch(LEDGER).unwrap();
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= version) {
        connection.execute_batch(migration.sql.as_str()).unwrap();
        let note = (migration.version, &*migration.description, &*migration.checksum);
        connection.execute(NOTE, note).unwrap();
    }
}

/// Puts rows into every table that there is at a version.
async fn fill(place: &Place, version: i64) {
    let of_then = |(first, last, _): &&(i64, i64, &str)| (*first..=*last).contains(&version);
    let (catalog, faq) = (sample("catalog.json"), sample("faq.json"));
    for (_, _, shops) in SHOPS.iter().filter(of_then) {
        place.run(shops, &[&catalog, &faq]).await;
    }
    for (_, _, rows) in ROWS.iter().filter(of_then) {
        place.run(rows, &[]).await;
    }
}

/// Every table with its columns, but for the ledger and for what a migration takes away.
async fn columns(place: &Place) -> Tables {
    let sql = if place.shared() {
        "SELECT table_name::text || ' ' || column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' \
         ORDER BY table_name, ordinal_position"
    } else {
        "SELECT t.name || ' ' || c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' \
         AND t.name <> '_sqlx_migrations' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY t.name, c.cid"
    };
    let mut tables = Tables::new();
    for line in place.texts(sql).await {
        let (table, column) = line.split_once(' ').unwrap();
        let columns = tables.entry(table.to_owned()).or_default();
        if !GONE.contains(&(table, column)) {
            columns.push(column.to_owned());
        }
    }
    tables
}

/// What those columns hold, a text for each row.
async fn contents(place: &Place, tables: &Tables) -> Tables {
    let mut all = Tables::new();
    for (table, columns) in tables {
        let cell = |column: &String| format!("coalesce(CAST(\"{column}\" AS TEXT), '∅')");
        let cells: Vec<String> = columns.iter().map(cell).collect();
        let sql = format!("SELECT {} FROM \"{table}\" ORDER BY 1", cells.join(" || '|' || "));
        all.insert(table.clone(), place.texts(&sql).await);
    }
    all
}

#[track_caller]
fn assert_same(before: &Tables, after: &Tables, when: &str) {
    for (table, rows) in before {
        let now = &after[table];
        if rows != now {
            let lost = rows.iter().find(|row| !now.contains(row));
            let new = now.iter().find(|row| !rows.contains(row));
            panic!("{when}: {table} had {} rows and has {}; lost {lost:?}, new {new:?}", rows.len(), now.len());
        }
    }
}

/// The version of the tables, by their ledger.
async fn schema(place: &Place) -> i64 {
    place.numbers("SELECT max(version) FROM _sqlx_migrations").await[0]
}

#[tokio::test]
async fn a_database_of_any_version_keeps_every_row_and_the_shop_goes_on() {
    for version in 1..=Store::newest_schema() {
        let place = Place::new().await;
        make(&place, version).await;
        fill(&place, version).await;
        let tables = columns(&place).await;
        let before = contents(&place, &tables).await;
        let empty: Vec<&String> = before.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
        assert!(empty.is_empty(), "version {version}: give these tables rows here: {empty:?}");

        let store = Store::open(&place.address()).await.unwrap();
        assert_eq!(store.schema().await.unwrap(), Store::newest_schema());
        assert_same(&before, &contents(&place, &tables).await, &format!("version {version}"));
        orders_are_shown(&store).await;
        conversations_are_shown(&store).await;
        the_outbox_waits(&store, version).await;
        the_rest_is_found(&store, version).await;
        // Who has given out no number begins with the first.
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.take_order_number(&"trattoria".parse().unwrap()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        store.close().await;

        the_shop_goes_on(&place).await;
        place.assert_sound().await;
    }
}

async fn orders_are_shown(store: &Store) {
    let board = store.board(&merchant(), Moment(0)).await.unwrap();
    let orders: Vec<(i64, &str, i64)> =
        board.iter().map(|view| (view.order.number, view.order.status.word(), view.order.total.in_minor())).collect();
    assert_eq!(orders, [(7, "placed", 2_190), (6, "delivered", 1_900), (5, "declined", 950)]);
    assert_eq!(board[0].order.address.as_deref(), Some("Storgata 1, 0155"));
    assert_eq!(board[0].order.note.as_deref(), Some("no nuts"));
    assert_eq!(board[0].order.cart.items(), 2);
    assert_eq!(board[2].order.reason.as_deref(), Some("the oven is cold"));
    assert_eq!(store.orders_of(&merchant(), talk(2)).await.unwrap().len(), 3);
}

async fn conversations_are_shown(store: &Store) {
    let talks = store.conversations(&merchant()).await.unwrap();
    let told: Vec<(ConversationId, Option<&str>, i64)> =
        talks.iter().map(|view| (view.id, view.name.as_deref(), view.failed)).collect();
    assert_eq!(told, [(talk(2), Some("Nina"), 1), (talk(1), Some("Marta"), 0)]);
    assert_eq!(talks[0].desk, Some(Desk::Waiting { since: Moment(5), why: Why::Asked }));
    assert_eq!(talks[0].fault.as_deref(), Some("the messenger refused it"));
    assert_eq!(talks[0].last, Some((Author::Bot, "Bestillingen er klar".to_owned())));

    let of_page = store.messages(&merchant(), talk(1), 0).await.unwrap();
    let labels: Vec<&str> = of_page[1].buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!((of_page.len(), labels), (2, vec!["Pickup", "Delivery"]));
    let of_bot = store.messages(&merchant(), talk(2), 0).await.unwrap();
    let seqs: Vec<(i64, Author)> = of_bot.iter().map(|message| (message.seq, message.author)).collect();
    let authors = [Author::Customer, Author::Bot, Author::Staff, Author::Note, Author::Bot];
    assert_eq!(seqs, (1_i64..).zip(authors).collect::<Vec<_>>());
    assert_eq!((of_bot[2].body.as_str(), of_bot[2].by_name.as_deref()), ("Hei, æøå 👩‍🍳", Some("Ada")));
    assert_eq!(of_bot[2].fault.as_deref(), Some("the messenger refused it"));
    assert!(of_bot[4].waiting && !of_bot[2].waiting && !of_bot[1].waiting);
}

/// What was to be sent still is, and before urgency and expiry were known it is an answer for as long as it takes.
async fn the_outbox_waits(store: &Store, version: i64) {
    let unsent = store.unsent(&merchant()).await.unwrap();
    let [message] = unsent.as_slice() else { panic!("version {version}: {unsent:?}") };
    assert_eq!((message.conversation, message.seq, message.attempts), (talk(2), 5, 1));
    assert_eq!((message.peer.as_str(), message.message.text.as_str()), ("42", "Bestillingen er klar"));
    let told = match version {
        1 | 2 => (Urgency::Answer, None),
        _ => (Urgency::News, Some(Moment(4_102_444_800_000))),
    };
    assert_eq!((message.urgency, message.expires_at), told, "version {version}");
    let due = store.due(ChannelKind::Telegram, now(), None, 10).await.unwrap();
    assert_eq!(due.iter().map(|due| (due.conversation, due.seq)).collect::<Vec<_>>(), [(talk(2), 5)]);
    let waits = Waiting { channel: ChannelKind::Telegram, waiting: 1, failed: 1, oldest: Some(Moment(5)) };
    assert_eq!(store.vitals().await.unwrap().outbox, [waits]);
}

async fn the_rest_is_found(store: &Store, version: i64) {
    let shops: Vec<(String, i64)> =
        store.shops().await.unwrap().into_iter().map(|shop| (shop.id.to_string(), shop.version)).collect();
    assert_eq!(shops, [("pizzeria".to_owned(), 3), ("trattoria".to_owned(), 1)]);
    let aside = store.aside(&merchant()).await.unwrap();
    assert_eq!((aside.len(), aside[0].raw.as_str()), (1, r#"{"update_id":8}"#));
    let member = store.staff_by_login(&merchant(), "ada").await.unwrap().expect("the account is there");
    assert_eq!((member.name.as_str(), member.password.as_str()), ("Ada", "$argon2id$v=19$a hash"));
    let signed_in = store.session(&merchant(), "hash of a token").await.unwrap().expect("the sign-in is there");
    assert_eq!((signed_in.id, signed_in.seen_at), (member.id, Moment(2)));
    assert_eq!(store.kept(&merchant(), "a name").await.unwrap().as_deref(), Some("a value"));
    let names = store.names(&merchant(), Standing::Approved).await.unwrap();
    let said: Vec<Option<&str>> = names.iter().map(|name| name.message.as_deref()).collect();
    assert_eq!(said, vec![Some("2 margherita"); usize::from(version > 1)]);
}

/// A customer ends the order that was begun with the program of its time.
async fn the_shop_goes_on(place: &Place) {
    let store = Store::open(&place.address()).await.unwrap();
    let work = Work::start(store, Habits { gather: Span::millis(0) }, Vec::new()).await.unwrap();
    work.deliver(Arrival { foreign_id: "w1".to_owned(), ..says("2 margherita") }).await.unwrap();
    let messages = work.store().messages(&merchant(), talk(1), 0).await.unwrap();
    assert_eq!(messages.len(), 2, "what came to the earlier program is a repeat to this one");
    for text in ["pickup", "yes"] {
        work.deliver(says(text)).await.unwrap();
    }
    let last = work.store().messages(&merchant(), talk(1), 0).await.unwrap().pop().unwrap();
    assert!(last.body.contains("Your order is number"), "{}", last.body);
    let board = work.store().board(&merchant(), Moment(0)).await.unwrap();
    let orders: Vec<(i64, i64)> = board.iter().map(|view| (view.order.number, view.order.total.in_minor())).collect();
    assert_eq!(orders, [(8, 1_900), (7, 2_190), (6, 1_900), (5, 950)], "the numbers go on");
    assert_eq!(work.store().unsent(&merchant()).await.unwrap().len(), 1, "a channel that is off keeps what waits");
    assert_eq!(work.store().aside(&merchant()).await.unwrap().len(), 1, "no turn failed");
    work.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    // A file as the program leaves it, and one as a backup is that was put in its place.
    for journal in ["wal", "delete"] {
        let place = Place::new().await;
        Store::open(&place.address()).await.unwrap().close().await;
        fill(&place, Store::newest_schema()).await;
        let newer = Store::newest_schema() + 1;
        let note = format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({newer}, 'later', true, 'x', 0)"
        );
        place.run(&note, &[]).await;
        if !place.shared() {
            let connection = rusqlite::Connection::open(file(&place)).unwrap();
            connection.pragma_update(None, "journal_mode", journal).unwrap();
        }
        let tables = columns(&place).await;
        let before = contents(&place, &tables).await;
        let bytes = || (!place.shared()).then(|| std::fs::read(file(&place)).unwrap());
        let whole = bytes();

        let help =
            format!("was written by a newer version of usual (schema {newer}); run that version, or restore a backup");
        let fault = Store::open(&place.address()).await.unwrap_err().to_string();
        assert!(fault.contains(&help), "{fault}");
        assert!(bytes() == whole, "the file was changed by looking at it");
        let folder = tempfile::tempdir().unwrap();
        let told = refused(usual(folder.path()).arg("serve").env("DATABASE_URL", place.address())).await;
        assert!(told.contains(&help), "{told}");
        let other = Place::in_file();
        let fault = transfer::transfer(&place.address(), &other.address()).await.unwrap_err().to_string();
        assert!(fault.contains(&help), "{fault}");

        assert!(bytes() == whole, "the file was changed");
        assert_same(&before, &contents(&place, &tables).await, "a newer one");
        assert_eq!(schema(&place).await, newer);
        if place.shared() {
            return;
        }
    }
}

#[tokio::test]
async fn an_old_database_that_somebody_serves_is_left_as_it_is() {
    let place = Place::in_file();
    make(&place, 1).await;
    fill(&place, 1).await;
    // As the older program has it.
    let beside = format!("{}.lock", file(&place).display());
    let lock = std::fs::File::options().create(true).truncate(false).write(true).open(beside).unwrap();
    lock.try_lock().unwrap();
    let fault = Store::open(&place.address()).await.unwrap_err().to_string();
    assert!(fault.contains("another `usual serve`") && fault.contains("stop it first"), "{fault}");
    assert_eq!(schema(&place).await, 1);
    drop(lock);
    Store::open(&place.address()).await.unwrap().close().await;
    assert_eq!(schema(&place).await, Store::newest_schema());
}

/// Waits until something was written to an old file: until its log has begun.
async fn written_to(place: &Place) {
    let log = file(place).with_extension("db-wal");
    let begun = Instant::now();
    while std::fs::metadata(&log).map_or(0, |log| log.len()) == 0 && begun.elapsed() < BEGINS_WITHIN {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_an_old_database_is_brought_up_to_date_loses_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let kills = number("USUAL_TEST_MIGRATION_KILLS").map_or(KILLS, |kills| kills as usize);
    let seed = number("USUAL_TEST_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    println!("migrations: seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let old = Place::new().await;
    make(&old, 1).await;
    fill(&old, 1).await;
    for rows in MUCH {
        // In one length, as ids are: 13 digits without the first.
        let counted = format!(
            "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {MESSAGES}), \
             n (i, id) AS (SELECT i, '00000000-0000-7000-9000-' || substr(CAST(1000000000000 + i AS TEXT), 2) FROM c) \
             {rows}"
        );
        old.run(&counted, &[]).await;
    }
    let tables = columns(&old).await;
    let before = contents(&old, &tables).await;
    assert!(before["message"].len() > MESSAGES as usize && before["outbox"].len() > MESSAGES as usize);

    // How long a whole start takes, to kill within it.
    let place = old.copy().await;
    let begun = Instant::now();
    let mut program = Replica::spawn(&place.address(), &[]);
    program.is_ready(true, PATIENCE).await;
    let whole = begun.elapsed();
    program.kill().await;
    drop(place);

    let mut stages: BTreeMap<i64, usize> = BTreeMap::new();
    for round in 0..kills {
        let place = old.copy().await;
        let mut program = Replica::spawn(&place.address(), &[]);
        if !place.shared() && round % 2 == 1 {
            written_to(&place).await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..=LONGEST_WRITING))).await;
        } else {
            // Most moments early, where the tables are changed; the rest of a start is the compiling of the shops.
            tokio::time::sleep(whole.mul_f64(random.random::<f64>().powi(3))).await;
        }
        program.kill().await;
        // A copy of a file is looked at, so that the next start finds it as the kill left it.
        let version = if place.shared() { schema(&place).await } else { schema(&place.copy().await).await };
        assert!(place.shared() || version == 1 || version == Store::newest_schema(), "half-way in a file: {version}");
        *stages.entry(version).or_default() += 1;

        let mut program = Replica::spawn(&place.address(), &[]);
        program.is_ready(true, PATIENCE).await;
        assert_eq!(schema(&place).await, Store::newest_schema());
        assert_same(&before, &contents(&place, &tables).await, &format!("killed at version {version}"));
        assert_eq!(place.numbers("SELECT last FROM order_number").await, [7], "the numbers go on");
        program.kill().await;
        place.assert_sound().await;
    }
    println!(
        "migrations: seed {seed}: {kills} kills in a start of {} ms, versions after them {stages:?}; nothing lost",
        whole.as_millis()
    );
}
