//! The outbox against a Telegram that notes when each message came: the limits hold and are used, also over a
//! `kill -9`; who is told to wait waits and nobody else; what is urgent goes first; what nobody handed in goes out; and
//! what can't be sent ends, is shown, and can be sent again.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;
use theusual::{
    channel::{
        ChannelKind, Outgoing, Peer,
        telegram::{Settings, Telegram, poll},
    },
    conversation::State,
    customer::Customer,
    desk::{Desk, Why},
    id::{ConversationId, CustomerId, MerchantId},
    moment::{Moment, Span},
    store::{Author, Conversation, MessageView, NewMessage, Recalled, Store, Unsent, Urgency},
    work::{Action, Habits, NotDone, Work, new_id, now},
};
use tokio_util::sync::CancellationToken;

use self::support::{
    place::Place,
    shop::{PATIENCE, Program, number},
    telegram::{FakeTelegram, Send, TOKEN, Trouble},
};

mod support;

/// What Telegram takes in a second in all.
const MOST: usize = 30;

const SECOND: Duration = Duration::from_secs(1);

/// A shop whose bot talks to a fake.
struct House {
    place: Place,
    fake: FakeTelegram,
    merchant: MerchantId,
    limited: bool,
}

/// The shop while it is open.
struct Open {
    work: Work,
    polling: CancellationToken,
}

impl House {
    async fn new(limited: bool) -> House {
        let place = Place::new().await;
        let fake = FakeTelegram::start().await;
        let house = House { place, fake, merchant: "pizzeria".parse().unwrap(), limited };
        let store = house.store().await;
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
        let read = |file: &str| fs::read_to_string(samples.join(file)).unwrap();
        store.import(&house.merchant, &read("catalog.json"), &read("faq.json"), Moment(0)).await.unwrap();
        store.close().await;
        house
    }

    async fn store(&self) -> Store {
        Store::open(&self.place.address()).await.unwrap()
    }

    async fn open(&self) -> Open {
        let settings = Settings::new(TOKEN, Some(self.fake.url()), None, self.merchant.clone()).unwrap();
        let telegram = Telegram::new(settings.limited(self.limited)).unwrap();
        let habits = Habits { gather: Span::millis(0) };
        let channels = vec![std::sync::Arc::new(telegram.clone()) as _];
        let work = Work::start(self.store().await, habits, channels).await.unwrap();
        let polling = CancellationToken::new();
        tokio::spawn(poll::run(telegram, std::sync::Arc::new(work.clone()), polling.clone()));
        Open { work, polling }
    }

