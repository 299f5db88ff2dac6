//! Turns under trouble: damaged rows, two programs on one file, many customers at once. Nothing is lost, nobody else is
//! disturbed.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use theusual::{
    channel::{Arrival, ChannelKind, Inbox as _, Peer, web},
    desk::Desk,
    id::MerchantId,
    moment::{Moment, Span},
    store::{Author, MessageView, Store},
    work::{Action, Event, Habits, NotDone, Work, new_id, now},
};

use self::support::place::Place;

mod support;

struct House {
    place: Place,
    merchant: MerchantId,
}

impl House {
    async fn new() -> House {
        let house = House { place: Place::new().await, merchant: "pizzeria".parse().unwrap() };
        let store = Store::open(&house.place.address()).await.unwrap();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
        let read = |file: &str| fs::read_to_string(samples.join(file)).unwrap();
        store.import(&house.merchant, &read("catalog.json"), &read("faq.json"), Moment(0)).await.unwrap();
        store.close().await;
        house
    }

    async fn work(&self) -> Work {
        let store = Store::open(&self.place.address()).await.unwrap();
        let habits = Habits { gather: Span::millis(0) };
        Work::start(store, habits, Vec::new()).await.unwrap()
    }

    fn says(&self, who: &str, text: &str) -> Arrival {
        // As the page posts it.
        let id = uuid::Uuid::from_u128(new_id()).to_string();
        let body = serde_json::json!({"id": id, "text": text}).to_string();
        web::arrival(self.merchant.clone(), Peer::new(who).unwrap(), None, body.as_bytes(), now()).unwrap()
    }

    async fn messages(&self, work: &Work, who: &str) -> Vec<MessageView> {
        let peer = Peer::new(who).unwrap();
        let id = work.store().conversation_with(&self.merchant, ChannelKind::Web, &peer).await.unwrap().unwrap();
        work.store().messages(&self.merchant, id, 0).await.unwrap()
    }
}

