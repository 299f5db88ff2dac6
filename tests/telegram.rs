//! The Telegram channel against a Telegram that remembers: nothing is lost, nothing is confirmed too early, and every
//! answer is sorted as it should be.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::json;
use theusual::{
    channel::{
        Arrival, Button, Channel, Content, Fault, Inbox, Leave, NotTaken, Outgoing, Peer, Pending,
        telegram::{self, Settings, StartError, Telegram, hook, poll},
    },
    moment::{Moment, Span},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::support::telegram::{FakeTelegram, METHODS, TOKEN, Trouble};

mod support;

const SECRET: &str = "a-Secret_of-the_tests";

/// An inbox that remembers, and that refuses as often as it is told.
#[derive(Default)]
struct Memory {
    taken: Mutex<Vec<Arrival>>,
    refusals: Mutex<HashMap<String, usize>>,
    count: watch::Sender<usize>,
}

impl Memory {
    fn refuse(&self, foreign_id: &str, times: usize) {
        self.refusals.lock().unwrap().insert(foreign_id.to_owned(), times);
    }

    async fn wait(&self, count: usize) {
        let mut changes = self.count.subscribe();
        let enough = changes.wait_for(|taken| *taken >= count);
        tokio::time::timeout(Duration::from_secs(30), enough).await.expect("enough arrivals").unwrap();
    }

    fn texts(&self, peer: i64) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let of_peer = taken.iter().filter(|arrival| arrival.peer.as_str() == peer.to_string());
        of_peer
            .map(|arrival| match &arrival.content {
                Content::Text(text) => text.clone(),
                other => format!("{other:?}"),
            })
            .collect()
    }
}

impl Inbox for Memory {
    fn deliver<'a>(&'a self, arrival: Arrival) -> Pending<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(times) = self.refusals.lock().unwrap().get_mut(&arrival.foreign_id)
                && *times > 0
            {
                *times -= 1;
                return Err(NotTaken);
            }
            self.taken.lock().unwrap().push(arrival);
            self.count.send_modify(|count| *count += 1);
            Ok(())
        })
    }
}

fn bot_of(fake: &FakeTelegram, token: &str) -> Telegram {
    let settings = Settings::new(token, Some(fake.url()), Some(SECRET), "pizzeria".parse().unwrap()).unwrap();
    Telegram::new(settings).unwrap()
}

fn peer(chat: i64) -> Peer {
    Peer::new(chat.to_string()).unwrap()
}

fn message(text: &str) -> Outgoing {
    Outgoing { text: text.into(), buttons: Vec::new() }
}

/// Polls in the background until the token is cancelled.
fn start_polling(
    bot: &Telegram,
    inbox: &Arc<Memory>,
) -> (CancellationToken, tokio::task::JoinHandle<Result<(), StartError>>) {
    let shutdown = CancellationToken::new();
    let inbox: Arc<dyn Inbox> = inbox.clone();
    (shutdown.clone(), tokio::spawn(poll::run(bot.clone(), inbox, shutdown)))
}

#[tokio::test]
async fn a_message_goes_out_with_its_buttons() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    fake.raw_update(json!({"message": {"chat": {"id": 7, "type": "private"}}}));
    let button = |label: &str| Button { label: label.into(), data: format!("t1:{label}") };
    let sent = Outgoing { text: "Yes? <b>🍕</b> _*".into(), buttons: vec![button("Yes"), button("No")] };
    let id = bot.send(&peer(7), &sent, None).await.unwrap().unwrap();
    let reply = &fake.replies(7)[0];
    assert_eq!((reply.message_id.to_string(), reply.text.as_str()), (id, "Yes? <b>🍕</b> _*"));
    let keys = |label: &str| (label.to_owned(), format!("t1:{label}"));
    assert_eq!(reply.rows, [[keys("Yes"), keys("No")]]);
    bot.typing(&peer(7)).await;
    assert_eq!(fake.calls("sendchataction"), 1);
    fake.abandon();
}

#[tokio::test]
async fn a_message_that_may_not_leave_any_more_does_not() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    fake.raw_update(json!({"message": {"chat": {"id": 7, "type": "private"}}}));
    let leave = |may: bool| -> Option<Leave> { Some(Arc::new(move || may)) };
    // Over a connection of its own, and over one that is kept.
    for text in ["one", "two"] {
        assert!(matches!(bot.send(&peer(7), &message("late"), leave(false)).await, Err(Fault::Down(_))));
        bot.send(&peer(7), &message(text), leave(true)).await.unwrap();
    }
    let texts: Vec<String> = fake.replies(7).into_iter().map(|reply| reply.text).collect();
    assert_eq!(texts, ["one", "two"]);
    fake.abandon();
}

