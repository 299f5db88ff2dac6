//! Several programs on one PostgreSQL: a conversation is one whichever of them it reaches, one of them sends, a screen at
//! one shows what happens at another, and of one that was stopped and wakes up nothing is kept. And how a shop gets
//! there, and back into a file.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use theusual::{
    channel::{Arrival, ChannelKind, Inbox as _, Outgoing, Peer, web},
    id::{ConversationId, MerchantId},
    moment::{Moment, Span},
    store::{Author, LEASE, NewMessage, Store, StoreError, transfer},
    work::{Event, Habits, Numbered, Work, new_id, now},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use self::support::{
    place::Place,
    replica::Replica,
    shop::{LOOK_EVERY, PATIENCE},
    telegram::{FakeTelegram, TOKEN},
};

mod support;

const SECRET: &str = "one-of_several";

/// How long a replica is stopped: its lease has ended by then, and the server has ended its transaction.
const STOPPED: Duration = Duration::from_secs(14);

/// How soon a replica says that it can't reach its database, or that it can again.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take until a replica has said something: it may have to wait for the end of another's lease.
const SAYS_WITHIN: Duration = PATIENCE.saturating_add(STOPPED);

/// A replica that listens, with a bot.
async fn replica(database: &str, telegram: &str) -> Replica {
    let settings = [
        ("USUAL_GATHER_MS", "0"),
        ("TELOXIDE_TOKEN", TOKEN),
        ("TELOXIDE_API_URL", telegram),
        ("USUAL_TELEGRAM_SECRET", SECRET),
    ];
    Replica::start(database, &settings).await
}

/// Stands between a program and its server, and can lose the answer to the commit of a word, or everything without one.
struct Between {
    address: String,
    /// How many answers are still to be lost.
    lose: Arc<AtomicUsize>,
    /// Whether nothing comes through. What was lost meanwhile stays lost.
    silent: Arc<AtomicBool>,
}

impl Between {
    async fn start(server: &str) -> Between {
        let mut address: url::Url = server.parse().unwrap();
        let server = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        address.set_host(Some("127.0.0.1")).unwrap();
        address.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let lose = Arc::new(AtomicUsize::new(0));
        let silent = Arc::new(AtomicBool::new(false));
        let (losing, quiet) = (lose.clone(), silent.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, losing.clone(), quiet.clone()));
            }
        });
        Between { address: address.to_string(), lose, silent }
    }
}

/// The word that a customer says in a turn whose commit's answer is lost.
const LOST: &str = "pickup";

/// Passes bytes on both ways. Where an answer is to be lost, a commit reaches the server, is done there, and the
/// connection ends.
async fn pass(client: TcpStream, server: TcpStream, lose: Arc<AtomicUsize>, silent: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let lost = Arc::new(AtomicBool::new(false));
    let (losing, quiet) = (lost.clone(), silent.clone());
    let back = tokio::spawn(async move {
        let mut bytes = vec![0; 65_536];
        while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
            if quiet.load(Ordering::SeqCst) {
                continue;
            }
            if losing.load(Ordering::SeqCst) || to_client.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 65_536];
    while let Ok(read @ 1..) = from_client.read(&mut bytes).await {
        if silent.load(Ordering::SeqCst) {
            continue;
        }
        let commit = bytes[..read].windows(LOST.len()).any(|word| word == LOST.as_bytes());
        let one_less = |left: usize| left.checked_sub(1);
        if commit && lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            lost.store(true, Ordering::SeqCst);
        }
        if to_server.write_all(&bytes[..read]).await.is_err() || lost.load(Ordering::SeqCst) {
            break;
        }
    }
    // Until the server has answered, or nobody waits for it any more.
    if lost.load(Ordering::SeqCst) {
        back.await.unwrap();
    } else {
        back.abort();
    }
}

fn read(file: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
    std::fs::read_to_string(samples.join(file)).unwrap()
}

async fn opened(place: &Place) -> MerchantId {
    let merchant: MerchantId = "pizzeria".parse().unwrap();
    let store = Store::open(&place.address()).await.unwrap();
    store.import(&merchant, &read("catalog.json"), &read("faq.json"), Moment(0)).await.unwrap();
    store.close().await;
    merchant
}

async fn work(place: &Place) -> Work {
    let store = Store::open(&place.address()).await.unwrap();
    Work::start(store, Habits { gather: Span::millis(0) }, Vec::new()).await.unwrap()
}