#[tokio::test]
async fn a_state_of_another_version_goes_to_the_staff_and_the_talk_goes_on() {
    let house = House::new().await;
    let work = house.work().await;
    work.deliver(house.says("one", "2 margherita")).await.unwrap();
    house.place.run("UPDATE conversation SET state = $1", &[r#"{"v":"99","x":1}"#]).await;
    work.deliver(house.says("one", "a diavola")).await.unwrap();
    let messages = house.messages(&work, "one").await;
    let note = messages.iter().find(|m| m.author == Author::Note && m.body.contains(r#"{"v":"99","x":1}"#));
    assert!(note.is_some(), "what was stored is kept for a person to see");
    assert!(
        messages.last().unwrap().body.contains("1 × Diavola")
            || messages.iter().any(|m| m.body.contains("1 × Diavola"))
    );
    let list = work.store().conversations(&house.merchant).await.unwrap();
    assert!(matches!(list[0].desk, Some(Desk::Waiting { .. })), "{:?}", list[0].desk);
}

#[tokio::test]
async fn a_price_that_changed_since_the_read_back_is_shown_before_anything_is_placed() {
    let house = House::new().await;
    let work = house.work().await;
    for text in ["2 margherita for pickup", "Nina"] {
        work.deliver(house.says("one", text)).await.unwrap();
    }
    assert!(house.messages(&work, "one").await.last().unwrap().body.contains("Total: €19.00"));
    // Another process imports a dearer margherita; the running shop follows.
    let mut changes = work.events();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
    let read = |file: &str| fs::read_to_string(samples.join(file)).unwrap();
    let dearer = read("catalog.json").replacen("\"price\": \"9.50\"", "\"price\": \"10.50\"", 1);
    let other = Store::open(&house.place.address()).await.unwrap();
    other.import(&house.merchant, &dearer, &read("faq.json"), Moment(0)).await.unwrap();
    while changes.recv().await.unwrap().event != Event::Anything {}
    work.deliver(house.says("one", "yes")).await.unwrap();
    let shown = house.messages(&work, "one").await.last().unwrap().body.clone();
    assert!(shown.contains("Something has changed") && shown.contains("Total: €21.00"), "{shown}");
    assert!(work.store().board(&house.merchant, Moment(0)).await.unwrap().is_empty(), "nothing was placed");
    work.deliver(house.says("one", "yes")).await.unwrap();
    let board = work.store().board(&house.merchant, Moment(0)).await.unwrap();
    assert_eq!(board.iter().map(|view| view.order.total.in_minor()).collect::<Vec<_>>(), [2_100]);
}

#[tokio::test]
async fn an_arrival_whose_turn_fails_is_kept_aside_and_disturbs_nobody() {
    let house = House::new().await;
    let work = house.work().await;
    work.deliver(house.says("one", "2 margherita")).await.unwrap();
    house.place.run("UPDATE conversation SET conversation_id = 'nonsense'", &[]).await;
    let poison = house.says("one", "a diavola");
    let (failed, fine) = tokio::join!(work.deliver(poison.clone()), work.deliver(house.says("two", "a diavola")));
    assert_eq!((failed, fine), (Ok(()), Ok(())), "the vendor is told, or it would send it for ever");
    assert!(house.messages(&work, "two").await.iter().any(|m| m.body.contains("1 × Diavola")));
    let aside = work.store().aside(&house.merchant).await.unwrap();
    assert_eq!((aside.len(), aside[0].foreign_id.as_str()), (1, poison.foreign_id.as_str()));
    assert!(aside[0].fault.contains("conversation id"), "{}", aside[0].fault);
    let poisoned = poison.clone();
    work.deliver(poison).await.unwrap();
    assert_eq!(work.store().aside(&house.merchant).await.unwrap().len(), 1, "a repeat is the same one");
    // The staff try again: it fails as before and stays, until what was wrong is mended.
    let again = || Action::Retry { channel: poisoned.channel, foreign_id: poisoned.foreign_id.clone() };
    let refused = work.act(&house.merchant, "Ada", again()).await.unwrap_err();
    assert!(matches!(&refused, NotDone::Refused(why) if why.contains("conversation id")), "{refused:?}");
    assert_eq!(work.store().aside(&house.merchant).await.unwrap().len(), 1);
    let mend = "UPDATE conversation SET conversation_id = (SELECT conversation_id FROM message WHERE body = '2 margherita') \
                WHERE conversation_id = 'nonsense'";
    house.place.run(mend, &[]).await;
    work.act(&house.merchant, "Ada", again()).await.unwrap();
    assert!(work.store().aside(&house.merchant).await.unwrap().is_empty());
    let shown = house.messages(&work, "one").await.last().unwrap().body.clone();
    assert!(shown.contains("1 × Diavola"), "{shown}");
    assert!(matches!(work.act(&house.merchant, "Ada", again()).await, Err(NotDone::Missing)), "once is enough");
    let before = house.messages(&work, "one").await.len();
    work.deliver(poisoned).await.unwrap();
    assert_eq!(house.messages(&work, "one").await.len(), before, "the vendor's repeat is one still");

    // Where the talk has gone on, an old "yes" is none to the new read-back: a person sees it.
    for text in ["pickup", "Ada"] {
        work.deliver(house.says("one", text)).await.unwrap();
    }
    assert!(house.messages(&work, "one").await.last().unwrap().body.contains("Total: "));
    let old = house.says("one", "yes");
    let row = "INSERT INTO aside VALUES ($1, 'web', $2, 'one', $3, 'a fault', 1)";
    house.place.run(row, &[house.merchant.as_str(), &old.foreign_id, &old.raw]).await;
    let retry = Action::Retry { channel: old.channel, foreign_id: old.foreign_id };
    work.act(&house.merchant, "Ada", retry).await.unwrap();
    assert!(work.store().board(&house.merchant, Moment(0)).await.unwrap().is_empty(), "nothing was placed");
    assert_eq!(house.messages(&work, "one").await.last().unwrap().body, "yes", "it is on record");
    let talks = work.store().conversations(&house.merchant).await.unwrap();
    assert!(talks.iter().any(|view| matches!(view.desk, Some(Desk::Waiting { .. }))), "a person is called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_on_one_file_lose_and_double_nothing() {
    const EACH: usize = 40;
    let house = House::new().await;
    let (one, two) = (house.work().await, house.work().await);
    // Both are written to by the same customer at once, each message twice.
    let deliver = |work: Work, name: &'static str| {
        let arrivals: Vec<Arrival> = (0..EACH).map(|n| house.says("one", &format!("thanks {name} {n}"))).collect();
        async move {
            for arrival in arrivals {
                work.deliver(arrival.clone()).await.unwrap();
                work.deliver(arrival).await.unwrap();
            }
        }
    };
    tokio::join!(deliver(one.clone(), "left"), deliver(two.clone(), "right"));
    let messages = house.messages(&one, "one").await;
    let said: Vec<&str> = messages.iter().filter(|m| m.author == Author::Customer).map(|m| m.body.as_str()).collect();
    let unique: HashSet<&&str> = said.iter().collect();
    assert_eq!((said.len(), unique.len()), (2 * EACH, 2 * EACH));
    let seqs: Vec<i64> = messages.iter().map(|m| m.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>(), "numbered without a gap");
    assert!(work_is_clean(&one, &house).await);
}

/// `USUAL_TEST_WRITES` sets how many messages there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_a_long_reader_and_checkpoints_lock_nobody_out() {
    const WRITERS: usize = 64;
    // `usual serve` and `usual chat`, say: each has a connection of its own to write by. SQLite lets no queue form between
    // processes, so that of many busy ones some would wait for very long.
    const PROGRAMS: usize = 2;
    let all = std::env::var("USUAL_TEST_WRITES").map_or(2_560, |all| all.parse::<usize>().expect("USUAL_TEST_WRITES"));
    let each = all.div_ceil(WRITERS);
    let house = House { place: Place::in_file(), ..House::new().await };
    let store = Store::open(&house.place.address()).await.unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
    let read = |file: &str| fs::read_to_string(samples.join(file)).unwrap();
    store.import(&house.merchant, &read("catalog.json"), &read("faq.json"), Moment(0)).await.unwrap();
    store.close().await;
    let mut programs = Vec::new();
    for _ in 0..PROGRAMS {
        let store = Store::open(&house.place.address()).await.unwrap();
        programs.push(Work::start(store, Habits { gather: Span::millis(0) }, Vec::new()).await.unwrap());
    }
    let path = house.place.address().trim_start_matches("sqlite://").to_owned();
    let open = || rusqlite::Connection::open(&path).unwrap();
    // Somebody looks at the file all the while, and somebody else folds its log in again and again, as far as that goes
    // beside them: while it does, nobody can write.
    let reader = open();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message").unwrap();
    let folder = open();
    folder.busy_timeout(Duration::from_millis(50)).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let ended = over.clone();
    let folding = std::thread::spawn(move || {
        let mut folded = 0;
        while !ended.load(Ordering::SeqCst) {
            folder.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            folded += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
        folded
    });
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let name = format!("writer-{writer}");
        let arrivals: Vec<Arrival> = (0..each).map(|n| house.says(&name, &format!("thanks {n}"))).collect();
        let work = programs[writer % PROGRAMS].clone();
        writers.spawn(async move {
            let mut took = Vec::new();
            for arrival in arrivals {
                let begun = Instant::now();
                assert_eq!(work.deliver(arrival).await, Ok(()), "locked out");
                took.push(begun.elapsed());
            }
            took
        });
    }
    let mut took = writers.join_all().await.concat();
    over.store(true, Ordering::SeqCst);
    assert!(folding.join().unwrap() > 10, "the log was folded in meanwhile");
    drop(reader);
    let customers = house.place.numbers("SELECT count(*) FROM message WHERE author = 'customer'").await;
    assert_eq!(customers, [(WRITERS * each) as i64]);
    took.sort_unstable();
    let percentile = |part: f64| took[(took.len() as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!("writers: {} messages, p50 {:.1} ms, p99 {:.1} ms", took.len(), percentile(0.5), percentile(0.99));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_customers_at_once_get_numbers_of_their_own() {
    const CUSTOMERS: usize = 100;
    let house = House::new().await;
    let work = house.work().await;
    let mut all = tokio::task::JoinSet::new();
    for customer in 0..CUSTOMERS {
        let name = format!("customer-{customer}");
        let arrivals: Vec<Arrival> =
            ["2 margherita for pickup", "Nina", "yes", "yes"].iter().map(|text| house.says(&name, text)).collect();
        let work = work.clone();
        all.spawn(async move {
            for arrival in arrivals {
                // Twice at the same time: one of them counts.
                let (a, b) = tokio::join!(work.deliver(arrival.clone()), work.deliver(arrival));
                assert_eq!((a, b), (Ok(()), Ok(())));
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    let board = work.store().board(&house.merchant, Moment(0)).await.unwrap();
    let numbers: HashSet<i64> = board.iter().map(|view| view.order.number).collect();
    assert_eq!((board.len(), numbers.len()), (CUSTOMERS, CUSTOMERS));
    assert_eq!(numbers, (1..=CUSTOMERS as i64).collect());
    assert!(board.iter().all(|view| view.order.total.in_minor() == 1_900));
    assert!(work_is_clean(&work, &house).await);
}

/// A messenger that got no answer repeats what it sent for days; a shop may have been started anew and moved on since.
#[tokio::test]
async fn what_comes_again_after_a_month_counts_once() {
    let month = Span::hours(24 * 31).0;
    let house = House::new().await;
    let said: Vec<Arrival> = ["2 margherita for pickup", "Nina", "yes"].map(|text| house.says("nina", text)).into();
    let work = house.work().await;
    for arrival in &said {
        assert_eq!(work.deliver(arrival.clone()).await, Ok(()));
    }
    let before = house.messages(&work, "nina").await;
    work.close().await;
    for (table, at) in
        [("inbox", "received_at"), ("message", "at"), ("conversation", "last_at"), ("orders", "placed_at")]
    {
        house.place.run(&format!("UPDATE {table} SET {at} = {at} - {month}"), &[]).await;
    }
    let work = house.work().await;
    for arrival in said.iter().rev() {
        assert_eq!(work.deliver(arrival.clone()).await, Ok(()), "it is known, and taken");
    }
    let after = house.messages(&work, "nina").await;
    assert_eq!((before.len(), after.len()), (6, 6), "{after:?}");
    assert_eq!(work.store().board(&house.merchant, Moment(0)).await.unwrap().len(), 1);
    assert!(work_is_clean(&work, &house).await);
    work.close().await;
}

async fn work_is_clean(work: &Work, house: &House) -> bool {
    work.store().aside(&house.merchant).await.unwrap().is_empty()
}