#[tokio::test]
async fn faults_say_what_to_do_next() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    fake.raw_update(json!({"message": {"chat": {"id": 7, "type": "private"}}}));
    let hi = message("hi");

    fake.trouble(Trouble::TooMany(6_775));
    assert_eq!(bot.send(&peer(7), &hi, None).await, Err(Fault::Wait(Span::seconds(6_775))));
    fake.trouble(Trouble::Broken);
    let asked = std::time::Instant::now();
    assert_eq!(bot.send(&peer(7), &hi, None).await, Err(Fault::Down("Internal Server Error".into())));
    assert!(asked.elapsed() < Duration::from_secs(5), "a server that fails is known at once");
    fake.trouble(Trouble::Cut);
    assert!(matches!(bot.send(&peer(7), &hi, None).await, Err(Fault::Down(_))));
    assert_eq!(fake.count(7), 0);
    // Taken, but nobody said so: this is where a message may go out twice.
    fake.trouble(Trouble::Dropped);
    assert!(matches!(bot.send(&peer(7), &hi, None).await, Err(Fault::Down(_))));
    assert_eq!(fake.count(7), 1);
    fake.block(7, true);
    assert_eq!(bot.send(&peer(7), &hi, None).await, Err(Fault::Gone));
    fake.block(7, false);
    assert_eq!(bot.send(&peer(8), &hi, None).await, Err(Fault::Gone), "nobody with that number");
    assert!(matches!(bot.send(&Peer::new("seven").unwrap(), &hi, None).await, Err(Fault::Refused(_))));
    let refused = bot.send(&peer(7), &message(&"x".repeat(4_097)), None).await;
    assert_eq!(refused, Err(Fault::Refused("Bad Request: message is too long".into())));
    assert!(matches!(bot_of(&fake, "99:other").send(&peer(7), &hi, None).await, Err(Fault::Locked(_))));

    let nobody = Settings::new(TOKEN, Some("http://127.0.0.1:9"), None, "pizzeria".parse().unwrap()).unwrap();
    let fault = Telegram::new(nobody).unwrap().send(&peer(7), &hi, None).await.unwrap_err();
    assert_eq!(fault, Fault::Down("no connection".into()));
    fake.abandon();
}

#[tokio::test]
async fn the_start_says_what_is_wrong() {
    let fake = FakeTelegram::start().await;
    assert_eq!(bot_of(&fake, TOKEN).check().await.unwrap(), "the_usual_test_bot");
    let error = bot_of(&fake, "99:other").check().await.unwrap_err();
    assert_eq!(error.to_string(), "TELOXIDE_TOKEN is not accepted by Telegram (Unauthorized); get it from @BotFather");
    let nobody = Settings::new(TOKEN, Some("http://127.0.0.1:9"), None, "pizzeria".parse().unwrap()).unwrap();
    assert_eq!(telegram::check(nobody).await.unwrap_err(), StartError::Down("no connection".into()));
    fake.assert_empty();
}

#[tokio::test]
async fn polling_delivers_each_chat_in_order_and_confirms_after_the_commit() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    let inbox = Arc::new(Memory::default());
    let first = fake.say(1, "a1");
    fake.say(2, "b1");
    fake.say(1, "a2");
    fake.raw_update(json!({"poll": {"id": "7"}}));
    inbox.refuse(&format!("u{first}"), 2);
    let (shutdown, polling) = start_polling(&bot, &inbox);
    inbox.wait(3).await;
    fake.say(2, "b2");
    inbox.wait(4).await;
    fake.wait_delivered().await;
    assert_eq!(inbox.texts(1), ["a1", "a2"], "the second one waited for the first");
    assert_eq!(inbox.texts(2), ["b1", "b2"]);
    assert_eq!(fake.acknowledged().len(), 5);
    shutdown.cancel();
    assert_eq!(polling.await.unwrap(), Ok(()));
    fake.assert_empty();
}

#[tokio::test]
async fn polling_that_dies_before_the_commit_gets_the_batch_again() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    let inbox = Arc::new(Memory::default());
    let bad = fake.say(1, "a1");
    fake.say(2, "b1");
    inbox.refuse(&format!("u{bad}"), usize::MAX);
    let (shutdown, polling) = start_polling(&bot, &inbox);
    inbox.wait(1).await;
    shutdown.cancel();
    polling.await.unwrap().unwrap();
    assert_eq!(fake.acknowledged(), [0_i64; 0], "one of the batch is not stored");

    inbox.refuse(&format!("u{bad}"), 0);
    let (shutdown, polling) = start_polling(&bot, &inbox);
    fake.wait_delivered().await;
    shutdown.cancel();
    polling.await.unwrap().unwrap();
    assert_eq!(inbox.texts(1), ["a1"]);
    assert_eq!(inbox.texts(2), ["b1", "b1"], "a repeat, for the inbox to know");
    fake.assert_empty();
}