fn says(merchant: &MerchantId, who: &str, text: &str) -> Arrival {
    let id = uuid::Uuid::from_u128(new_id()).to_string();
    let body = serde_json::json!({"id": id, "text": text}).to_string();
    web::arrival(merchant.clone(), Peer::new(who).unwrap(), None, body.as_bytes(), now()).unwrap()
}

async fn heard(work: &Work, merchant: &MerchantId, who: &str) -> Vec<String> {
    let peer = Peer::new(who).unwrap();
    let id = work.store().conversation_with(merchant, ChannelKind::Web, &peer).await.unwrap().unwrap();
    work.store().messages(merchant, id, 0).await.unwrap().into_iter().map(|message| message.body).collect()
}

fn all_say(fake: &FakeTelegram, chats: &[i64], text: &str) {
    for chat in chats {
        fake.say(*chat, text);
    }
}

/// Waits until the fake has taken so many answers to each chat.
async fn answered(fake: &FakeTelegram, chats: &[i64], count: usize, replicas: &[&Replica]) {
    let all = async {
        while chats.iter().any(|chat| fake.count(*chat) < count) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(PATIENCE + STOPPED, all).await.is_err() {
        let counts: Vec<usize> = chats.iter().map(|chat| fake.count(*chat)).collect();
        let logs: Vec<String> = replicas.iter().map(|replica| replica.log()).collect();
        panic!("answers of {count}: {counts:?}\n{}", logs.join("\n----\n"));
    }
}

/// Waits until it is on record that everything was sent.
async fn marked(place: &Place) {
    let begun = std::time::Instant::now();
    while place.numbers("SELECT count(*) FROM outbox").await != [0] {
        assert!(begun.elapsed() < PATIENCE, "the outbox does not get empty");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_is_one_whichever_replica_it_reaches() {
    let place = Place::on_server().await;
    let merchant = opened(&place).await;
    let replicas = [work(&place).await, work(&place).await, work(&place).await];
    // It is at a replica to which nobody writes, and has all that it hears from the others.
    let onlooker = work(&place).await;
    let mut screen = onlooker.events();
    // Each customer's messages go to the replicas in turn, the first one to all of them at once; and everything twice.
    let customers: Vec<String> = (0..20).map(|n| format!("customer-{n}")).collect();
    let walks = customers.iter().map(|who| {
        let (replicas, merchant) = (&replicas, &merchant);
        async move {
            let first = says(merchant, who, "2 margherita");
            let (a, b, c) = tokio::join!(
                replicas[0].deliver(first.clone()),
                replicas[1].deliver(first.clone()),
                replicas[2].deliver(first)
            );
            assert_eq!((a, b, c), (Ok(()), Ok(()), Ok(())));
            for (step, text) in ["pickup", "Marta", "yes"].into_iter().enumerate() {
                let arrival = says(merchant, who, text);
                replicas[step % 3].deliver(arrival.clone()).await.unwrap();
                replicas[(step + 1) % 3].deliver(arrival).await.unwrap();
            }
        }
    });
    futures::future::join_all(walks).await;
    let board = replicas[0].store().board(&merchant, Moment(0)).await.unwrap();
    let numbers: BTreeSet<i64> = board.iter().map(|view| view.order.number).collect();
    assert_eq!((board.len(), numbers.len()), (20, 20), "one order for each, with a number of its own: {numbers:?}");
    for who in &customers {
        let all = heard(&replicas[1], &merchant, who).await;
        let placed = all.iter().filter(|text| text.contains("Your order is number")).count();
        assert_eq!((placed, all.iter().filter(|text| *text == "yes").count()), (1, 1), "{all:?}");
    }
    assert_eq!(place.numbers("SELECT count(*) FROM aside").await, [0], "no turn failed");
    let mut seen = BTreeSet::new();
    while seen.len() < 20 {
        let event = tokio::time::timeout(PATIENCE, screen.recv()).await.expect("the screen hears of every order");
        if let Ok(Numbered { event: Event::Order { order, .. }, .. }) = event {
            seen.insert(order.0);
        }
    }
    onlooker.close().await;
    for replica in &replicas {
        replica.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_replica_sends_and_another_goes_on_where_it_is_stopped() {
    let (place, fake) = (Place::on_server().await, FakeTelegram::start().await);
    let first = replica(&place.address(), fake.url()).await;
    first.says("who sends has changed leads=true", 1, SAYS_WITHIN).await;
    let mut second = replica(&place.address(), fake.url()).await;
    // Telegram knows one webhook, the second's; what it takes, the first sends.
    second.says("webhook", 1, SAYS_WITHIN).await;
    let chats: Vec<i64> = (1..=12).collect();
    all_say(&fake, &chats, "/start");
    answered(&fake, &chats, 1, &[&first, &second]).await;
    assert_eq!(second.log().matches("leads=true").count(), 0, "the first one sent");

    marked(&place).await;
    first.signal("-STOP").await;
    let stopped = std::time::Instant::now();
    all_say(&fake, &chats, "2 margherita");
    answered(&fake, &chats, 2, &[&second]).await;
    println!("replicas: another one sent {:.1} s after the stop", stopped.elapsed().as_secs_f64());
    assert!(stopped.elapsed() < LEASE + Duration::from_secs(10), "the lease is taken over soon");
    tokio::time::sleep(STOPPED.saturating_sub(stopped.elapsed())).await;
    first.signal("-CONT").await;
    first.says("who sends has changed leads=false", 1, SAYS_WITHIN).await;
    all_say(&fake, &chats, "pickup");
    answered(&fake, &chats, 3, &[&first, &second]).await;

    marked(&place).await;
    second.kill().await;
    let third = replica(&place.address(), fake.url()).await;
    third.says("webhook", 1, SAYS_WITHIN).await;
    all_say(&fake, &chats, "Marta");
    answered(&fake, &chats, 4, &[&first, &third]).await;
    all_say(&fake, &chats, "yes");
    answered(&fake, &chats, 5, &[&first, &third]).await;
    for chat in &chats {
        let replies = fake.replies(*chat);
        assert!(replies.last().unwrap().text.contains("Your order is number"), "{replies:#?}");
        // Nothing was on the wire at the stop and at the kill, so nothing can have come twice.
        assert_eq!(replies.len(), 5, "{replies:#?}");
    }
    let leads = |replica: &Replica| replica.log().matches("leads=true").count();
    assert_eq!(leads(&first) + leads(&third), 2, "one took over from the one that was killed");
    marked(&place).await;
    assert_eq!(place.numbers("SELECT max(fence) FROM lease").await, [3], "three have sent in turn");
    fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_reaches_no_vendor_lets_another_one_send() {
    let (place, fake) = (Place::on_server().await, FakeTelegram::start().await);
    let _merchant = opened(&place).await;
    let network = Between::start(fake.url()).await;
    let lonely = replica(&place.address(), network.address.trim_end_matches('/')).await;
    lonely.says("who sends has changed leads=true", 1, SAYS_WITHIN).await;
    let other = replica(&place.address(), fake.url()).await;
    // Telegram knows one webhook, the second's; what it takes, the first sends.
    other.says("webhook", 1, SAYS_WITHIN).await;
    let chats: Vec<i64> = (1..=12).collect();
    all_say(&fake, &chats, "2 margherita");
    answered(&fake, &chats, 1, &[&lonely, &other]).await;
    marked(&place).await;
    assert_eq!(other.log().matches("leads=true").count(), 0, "the first one sent");
    network.silent.store(true, Ordering::SeqCst);
    let cut = std::time::Instant::now();
    all_say(&fake, &chats, "pickup");
    answered(&fake, &chats, 2, &[&lonely, &other]).await;
    println!("replicas: another one sent {:.1} s after the first lost its network", cut.elapsed().as_secs_f64());
    assert!(cut.elapsed() < LEASE + Duration::from_secs(10), "the first one noticed");
    all_say(&fake, &chats, "Marta");
    answered(&fake, &chats, 3, &[&lonely, &other]).await;
    for chat in &chats {
        let replies: Vec<String> = fake.replies(*chat).into_iter().map(|reply| reply.text).collect();
        assert!(replies.len() == 3 && replies[2].contains("Please check"), "{replies:#?}");
    }
    marked(&place).await;
    assert_eq!(other.log().matches("leads=true").count(), 1);
    fake.assert_empty();
}

#[tokio::test]
async fn a_replica_sends_for_longer_than_one_lease() {
    let (place, fake) = (Place::on_server().await, FakeTelegram::start().await);
    let _merchant = opened(&place).await;
    let replica = replica(&place.address(), fake.url()).await;
    all_say(&fake, &[1], "2 margherita");
    answered(&fake, &[1], 1, &[&replica]).await;
    tokio::time::sleep(LEASE + Duration::from_secs(1)).await;
    let asked = std::time::Instant::now();
    all_say(&fake, &[1], "pickup");
    answered(&fake, &[1], 2, &[&replica]).await;
    assert!(asked.elapsed() < LEASE / 2, "nobody had to take the lease anew: {:?}", asked.elapsed());
    replica.says("who sends has changed", 1, SAYS_WITHIN).await;
    fake.wait_delivered().await;
}

#[tokio::test]
async fn what_a_lost_answer_left_behind_goes_before_what_is_said_next() {
    let (place, fake) = (Place::on_server().await, FakeTelegram::start().await);
    let _merchant = opened(&place).await;
    let between = Between::start(&place.address()).await;
    let replica = replica(&between.address, fake.url()).await;
    for chat in 1..=10 {
        all_say(&fake, &[chat], "2 margherita");
        answered(&fake, &[chat], 1, &[&replica]).await;
        marked(&place).await;
        between.lose.store(1, Ordering::SeqCst);
        all_say(&fake, &[chat], LOST);
        fake.wait_delivered().await;
        assert_eq!(between.lose.load(Ordering::SeqCst), 0, "the answer to the commit was lost");
        all_say(&fake, &[chat], "Marta");
        answered(&fake, &[chat], 3, &[&replica]).await;
        let replies: Vec<String> = fake.replies(chat).into_iter().map(|reply| reply.text).collect();
        assert!(replies[1].contains("name") && replies[2].contains("Please check"), "{replies:#?}");
        assert_eq!(replies.len(), 3, "{replies:#?}");
    }
    marked(&place).await;
    fake.assert_empty();
}

#[tokio::test]
async fn a_server_that_is_gone_without_a_word_is_given_up_and_found_again() {
    let (place, fake) = (Place::on_server().await, FakeTelegram::start().await);
    let _merchant = opened(&place).await;
    let between = Between::start(&place.address()).await;
    let mut replica = replica(&between.address, fake.url()).await;
    let chats: Vec<i64> = (1..=20).collect();
    all_say(&fake, &chats, "2 margherita");
    answered(&fake, &chats, 1, &[&replica]).await;
    replica.is_ready(true, READY_WITHIN).await;
    between.silent.store(true, Ordering::SeqCst);
    all_say(&fake, &chats, "pickup");
    replica.is_ready(false, READY_WITHIN).await;
    replica.says("an update could not be stored; Telegram will send it again", 1, SAYS_WITHIN).await;
    between.silent.store(false, Ordering::SeqCst);
    replica.is_ready(true, READY_WITHIN).await;
    answered(&fake, &chats, 2, &[&replica]).await;
    all_say(&fake, &chats, "Marta");
    answered(&fake, &chats, 3, &[&replica]).await;
    for chat in &chats {
        let replies: Vec<String> = fake.replies(*chat).into_iter().map(|reply| reply.text).collect();
        assert!(
            replies.len() == 3 && replies[1].contains("name") && replies[2].contains("Please check"),
            "{replies:#?}"
        );
    }
    marked(&place).await;
    fake.assert_empty();
}

#[tokio::test]
async fn what_a_stopped_replica_writes_is_refused() {
    let place = Place::on_server().await;
    let merchant = opened(&place).await;
    let store = Store::open(&place.address()).await.unwrap();
    let old = store.lease(&merchant, "sending", "old").await.unwrap().expect("nobody has it");
    assert!(store.lease(&merchant, "sending", "new").await.unwrap().is_none(), "it is taken");
    assert!(old.same(&store.lease(&merchant, "sending", "old").await.unwrap().unwrap()), "it is prolonged");
    // As if eight seconds had gone by on the server.
    place.run("UPDATE lease SET until = 1", &[]).await;
    let new = store.lease(&merchant, "sending", "new").await.unwrap().expect("it has ended");
    let mut tx = store.begin().await.unwrap();
    assert!(!tx.holds(&old).await.unwrap() && tx.holds(&new).await.unwrap());
    tx.undo().await.unwrap();
    // Together with others it is a condition of all that they write.
    let what = Outgoing { text: "late".to_owned(), buttons: Vec::new() };
    let message = NewMessage { author: Author::Bot, by_name: None, kind: "text", what: &what, at: Moment(1) };
    for (lease, written) in [(&old, 0), (&new, 1)] {
        let mut tx = store.begin().await.unwrap();
        tx.ask_ahead(&[]).await.unwrap();
        assert!(tx.holds(lease).await.unwrap(), "it is told at the commit");
        tx.say(&merchant, ConversationId(1), 1, &message).await.unwrap();
        let done = tx.commit().await;
        assert!(matches!((&done, written), (Ok(()), 1) | (Err(StoreError::Stale), 0)), "{done:?}");
        assert_eq!(place.numbers("SELECT count(*) FROM message").await, [written]);
    }
    assert!(store.lease(&merchant, "sending", "old").await.unwrap().is_none());
    store.let_go(&old).await.unwrap();
    assert!(store.lease(&merchant, "sending", "old").await.unwrap().is_none(), "it is not the old one's to give");
    store.let_go(&new).await.unwrap();
    let again = store.lease(&merchant, "sending", "old").await.unwrap().expect("it was given back");
    assert!(!again.same(&old), "another holding has another number");
    store.close().await;
}

#[tokio::test]
async fn a_shop_moves_to_a_server_and_back_with_all_it_has() {
    let (file, server, back) = (Place::in_file(), Place::on_server().await, Place::in_file());
    let merchant = opened(&file).await;
    let serving = work(&file).await;
    for who in ["one", "two\"; --", "три"] {
        for text in ["2 margherita, one without basil", "pickup", "Marta", "yes", "a\u{0}b 👩‍👩‍👧", "I want a person"]
        {
            serving.deliver(says(&merchant, who, text)).await.unwrap();
        }
    }
    let shown = heard(&serving, &merchant, "три").await;
    serving.close().await;

    let there = transfer::transfer(&file.address(), &server.address()).await.unwrap();
    let again = transfer::transfer(&server.address(), &back.address()).await.unwrap();
    assert_eq!(there, again, "row by row");
    let rows = |table: &str| there.iter().find(|moved| moved.table == table).unwrap().rows;
    assert_eq!((rows("orders"), rows("conversation"), rows("merchant")), (3, 3, 1));
    assert!(rows("message") > 30 && rows("inbox") == 18, "{there:?}");

    let moved = work(&server).await;
    assert_eq!(heard(&moved, &merchant, "три").await, shown);
    moved.deliver(says(&merchant, "три", "where is my order?")).await.unwrap();
    let last = heard(&moved, &merchant, "три").await.pop().unwrap();
    assert!(last.contains("Number 3"), "the conversation goes on there: {last}");
    moved.close().await;

    let taken = transfer::transfer(&file.address(), &server.address()).await.unwrap_err().to_string();
    assert!(taken.contains("is not empty"), "{taken}");
    let busy = Store::open(&file.address()).await.unwrap();
    let served = busy.serve().unwrap();
    let other = Place::in_file();
    let refused = transfer::transfer(&file.address(), &other.address()).await.unwrap_err().to_string();
    assert!(refused.contains("another `usual serve` has"), "{refused}");
    drop(served);
    busy.close().await;
    transfer::transfer(&file.address(), &other.address()).await.unwrap();
}

#[tokio::test]
async fn what_was_asked_ahead_and_has_changed_since_is_never_written() {
    let place = Place::on_server().await;
    let merchant = opened(&place).await;
    let serving = work(&place).await;
    for who in ["one", "two"] {
        serving.deliver(says(&merchant, who, "2 margherita")).await.unwrap();
    }
    let arrivals = [says(&merchant, "one", "pickup"), says(&merchant, "two", "pickup")];
    let store = Store::open(&place.address()).await.unwrap();
    let peer = |who: &str| Peer::new(who).unwrap();

    // A batch asks ahead; before it saves, another replica answers one of its customers.
    let mut batch = store.begin().await.unwrap();
    batch.ask_ahead(&arrivals.iter().collect::<Vec<_>>()).await.unwrap();
    serving.deliver(says(&merchant, "one", "a diavola")).await.unwrap();
    for who in ["one", "two"] {
        let talk = batch.conversation_with(&merchant, ChannelKind::Web, &peer(who)).await.unwrap().unwrap();
        batch.save(&merchant, &talk, now()).await.unwrap();
    }
    assert!(matches!(batch.commit().await, Err(StoreError::Stale)), "the older state is not put over the newer");

    // The same arrivals at another replica, before the batch writes that they came.
    let mut batch = store.begin().await.unwrap();
    batch.ask_ahead(&arrivals.iter().collect::<Vec<_>>()).await.unwrap();
    serving.deliver(arrivals[0].clone()).await.unwrap();
    let talk = batch.conversation_with(&merchant, ChannelKind::Web, &peer("one")).await.unwrap().unwrap();
    assert!(batch.receive(&arrivals[0], talk.id, None).await.unwrap());
    assert!(!batch.receive(&arrivals[0], talk.id, None).await.unwrap(), "twice in one batch counts once");
    assert!(matches!(batch.commit().await, Err(StoreError::Taken(_))), "it has come already");

    let mut batch = store.begin().await.unwrap();
    batch.ask_ahead(&arrivals.iter().collect::<Vec<_>>()).await.unwrap();
    assert!(!batch.receive(&arrivals[0], talk.id, None).await.unwrap(), "it is known to have come");
    batch.undo().await.unwrap();
    serving.close().await;
    store.close().await;
}