    /// Writes messages to new customers into the database, as another process would: the running one is told nothing.
    async fn put(&self, to: impl IntoIterator<Item = (i64, Urgency, &'static [&'static str])>) {
        let store = self.store().await;
        let mut tx = store.begin().await.unwrap();
        for (chat, urgency, texts) in to {
            self.fake.meet(chat);
            let mut talk = stranger(chat);
            tx.save_customer(&self.merchant, &talk.customer, true, now()).await.unwrap();
            for text in texts {
                let what = Outgoing { text: (*text).to_owned(), buttons: Vec::new() };
                let message = NewMessage { author: Author::Bot, by_name: None, kind: "text", what: &what, at: now() };
                let seq = talk.next_seq;
                tx.say(&self.merchant, talk.id, seq, &message).await.unwrap();
                let unsent = Unsent {
                    merchant: self.merchant.clone(),
                    conversation: talk.id,
                    seq,
                    channel: ChannelKind::Telegram,
                    peer: talk.peer.clone(),
                    message: what,
                    attempts: 0,
                    said_at: now(),
                    due_at: now(),
                    urgency,
                    expires_at: None,
                    told: false,
                };
                tx.post(&unsent).await.unwrap();
                talk.next_seq += 1;
            }
            tx.save(&self.merchant, &talk, now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        store.close().await;
    }
}

impl Open {
    async fn close(self) {
        self.polling.cancel();
        self.work.close().await;
    }

    async fn conversation(&self, house: &House, chat: i64) -> ConversationId {
        let peer = Peer::new(chat.to_string()).unwrap();
        let found = self.work.store().conversation_with(&house.merchant, ChannelKind::Telegram, &peer);
        found.await.unwrap().unwrap()
    }

    async fn messages(&self, house: &House, id: ConversationId) -> Vec<MessageView> {
        self.work.store().messages(&house.merchant, id, 0).await.unwrap()
    }

    async fn desk(&self, house: &House, id: ConversationId) -> Desk {
        self.work.store().conversation(&house.merchant, id).await.unwrap().unwrap().desk.unwrap()
    }

    /// Looks at a conversation after each change until it is as it should be.
    async fn until(&self, house: &House, id: ConversationId, good: impl Fn(&[MessageView]) -> bool) {
        let mut changes = self.work.events();
        let found = async {
            while !good(&self.messages(house, id).await) {
                changes.recv().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("the messages become as they should be");
    }
}

fn stranger(chat: i64) -> Conversation {
    let customer = Customer { id: CustomerId(new_id()), name: None, language: None, address: None, offers: None };
    Conversation {
        id: ConversationId(new_id()),
        channel: ChannelKind::Telegram,
        peer: Peer::new(chat.to_string()).unwrap(),
        customer,
        shown_name: None,
        version: 0,
        state: Recalled::Known(State::default()),
        desk: Desk::Bot,
        language: None,
        next_seq: 1,
        gathering: None,
        orders: 0,
        reachable: true,
        new: true,
    }
}

fn times(sends: &[Send], chat: Option<i64>) -> Vec<Instant> {
    sends.iter().filter(|send| chat.is_none_or(|chat| send.chat == chat)).map(|send| send.at).collect()
}

/// In no stretch of a second more came than allowed, in all and to each.
fn assert_limits(sends: &[Send]) {
    let all = times(sends, None);
    for pair in all.windows(MOST + 1) {
        let took = pair[MOST] - pair[0];
        assert!(took >= SECOND, "{} messages within {took:?}", MOST + 1);
    }
    let chats: HashSet<i64> = sends.iter().map(|send| send.chat).collect();
    for chat in chats {
        for pair in times(sends, Some(chat)).windows(2) {
            assert!(pair[1] - pair[0] >= SECOND, "two to chat {chat} within {:?}", pair[1] - pair[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limits_hold_and_nine_tenths_of_them_are_used() {
    const CHATS: i64 = 150;
    let house = House::new(true).await;
    let open = house.open().await;
    for _ in 0..3 {
        house.fake.say(1_000, "hello");
    }
    for chat in 1..=CHATS {
        house.fake.say(chat, "hello");
    }
    for chat in 1..=CHATS {
        house.fake.wait_reply(chat, 0).await;
    }
    house.fake.wait_reply(1_000, 2).await;
    house.fake.wait_delivered().await;
    open.close().await;
    let sends = house.fake.sends();
    assert!(sends.len() >= CHATS as usize + 3 && sends.iter().all(|send| send.taken));
    assert_limits(&sends);
    // The first window is full at once; how fast the others follow, up to the last that is full.
    let full = sends.len() / MOST * MOST;
    let took = (sends[full - 1].at - sends[0].at).as_secs_f64();
    let rate = (full - MOST) as f64 / took;
    println!("outbox: behind the first {MOST} of {full} messages went {rate:.1} a second");
    assert!(rate >= 0.9 * MOST as f64, "only {rate:.1} a second");
    house.fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_to_wait_waits_in_full_and_others_go_on() {
    const WAIT: u32 = 2;
    let house = House::new(false).await;
    let open = house.open().await;
    house.fake.trouble_for(1, Trouble::TooMany(WAIT));
    house.fake.say(1, "hello");
    house.fake.wait_sends(1).await;
    let until = house.fake.sends()[0].at + Duration::from_secs(u64::from(WAIT));
    house.fake.say(1, "2 margherita");
    house.fake.ask(2, "hello").await;
    assert!(Instant::now() < until, "others do not wait");
    // The end of the program does not shorten it: it is in the outbox.
    house.fake.wait_delivered().await;
    let id = open.conversation(&house, 1).await;
    open.close().await;
    let store = house.store().await;
    let waiting = store.unsent_of(&house.merchant, id).await.unwrap();
    let left = until.saturating_duration_since(Instant::now());
    assert!(waiting[0].due_at.since(now()).to_duration() + Duration::from_millis(2) >= left, "{left:?} are left");
    store.close().await;
    let open = house.open().await;
    let first = house.fake.wait_reply(1, 0).await;
    let second = house.fake.wait_reply(1, 1).await;
    let ordered = |text: &str| text.contains("2 × Margherita");
    assert!(ordered(&second.text) && !ordered(&first.text), "in their order");
    let to_one = times(&house.fake.sends(), Some(1));
    assert_eq!(to_one.len(), 3, "each was tried once more or once");
    assert!(to_one[1] >= until, "{:?} too early", until - to_one[1]);
    open.close().await;
    house.fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_handed_in_goes_out_once_and_the_urgent_first() {
    const NEWS: i64 = 10;
    const OFFERS: i64 = 60;
    let house = House::new(true).await;
    let open = house.open().await;
    let offers = (100..100 + OFFERS).map(|chat| (chat, Urgency::Offer, &["An offer"][..]));
    let news = (200..200 + NEWS).map(|chat| (chat, Urgency::News, &["Your order is ready"][..]));
    house.put(offers.chain(news)).await;
    house.fake.wait_sends(1).await;
    house.fake.say(300, "hello");
    house.fake.wait_sends((NEWS + OFFERS) as usize + 1).await;
    open.close().await;
    let sends = house.fake.sends();
    assert_limits(&sends);
    // What is on the wire at once may arrive in any order.
    let news = sends[..MOST].iter().filter(|send| (200..200 + NEWS).contains(&send.chat)).count();
    assert_eq!(news, NEWS as usize, "news before offers");
    let answer = sends.iter().position(|send| send.chat == 300).unwrap();
    assert!(answer < MOST, "the answer overtakes what waits: it is number {answer} of {}", sends.len());
    let mut counts: HashMap<i64, usize> = HashMap::new();
    sends.iter().for_each(|send| *counts.entry(send.chat).or_default() += 1);
    assert!(counts.values().all(|count| *count == 1), "each once: {counts:?}");
    assert!(house.store().await.unsent(&house.merchant).await.unwrap().is_empty());
    house.fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_blocked_the_bot_is_tried_once_and_what_waited_can_be_sent_when_they_are_back() {
    let house = House::new(false).await;
    house.fake.block(5, true);
    house.put([(5, Urgency::News, &["one", "two", "three"][..])]).await;
    let open = house.open().await;
    let id = open.conversation(&house, 5).await;
    open.until(&house, id, |all| all.iter().filter(|message| message.fault.is_some()).count() == 3).await;
    assert_eq!(house.fake.sends().len(), 1, "the rest ended with the first");
    let messages = open.messages(&house, id).await;
    let faults: HashSet<_> = messages.iter().filter_map(|message| message.fault.clone()).collect();
    assert_eq!(faults.len(), 1, "for one reason: {faults:?}");
    assert!(matches!(open.desk(&house, id).await, Desk::Waiting { why: Why::Undelivered, .. }));
    let again = |seq| open.work.act(&house.merchant, "Ada", Action::Resend { conversation: id, seq });
    let refused = again(1).await.unwrap_err();
    assert!(matches!(&refused, NotDone::Refused(why) if why.contains("has left")), "{refused:?}");

    // They are back: what is sent again goes out, once, and nobody is called for it any more.
    house.fake.block(5, false);
    let member =
        |status| json!({"status": status, "until_date": 0, "user": {"id": 123_456, "is_bot": true, "first_name": "B"}});
    house.fake.raw_update(json!({"my_chat_member": {
        "chat": {"id": 5, "type": "private", "first_name": "P"}, "date": 1, "from": {"id": 5, "is_bot": false,
        "first_name": "P"}, "old_chat_member": member("kicked"), "new_chat_member": member("member")}}));
    house.fake.wait_delivered().await;
    open.work.settled().await;
    again(2).await.unwrap();
    assert_eq!(house.fake.wait_reply(5, 0).await.text, "two");
    assert!(matches!(again(2).await, Err(NotDone::Stale)), "once is enough");
    assert!(matches!(open.desk(&house, id).await, Desk::Waiting { .. }), "two are left");
    again(1).await.unwrap();
    again(3).await.unwrap();
    house.fake.wait_reply(5, 2).await;
    let texts: HashSet<String> = house.fake.replies(5).into_iter().map(|reply| reply.text).collect();
    assert_eq!(texts, ["one", "two", "three"].map(str::to_owned).into());
    assert_eq!(open.desk(&house, id).await, Desk::Bot);
    open.until(&house, id, |all| all.iter().all(|message| message.fault.is_none() && !message.waiting)).await;
    open.close().await;
    house.fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_last_try_the_staff_see_why_and_can_send_it_again() {
    let house = House::new(false).await;
    house.put([(1, Urgency::News, &["Your order is ready"][..])]).await;
    // As if three days of tries lay behind it, all but the last.
    house.place.run("UPDATE outbox SET attempts = 10", &[]).await;
    house.fake.trouble_for(1, Trouble::Broken);
    let open = house.open().await;
    let id = open.conversation(&house, 1).await;
    open.until(&house, id, |all| all.iter().any(|message| message.fault.is_some())).await;
    let fault = open.messages(&house, id).await.remove(0).fault.unwrap();
    assert_eq!(fault, "it could not be delivered in 11 tries (Internal Server Error)");
    assert!(matches!(open.desk(&house, id).await, Desk::Waiting { why: Why::Undelivered, .. }));
    assert_eq!(house.fake.sends().len(), 1, "it is not tried any more");
    open.work.act(&house.merchant, "Ada", Action::Resend { conversation: id, seq: 1 }).await.unwrap();
    assert_eq!(house.fake.wait_reply(1, 0).await.text, "Your order is ready");
    assert_eq!(open.desk(&house, id).await, Desk::Bot);
    open.close().await;
    house.fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_yesterday_is_not_sent_and_news_are() {
    let house = House::new(false).await;
    house.put([(1, Urgency::News, &["Your order is ready"][..])]).await;
    house.put([(2, Urgency::Answer, &["We open at ten"][..])]).await;
    let store = house.store().await;
    let peer = Peer::new("2").unwrap();
    let id = store.conversation_with(&house.merchant, ChannelKind::Telegram, &peer).await.unwrap().unwrap();
    // As if it had been put there a day ago.
    let mut tx = store.begin().await.unwrap();
    let old = store.unsent_of(&house.merchant, id).await.unwrap().remove(0);
    tx.mark_failed(&old, "a fault", false).await.unwrap();
    let past = now().after(Span::seconds(-1));
    assert!(tx.resend(&house.merchant, id, old.seq, past, Some(past)).await.unwrap());
    tx.commit().await.unwrap();
    store.close().await;
    let open = house.open().await;
    house.fake.wait_reply(1, 0).await;
    open.until(&house, id, |all| all.iter().any(|message| message.fault.is_some())).await;
    assert_eq!(house.fake.count(2), 0);
    assert!(matches!(open.desk(&house, id).await, Desk::Waiting { why: Why::Undelivered, .. }));
    open.close().await;
    house.fake.assert_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limits_hold_over_a_kill() {
    const CHATS: i64 = 75;
    let fake = FakeTelegram::start().await;
    let settings = [("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", fake.url()), ("USUAL_LIMITS", "on")];
    let mut program = Program::start_with(&settings).await;
    for chat in 1..=CHATS {
        fake.say(chat, "hello");
    }
    // In the middle of the second window.
    fake.wait_sends(MOST + 3).await;
    program.kill().await;
    let before = fake.sends().len();
    program.run().await;
    for chat in 1..=CHATS {
        fake.wait_reply(chat, 0).await;
    }
    fake.wait_delivered().await;
    // The last mark is a commit behind the last message.
    let metrics = program.metrics_when(|metrics| number(metrics, "usual_outbox_unmarked") == Some(0.0)).await;
    program.stop().await;
    let sends = fake.sends();
    assert_limits(&sends);
    let twice = sends.len() - CHATS as usize;
    let most = number(&metrics, "usual_outbox_repeats_total").unwrap() as usize;
    println!("outbox: killed after {before} messages; {twice} went out twice, of {most} that might have");
    assert!(twice <= most && most <= CHATS as usize, "{twice} of {most}");
    fake.assert_empty();
}