#[tokio::test]
async fn polling_takes_the_webhook_away_and_a_bad_token_ends_it() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    let inbox = Arc::new(Memory::default());
    hook::register(&bot, &"http://127.0.0.1:9/hook".parse().unwrap()).await.unwrap();
    fake.wait_webhook(true).await;
    fake.say(1, "a1");
    let (shutdown, polling) = start_polling(&bot, &inbox);
    fake.wait_delivered().await;
    assert_eq!(fake.calls("deletewebhook"), 1);
    // Somebody sets one while we poll.
    hook::register(&bot, &"http://127.0.0.1:9/hook".parse().unwrap()).await.unwrap();
    fake.say(1, "a2");
    fake.wait_delivered().await;
    assert_eq!(inbox.texts(1), ["a1", "a2"]);
    shutdown.cancel();
    polling.await.unwrap().unwrap();

    let (_shutdown, polling) = start_polling(&bot_of(&fake, "99:other"), &inbox);
    assert_eq!(polling.await.unwrap(), Err(StartError::Token("Unauthorized".into())));
    fake.assert_empty();
}

#[tokio::test]
async fn a_webhook_is_answered_after_the_commit_and_repeated_until_then() {
    let fake = FakeTelegram::start().await;
    let bot = bot_of(&fake, TOKEN);
    let inbox = Arc::new(Memory::default());
    let route = {
        let (bot, inbox) = (bot.clone(), Arc::clone(&inbox));
        post(move |headers: HeaderMap, body: Bytes| async move {
            let shown = headers.get_all(hook::SECRET_HEADER);
            if !hook::verify(SECRET, shown.iter().map(|value| value.as_bytes())) {
                return StatusCode::UNAUTHORIZED;
            }
            let answer = hook::receive(&bot, &*inbox, Moment(0), &body).await;
            StatusCode::from_u16(answer.status()).unwrap()
        })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/hook", route)).await.unwrap();
    });

    let first = fake.say(1, "a1");
    inbox.refuse(&format!("u{first}"), 2);
    hook::register_at_last(&bot, &url, CancellationToken::new()).await.unwrap();
    fake.say(1, "a2");
    fake.say(2, "b1");
    fake.wait_delivered().await;
    fake.repeat(first);
    fake.wait_delivered().await;
    assert_eq!(inbox.texts(1), ["a1", "a2", "a1"]);
    assert_eq!(fake.attempts(), 6, "two were refused, one was repeated");

    // A pressed button stops spinning.
    let buttons = vec![Button { label: "Yes".into(), data: "t1:yes".into() }];
    bot.send(&peer(1), &Outgoing { text: "Yes?".into(), buttons }, None).await.unwrap();
    fake.press(1, "Yes");
    fake.wait_answered(1).await;
    assert!(inbox.texts(1).contains(&"Press(\"t1:yes\")".to_owned()));

    // Nobody else gets in.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status().as_u16() };
    let forged = || client.post(url.clone()).body(r#"{"update_id":1,"message":{"chat":{"id":1,"type":"private"}}}"#);
    assert_eq!(status(forged()).await, 401);
    assert_eq!(status(forged().header(hook::SECRET_HEADER, "wrong")).await, 401);
    assert_eq!(status(forged().header(hook::SECRET_HEADER, SECRET).header(hook::SECRET_HEADER, SECRET)).await, 401);
    let odd = client.post(url.clone()).header(hook::SECRET_HEADER, SECRET).body("hello");
    assert_eq!(status(odd).await, 400);
    server.abort();
    fake.assert_empty();
}

/// The fake is as strict as the published specification, where that is at hand: `USUAL_TEST_SPECS` is its folder.
#[test]
fn the_fake_knows_the_fields_that_the_spec_knows() {
    let Some(folder) = std::env::var_os("USUAL_TEST_SPECS") else {
        println!("left out: USUAL_TEST_SPECS is not set");
        return;
    };
    let spec = std::fs::read(std::path::Path::new(&folder).join("telegram-openapi.json")).unwrap();
    let spec: serde_json::Value = serde_json::from_slice(&spec).unwrap();
    let paths = spec["paths"].as_object().unwrap();
    for (method, fields) in METHODS {
        let (_, path) = paths.iter().find(|(path, _)| path.ends_with(&format!("/{method}"))).expect(method);
        let schema = &path["post"]["requestBody"]["content"]["application/json"]["schema"];
        let known: BTreeSet<&str> =
            schema["properties"].as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
        assert_eq!(fields.iter().copied().collect::<BTreeSet<_>>(), known, "{method}");
    }
}
