//! What arrives in odd shapes and sizes, at the doors of the real program: it becomes a turn or is refused, nobody else
//! waits, and nothing is left of it in memory.

use std::{cell::Cell, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use theusual::channel::{LONGEST_TEXT, telegram::hook};
use tokio::process::Child;

use self::support::{
    command::{end, serving, usual},
    sender::sing,
    shop::free_port,
    telegram::{FakeTelegram, TOKEN},
};

mod support;

const SECRET: &str = "a-secret_of-1";

/// How long anybody may wait for an answer, whatever they sent or somebody else did. The tests' build reads a long text
/// some twenty times slower than the one that ships.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// By how much the program's memory may have grown when the largest things that anybody can send are behind it, in kB:
/// room for one or two of them, and for what the database keeps of its pages.
const MOST_GROWN: u64 = 20_000;

/// A program to which Telegram posts; its base address.
async fn hooked(folder: &Path, telegram: &FakeTelegram) -> (Child, String) {
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let mut command = usual(folder);
    command
        .env("USUAL_LISTEN", format!("127.0.0.1:{port}"))
        .env("USUAL_PUBLIC_URL", &base)
        .env("USUAL_GATHER_MS", "0")
        .env("TELOXIDE_TOKEN", TOKEN)
        .env("TELOXIDE_API_URL", telegram.url())
        .env("USUAL_TELEGRAM_SECRET", SECRET);
    let (child, ..) = serving(&mut command).await;
    telegram.wait_webhook(true).await;
    (child, base)
}

/// Who sends what it likes to a program.
struct Doors {
    client: reqwest::Client,
    base: String,
    /// A visitor's.
    cookie: String,
}

impl Doors {
    async fn to(base: &str) -> Doors {
        // A connection of its own for each: the one on which a body was refused is closed, while the next may begin.
        let client = reqwest::Client::builder().timeout(ANSWERED_WITHIN).pool_max_idle_per_host(0).build().unwrap();
        let page = client.get(format!("{base}/")).send().await.unwrap();
        let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Doors { client, base: base.to_owned(), cookie }
    }

    /// Posts as Telegram does; the status of the answer.
    async fn hook(&self, body: impl Into<reqwest::Body>) -> Option<u16> {
        let request = self.client.post(format!("{}/webhooks/pizzeria/telegram", self.base));
        let request = request.header("X-Telegram-Bot-Api-Secret-Token", SECRET);
        status(request.header("content-type", "application/json").body(body)).await
    }

    /// Posts as the chat page does; the status of the answer.
    async fn page(&self, body: String) -> Option<u16> {
        let request = self.client.post(format!("{}/chat/pizzeria/messages", self.base));
        let request = request.header("cookie", &self.cookie).header("origin", &self.base);
        status(request.header("content-type", "application/json").body(body)).await
    }

    /// Whether every turn so far has come to its end.
    async fn assert_none_failed(&self) {
        let metrics = self.client.get(format!("{}/metrics", self.base)).send().await.unwrap().text().await.unwrap();
        assert!(metrics.lines().any(|line| line == "usual_aside_messages 0"), "a turn failed:\n{metrics}");
    }
}

/// The status of an answer; `None` where a body was refused before it was sent whole, which ends the connection.
async fn status(request: reqwest::RequestBuilder) -> Option<u16> {
    match request.send().await {
        Ok(answer) => Some(answer.status().as_u16()),
        Err(fault) => {
            assert!(!fault.is_timeout() && !fault.is_connect(), "{fault}");
            None
        }
    }
}

/// A person's message as Telegram has it, with what is special about it.
fn message(chat: i64, special: &Value) -> Value {
    let person = json!({"id": chat, "is_bot": false, "first_name": "A", "language_code": "en"});
    let chat = json!({"id": chat, "type": "private", "first_name": "A"});
    let mut message = json!({"message_id": 3, "date": 0, "from": person, "chat": chat});
    message.as_object_mut().unwrap().extend(special.as_object().unwrap().clone());
    json!({"message": message})
}

/// So many fields that nobody reads.
fn fields(count: usize) -> String {
    (0..count).map(|n| format!(r#""k{n}":0,"#)).collect()
}

/// A process's memory, in kB.
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[tokio::test]
async fn an_odd_update_is_a_turn_or_a_400_and_never_a_500() {
    const DEPTH: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let (mut child, base) = hooked(folder.path(), &telegram).await;
    let doors = Doors::to(&base).await;
    let arrays = format!("{}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    let update = |id: &str, chat: &str, special: &str| {
        let from = r#""from":{"id":7,"is_bot":false,"first_name":"A"}"#;
        let chat = format!(r#""chat":{{"id":{chat},"type":"private"}}"#);
        format!(r#"{{"update_id":{id},"message":{{"message_id":3,"date":0,{from},{chat},{special}}}}}"#)
    };
    let text = |text: &str| format!(r#""text":{}"#, json!(text));

    // What has a chat gets an answer, whatever else is in it.
    let turns = [
        format!(r#""text":"2 margherita","z":{arrays}"#),
        format!(r#""text":"2 margherita","z":{objects}"#),
        format!(r#""text":{arrays}"#),
        format!(r#""text":"2 margherita","from":{objects}"#),
        r#""text":"2 margherita","z":1e400,"date":-1e400,"message_id":18446744073709551616"#.to_owned(),
        r#""text":"first","text":"2 margherita""#.to_owned(),
        format!(r#"{}"text":"2 margherita""#, fields(50_000)),
        r#""text":"a\ud800b \udc00""#.to_owned(),
        r#""text":"\u0000""#.to_owned(),
        r#""text":"2 marg\u0000herita""#.to_owned(),
        text(&format!("a{}", "\u{301}".repeat(1_000))),
        text(&format!("two a{}", "\u{301}".repeat(LONGEST_TEXT - 5))),
        text(&"\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}".repeat(100)),
        text("\u{202e}2 margherita\u{202c} \u{2066}and\u{200b} 1 xylophone\u{202e}"),
        text(&"x".repeat(4_096)),
        text(&"x".repeat(4_097)),
        text(&"🍕".repeat(4_097)),
    ];
    for (at, special) in turns.iter().enumerate() {
        let (chat, shown) = (100 + at as i64, special.chars().take(60).collect::<String>());
        telegram.meet(chat);
        let update = update(&(5_000_000 + at).to_string(), &chat.to_string(), special);
        for _ in 0..2 {
            assert_eq!(doors.hook(update.clone()).await, Some(200), "{shown}");
        }
        let reply = telegram.reply_within(chat, 0, ANSWERED_WITHIN).await;
        assert!(reply.is_some(), "no answer to {shown}");
    }
    // Bytes that are no UTF-8.
    telegram.meet(99);
    let mut bytes = update("5100000", "99", r#""text":"2 caf#, 1 margherit#""#).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'#').for_each(|byte| *byte = 0xe9);
    assert_eq!(doors.hook(bytes).await, Some(200));
    assert!(telegram.reply_within(99, 0, ANSWERED_WITHIN).await.is_some());

    // What has none that anybody could be answered in is acknowledged, or it would come for ever.
    for (at, chat) in
        ["9223372036854775808", "18446744073709551616", "1e400", &arrays, &objects].into_iter().enumerate()
    {
        let update = update(&(5_200_000 + at).to_string(), chat, r#""text":"2 margherita""#);
        assert_eq!(doors.hook(update).await, Some(200), "chat {}", &chat[..chat.len().min(60)]);
    }

    // What has no number is no update.
    let numbers = ["9223372036854775808", "18446744073709551616", "1e400", "null", &arrays, &objects];
    let numbered = numbers.map(|number| update(number, "7", r#""text":"2 margherita""#));
    let others = [String::new(), "null".to_owned(), "{}{}".to_owned(), arrays.clone(), objects.clone()];
    for body in numbered.into_iter().chain(others) {
        let shown = body.chars().take(60).collect::<String>();
        assert_eq!(doors.hook(body).await, Some(400), "{shown}");
    }
    assert_eq!(telegram.count(7), 0);
    doors.assert_none_failed().await;
    assert_eq!(end(&mut child).await, Some(0));
    telegram.assert_empty();
}

#[tokio::test]
async fn the_largest_things_are_answered_or_refused_while_others_are_served_and_leave_nothing_behind() {
    /// Somebody who writes all the while.
    const NEIGHBOUR: i64 = 8;
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let (mut child, base) = hooked(folder.path(), &telegram).await;
    let doors = Doors::to(&base).await;
    let said = |text: &str| json!({"id": uuid::Uuid::now_v7().to_string(), "text": text}).to_string();
    // Everything has been used before it is measured.
    sing(&base).await;
    for _ in 0..20 {
        telegram.ask(NEIGHBOUR, "how much is a margherita?").await;
    }
    let id = child.id().unwrap();
    let before = resident(id);

    let lines = "1 margherita\n";
    // Each is near to a name, so that the whole message is read once more as if it had been meant.
    let nearly = "1 marghenzo, 1 vegetarosa, 1 capricinta, 1 prosciumpo, ".repeat(50);
    // Each with what the page's door says to it, where that is not a turn.
    let texts = [
        ("a text of 1 MB", "x".repeat(1_000_000), Some(413)),
        ("an order of 10,000 lines", lines.repeat(10_000), Some(413)),
        ("an order as long as a message", lines.repeat(LONGEST_TEXT / lines.len()), None),
        ("names that are nearly right", nearly, None),
        ("nothing", String::new(), Some(400)),
    ];
    let over = Cell::new(false);
    let lot = async {
        for (at, (what, text, refusal)) in texts.iter().enumerate() {
            let chat = 100 + at as i64;
            telegram.raw_update(message(chat, &json!({"text": text})));
            let reply = telegram.reply_within(chat, 0, ANSWERED_WITHIN).await;
            assert!(reply.is_some(), "no answer to {what}");
            let answer = doors.page(said(text)).await;
            match refusal {
                None => assert_eq!(answer, Some(200), "{what}"),
                Some(refusal) if text.len() > 1_000 => {
                    assert!(answer.is_none_or(|answer| answer == *refusal), "{what}")
                }
                Some(refusal) => assert_eq!(answer, Some(*refusal), "{what}"),
            }
        }
        // More fields than a body can hold, at either door, and as many as it can.
        let crowded = fields(1_000_000);
        for answer in [
            doors.hook(format!(r#"{{{crowded}"update_id":6000000}}"#)).await,
            doors.page(format!("{{{crowded}{}", &said("2 margherita")[1..])).await,
        ] {
            assert!(answer.is_none_or(|answer| answer == 413), "{answer:?}");
        }
        telegram.meet(200);
        let update = message(200, &json!({"text": "2 margherita"})).to_string();
        let full = format!(r#"{{"update_id":6000001,{}{}"#, fields(90_000), &update[1..]);
        assert!(full.len() > hook::LONGEST_BODY * 8 / 10, "{} bytes", full.len());
        assert_eq!(doors.hook(full).await, Some(200));
        assert!(telegram.reply_within(200, 0, ANSWERED_WITHIN).await.is_some());
        assert_eq!(doors.page(format!("{{{}{}", fields(5_000), &said("2 margherita")[1..])).await, Some(200));
        assert_eq!(doors.hook(String::new()).await, Some(400));
        assert_eq!(doors.page(String::new()).await, Some(400));
        over.set(true);
    };
    let neighbour = async {
        let mut answers = 0;
        while !over.get() {
            let before = telegram.count(NEIGHBOUR);
            telegram.say(NEIGHBOUR, "how much is a margherita?");
            let answer = telegram.reply_within(NEIGHBOUR, before, ANSWERED_WITHIN).await;
            assert!(answer.is_some(), "who wrote meanwhile waits, after {answers} answers");
            answers += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answers
    };
    let ((), answers) = tokio::join!(lot, neighbour);
    telegram.wait_delivered().await;
    doors.assert_none_failed().await;
    let after = resident(id);
    println!("program: {before} kB before the largest things, {after} kB after; {answers} answers to somebody else");
    assert!(after <= before + MOST_GROWN, "the memory grew from {before} kB to {after} kB");
    assert_eq!(end(&mut child).await, Some(0));
    telegram.assert_empty();
}
