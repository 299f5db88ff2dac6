//! The real program, given what it should not be given: each gets a clear answer, nothing is lost, nobody else is
//! disturbed. And the plain ways in: the command line, the health addresses, a start.

use std::{
    cell::Cell,
    fs,
    net::TcpListener,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use theusual::channel::{LONGEST_TEXT, telegram::hook};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use self::support::telegram::{FakeTelegram, TOKEN};

mod support;

/// How long a start may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(30);

const SECRET: &str = "a-secret_of-1";

/// How long anybody may wait for an answer, whatever they sent or somebody else did. The tests' build reads a long text
/// some twenty times slower than the one that ships.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// By how much the program's memory may have grown when the largest things that anybody can send are behind it, in kB:
/// room for one or two of them, and for what the database keeps of its pages.
const MOST_GROWN: u64 = 20_000;

fn usual(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usual"));
    command.current_dir(folder).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["DATABASE_URL", "TELOXIDE_TOKEN", "TELOXIDE_API_URL", "USUAL_TELEGRAM_SECRET", "USUAL_PUBLIC_URL"] {
        command.env_remove(name);
    }
    command.env("USUAL_LISTEN", format!("127.0.0.1:{}", free_port()));
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs to the end, which must be a refusal; what it said.
async fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8(stderr).unwrap();
    said.lines().filter(|line| line.starts_with("usual: ")).collect::<Vec<_>>().join("\n")
}

async fn ran(command: &mut Command, input: &str) -> (Option<i32>, String) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// A program that serves; its base address and the link of the first sign-in.
async fn serving(command: &mut Command) -> (Child, String, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut base = None;
    let read = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the program did not start");
            let line = line.trim();
            if let Some(address) = line.strip_prefix("chat ") {
                base = Some(address.trim().trim_end_matches('/').to_owned());
            }
            if line.contains("/console/welcome?key=") {
                return line.to_owned();
            }
        }
    };
    let link = tokio::time::timeout(PATIENCE, read).await.expect("the program did not start");
    // A pipe that nobody reads would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, base.unwrap(), link)
}

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
struct Sender {
    client: reqwest::Client,
    base: String,
    /// A visitor's.
    cookie: String,
}

impl Sender {
    async fn to(base: &str) -> Sender {
        // A connection of its own for each: the one on which a body was refused is closed, while the next may begin.
        let client = reqwest::Client::builder().timeout(ANSWERED_WITHIN).pool_max_idle_per_host(0).build().unwrap();
        let page = client.get(format!("{base}/")).send().await.unwrap();
        let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Sender { client, base: base.to_owned(), cookie }
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

/// Ends a program as a service manager does.
async fn end(mut child: Child) {
    std::process::Command::new("kill").args(["-TERM", &child.id().unwrap().to_string()]).status().unwrap();
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(usual(folder.path()).env("USUAL_LISTEN", &address)).await;
    assert_eq!(
        said,
        format!("usual: another program listens on {address}; stop it, or choose another port with USUAL_LISTEN")
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    fs::write(&path, "my shopping list, which is no database at all").unwrap();
    let said = refused(usual(folder.path()).env("DATABASE_URL", "sqlite://shop.db")).await;
    assert!(said.contains("shop.db is not a SQLite database; move it away"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "my shopping list, which is no database at all");
    let said = refused(usual(folder.path()).env("DATABASE_URL", "mysql://localhost/x")).await;
    assert!(said.contains("write sqlite://path/to/usual.db"), "{said}");
}

#[tokio::test]
async fn settings_are_checked_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(usual(folder.path()).env("USUAL_GATHR_MS", "1")).await;
    assert!(said.contains("USUAL_GATHR_MS is not known; did you mean USUAL_GATHER_MS?"), "{said}");
    let said = refused(usual(folder.path()).env("USUAL_TELEGRAM_SECRET", "x")).await;
    assert!(said.contains("USUAL_TELEGRAM_SECRET is set, but TELOXIDE_TOKEN is not"), "{said}");
    let said = refused(usual(folder.path()).env("TELOXIDE_TOKEN", "not a token")).await;
    assert!(said.contains("TELOXIDE_TOKEN is not a bot's token") && !said.contains("not a token;"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().filter(|e| e.as_ref().unwrap().path().is_file()).count(), 0);
}

#[tokio::test]
async fn a_token_that_telegram_does_not_know_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let mut command = usual(folder.path());
    command.env("TELOXIDE_TOKEN", "1:not-this-one").env("TELOXIDE_API_URL", telegram.url());
    let said = refused(&mut command).await;
    assert!(said.contains("TELOXIDE_TOKEN is not accepted by Telegram") && said.contains("@BotFather"), "{said}");
    assert!(!said.contains("not-this-one"), "the token is shown");
    telegram.abandon();
}

#[tokio::test]
async fn catalogues_are_checked_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.json");
    fs::write(
        &file,
        r#"{ "merchant": "A", "currency": "EUR", "languages": ["en"],
  "products": [
    { "id": "tea", "category": "drink", "names": {"en": ["Tea"]}, "price": "2,50" },
    { "id": "tea", "category": "drink", "names": {"en": ["Green tea"]}, "price": "2.50", "option_groups": ["sizes"] } ],
  "option_groups": [ { "id": "size", "names": {"en": ["size"]}, "choices": [ {"id": "large", "names": {"en": ["large"]}, "price": "1.00"} ] } ] }"#,
    )
    .unwrap();
    let (code, said) = ran(usual(folder.path()).args(["catalog", "check", "catalog.json"]), "").await;
    assert_eq!(code, Some(1));
    for wanted in ["catalog.json:3:", "2,50", "catalog.json:4:", "stands twice", "did you mean \"size\"?"] {
        assert!(said.contains(wanted), "{wanted} is missing in\n{said}");
    }
    let (code, _) = ran(usual(folder.path()).args(["catalog", "import", "catalog.json"]), "").await;
    assert_eq!(code, Some(1), "what has errors is not imported");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/petshop/catalog.json");
    let (code, said) = ran(usual(folder.path()).args(["catalog", "check"]).arg(&sample), "").await;
    assert_eq!((code, said.contains("fine")), (Some(0), true), "{said}");
    // What is imported comes out again the same.
    let import = ["catalog", "import", "--shop", "pets"];
    let (code, _) = ran(usual(folder.path()).args(import).arg(&sample), "").await;
    assert_eq!(code, Some(0));
    let (code, exported) = ran(usual(folder.path()).args(["catalog", "export"]), "").await;
    assert_eq!(code, Some(0));
    let read = |text: &str| theusual::catalog::read::read(text).unwrap().0;
    assert!(read(&exported) == read(&fs::read_to_string(&sample).unwrap()));
}

#[tokio::test]
async fn pipes_go_on_after_a_bad_line() {
    let folder = tempfile::tempdir().unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria");
    let input =
        "{\"id\": \"7\", \"text\": \"two large margheritas no basil\"}\nnonsense\n{\"id\": 8, \"text\": \"person\"}\n";
    let understand = ["understand", "--catalog"];
    let (code, said) = ran(usual(folder.path()).args(understand).arg(samples.join("catalog.json")), input).await;
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (Some(0), 3), "{said}");
    assert_eq!((&lines[0]["id"], &lines[0]["intent"]), (&json!("7"), &json!("order")));
    assert_eq!(lines[0]["lines"][0]["product"], "margherita");
    assert_eq!(lines[0]["lines"][0]["quantity"], 2);
    assert!(lines[1]["id"].is_null() && lines[1]["error"].is_string());
    assert_eq!((&lines[2]["id"], &lines[2]["intent"]), (&json!(8), &json!("human")));
    let questions =
        "{\"id\": \"1\", \"text\": \"do you have gift cards?\"}\n{\"id\": \"2\", \"text\": \"two margheritas\"}\n";
    let (code, said) =
        ran(usual(folder.path()).args(["answer", "--faq"]).arg(samples.join("faq.json")), questions).await;
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (Some(0), 2), "{said}");
    assert!(lines[0]["topic"].as_str().is_some_and(|topic| topic.contains("gift")), "{said}");
    assert!(lines[1]["topic"].is_null(), "{said}");
}

#[tokio::test]
async fn the_terminal_takes_an_order_and_a_second_process_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = ran(usual(folder.path()).arg("chat"), "two margheritas for pickup\nMarta\nyes\nyes\n").await;
    assert_eq!(code, Some(0));
    assert!(said.contains("Your order is number 1, €19.00"), "{said}");
    assert!(said.contains("Number 1 is placed already"), "{said}");
    let (_, said) = ran(usual(folder.path()).arg("chat"), "where is my order?\n").await;
    assert!(said.contains("Number 1"), "{said}");
}

#[tokio::test]
async fn telegram_gets_clear_answers_to_everything() {
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let (mut child, base) = hooked(folder.path(), &telegram).await;
    let client = reqwest::Client::new();
    let hook = format!("{base}/webhooks/pizzeria/telegram");

    // Forged: nothing is read, nothing is said.
    let update = json!({"update_id": 1, "message": {"message_id": 1, "date": 0, "text": "hi",
        "from": {"id": 5, "is_bot": false, "first_name": "A"}, "chat": {"id": 5, "type": "private", "first_name": "A"}}});
    for secret in [None, Some("wrong"), Some("a-secret_of-"), Some("a-secret_of-12")] {
        let mut request = client.post(&hook).json(&update);
        if let Some(secret) = secret {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        assert_eq!(request.send().await.unwrap().status(), 401, "{secret:?}");
    }
    let other = client.post(format!("{base}/webhooks/petshop/telegram")).json(&update);
    assert_eq!(other.send().await.unwrap().status(), 404);
    assert_eq!(telegram.count(5), 0);

    // Not JSON, and far too much of it.
    let authentic = |body: String| {
        client
            .post(&hook)
            .header("X-Telegram-Bot-Api-Secret-Token", SECRET)
            .header("content-type", "application/json")
            .body(body)
    };
    assert_eq!(authentic("{".to_owned()).send().await.unwrap().status(), 400);
    let huge = authentic("x".repeat(3 << 20)).send().await;
    assert!(huge.is_err() || huge.unwrap().status() == 413);

    // Whatever a phone can send gets one answer.
    let chat = json!({"id": 7, "type": "private", "first_name": "A"});
    let from = json!({"id": 7, "is_bot": false, "first_name": "A", "language_code": "nb"});
    let message = |what: Value| {
        let mut message = json!({"message_id": 3, "date": 0, "from": from, "chat": chat});
        message.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        json!({"message": message})
    };
    let voice = json!({"voice": {"file_id": "a", "file_unique_id": "b", "duration": 3}});
    let sticker = json!({"sticker": {"file_id": "a", "file_unique_id": "b", "type": "regular", "width": 1, "height": 1,
        "is_animated": false, "is_video": false}});
    let long = json!({"text": "x".repeat(900_000)});
    let sent = [voice, sticker, json!({"text": "🎉🎉"}), long, json!({"text": "\u{0}\u{202e}…"})];
    for (answers, what) in sent.into_iter().enumerate() {
        telegram.raw_update(message(what));
        assert!(!telegram.wait_reply(7, answers).await.text.is_empty());
    }
    // An unknown kind is taken and needs no answer; the next message gets its own.
    let unknown = json!({"update_id": 1_000_000, "something_new": {"chat": chat, "x": 1}}).to_string();
    for _ in 0..2 {
        assert_eq!(authentic(unknown.clone()).send().await.unwrap().status(), 200);
    }
    let reply = telegram.ask(8, "2 margherita").await;
    assert!(reply.contains("2 × Margherita"), "{reply}");

    // A clean end.
    let id = child.id().unwrap();
    std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap();
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    telegram.assert_empty();
}

#[tokio::test]
async fn an_odd_update_is_a_turn_or_a_400_and_never_a_500() {
    const DEPTH: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let (child, base) = hooked(folder.path(), &telegram).await;
    let sender = Sender::to(&base).await;
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
            assert_eq!(sender.hook(update.clone()).await, Some(200), "{shown}");
        }
        let reply = telegram.reply_within(chat, 0, ANSWERED_WITHIN).await;
        assert!(reply.is_some(), "no answer to {shown}");
    }
    // Bytes that are no UTF-8.
    telegram.meet(99);
    let mut bytes = update("5100000", "99", r#""text":"2 caf#, 1 margherit#""#).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'#').for_each(|byte| *byte = 0xe9);
    assert_eq!(sender.hook(bytes).await, Some(200));
    assert!(telegram.reply_within(99, 0, ANSWERED_WITHIN).await.is_some());

    // What has none that anybody could be answered in is acknowledged, or it would come for ever.
    for (at, chat) in
        ["9223372036854775808", "18446744073709551616", "1e400", &arrays, &objects].into_iter().enumerate()
    {
        let update = update(&(5_200_000 + at).to_string(), chat, r#""text":"2 margherita""#);
        assert_eq!(sender.hook(update).await, Some(200), "chat {}", &chat[..chat.len().min(60)]);
    }

    // What has no number is no update.
    let numbers = ["9223372036854775808", "18446744073709551616", "1e400", "null", &arrays, &objects];
    let numbered = numbers.map(|number| update(number, "7", r#""text":"2 margherita""#));
    let others = [String::new(), "null".to_owned(), "{}{}".to_owned(), arrays.clone(), objects.clone()];
    for body in numbered.into_iter().chain(others) {
        let shown = body.chars().take(60).collect::<String>();
        assert_eq!(sender.hook(body).await, Some(400), "{shown}");
    }
    assert_eq!(telegram.count(7), 0);
    sender.assert_none_failed().await;
    end(child).await;
    telegram.assert_empty();
}

#[tokio::test]
async fn the_largest_things_are_answered_or_refused_while_others_are_served_and_leave_nothing_behind() {
    /// Somebody who writes all the while.
    const NEIGHBOUR: i64 = 8;
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let (child, base) = hooked(folder.path(), &telegram).await;
    let sender = Sender::to(&base).await;
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
            let answer = sender.page(said(text)).await;
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
            sender.hook(format!(r#"{{{crowded}"update_id":6000000}}"#)).await,
            sender.page(format!("{{{crowded}{}", &said("2 margherita")[1..])).await,
        ] {
            assert!(answer.is_none_or(|answer| answer == 413), "{answer:?}");
        }
        telegram.meet(200);
        let update = message(200, &json!({"text": "2 margherita"})).to_string();
        let full = format!(r#"{{"update_id":6000001,{}{}"#, fields(90_000), &update[1..]);
        assert!(full.len() > hook::LONGEST_BODY * 8 / 10, "{} bytes", full.len());
        assert_eq!(sender.hook(full).await, Some(200));
        assert!(telegram.reply_within(200, 0, ANSWERED_WITHIN).await.is_some());
        assert_eq!(sender.page(format!("{{{}{}", fields(5_000), &said("2 margherita")[1..])).await, Some(200));
        assert_eq!(sender.hook(String::new()).await, Some(400));
        assert_eq!(sender.page(String::new()).await, Some(400));
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
    sender.assert_none_failed().await;
    let after = resident(id);
    println!("program: {before} kB before the largest things, {after} kB after; {answers} answers to somebody else");
    assert!(after <= before + MOST_GROWN, "the memory grew from {before} kB to {after} kB");
    end(child).await;
    telegram.assert_empty();
}

/// What a customer says who wants to be known to nobody but the shop.
const CANARIES: [&str; 4] = ["2 margherita", "deliver to Canary Wharf Street 5, 0155", "Zaphodine", "yes"];

/// Says it all on the shop's page.
async fn sing(base: &str) {
    let client = reqwest::Client::new();
    let page = client.get(format!("{base}/")).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for (n, text) in CANARIES.into_iter().enumerate() {
        let said = client
            .post(format!("{base}/chat/pizzeria/messages"))
            .header("cookie", &cookie)
            .header("origin", base)
            .header("content-type", "application/json")
            .body(json!({"id": format!("0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f50{n}"), "text": text}).to_string())
            .send();
        assert_eq!(said.await.unwrap().status(), 200, "{text}");
    }
}

/// Waits until the program answers.
async fn ready(base: &str) {
    let answers = async {
        while reqwest::get(format!("{base}/readyz")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answers).await.unwrap();
}

#[tokio::test]
async fn the_log_holds_no_word_of_a_customer() {
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let log = folder.path().join("log");
    let mut child = usual(folder.path())
        .env("USUAL_LISTEN", format!("127.0.0.1:{port}"))
        .env("USUAL_LOG", "debug")
        .env("TELOXIDE_TOKEN", TOKEN)
        .env("TELOXIDE_API_URL", telegram.url())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    ready(&base).await;
    sing(&base).await;
    std::process::Command::new("kill").args(["-TERM", &child.id().unwrap().to_string()]).status().unwrap();
    tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    let log = fs::read_to_string(log).unwrap();
    let turns = log.lines().filter(|line| line.contains(" turn merchant=pizzeria conversation="));
    assert!(turns.count() >= 3, "each turn is a line: {log}");
    for canary in ["margherita", "Canary", "Zaphodine", "0155", TOKEN] {
        let found = log.lines().find(|line| line.contains(canary));
        assert!(found.is_none(), "{canary} is in the log: {found:?}");
    }
}

#[tokio::test]
async fn out_of_descriptors_it_waits_and_goes_on() {
    // Its database, its pages' readers and its listener fit; a hundred connections do not.
    const DESCRIPTORS: usize = 64;
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\" serve"), env!("CARGO_BIN_EXE_usual")])
        .current_dir(folder.path())
        .env("USUAL_LISTEN", &address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(2)).build().unwrap();
    let answers =
        async || client.get(format!("http://{address}/healthz")).send().await.is_ok_and(|a| a.status() == 200);
    let at_last = async || {
        while !answers().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, at_last()).await.expect("it starts");
    let mut held = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        held.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    assert!(!answers().await, "there was no descriptor left");
    drop(held);
    tokio::time::timeout(PATIENCE, at_last()).await.expect("it answers again");
    sing(&format!("http://{address}")).await;
    assert!(child.try_wait().unwrap().is_none(), "it went on all the while");
}

#[tokio::test]
async fn a_machine_can_read_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let mut command = usual(folder.path());
    let _child = command
        .env("USUAL_LISTEN", format!("127.0.0.1:{port}"))
        .env("USUAL_LOG_FORMAT", "json")
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    ready(&base).await;
    sing(&base).await;
    let log = fs::read_to_string(&log).unwrap();
    // Around it stands what a person is told at the start.
    let objects: Vec<Value> =
        log.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    let turns: Vec<&Value> = objects.iter().filter(|line| line["message"] == "turn").collect();
    assert_eq!(turns.len(), CANARIES.len(), "a line a turn: {log}");
    for turn in turns {
        assert_eq!(
            (&turn["level"], &turn["merchant"], &turn["channel"]),
            (&json!("INFO"), &json!("pizzeria"), &json!("web"))
        );
        assert!(turn["seq"].is_i64() && turn["conversation"].is_string() && turn["timestamp"].is_string(), "{turn}");
    }
}

#[tokio::test]
async fn the_metrics_tell_of_work_and_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (_child, base, _) = serving(&mut usual(folder.path())).await;
    let client = reqwest::Client::new();
    sing(&base).await;
    let ask = |base: &str, headers: &[(&str, &str)]| {
        let mut request = client.get(format!("{base}/metrics"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send()
    };
    let text = ask(&base, &[]).await.unwrap().text().await.unwrap();
    for line in [
        "usual_arrival_seconds_count{channel=\"web\"} 4",
        "usual_turns_total{kind=\"arrival\",outcome=\"stored\"} 4",
        "usual_aside_messages 0",
        "usual_writer_queue 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    let bytes = text.lines().find_map(|line| line.strip_prefix("usual_database_bytes ")).unwrap();
    assert!(bytes.parse::<u64>().unwrap() > 4_096, "{bytes}");
    for canary in ["margherita", "Canary", "Zaphodine", "0155", "pizzeria"] {
        assert!(!text.contains(canary), "{canary} is in\n{text}");
    }
    // From elsewhere, through a proxy on this machine.
    assert_eq!(ask(&base, &[("x-forwarded-for", "198.51.100.7")]).await.unwrap().status(), 403);
    // Where the world sees the shop, and where a token is set, it is asked for.
    for (name, value) in [("USUAL_PUBLIC_URL", "https://order.example.com"), ("USUAL_METRICS_TOKEN", SECRET)] {
        let folder = tempfile::tempdir().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = usual(folder.path());
        let _child = command.env("USUAL_LISTEN", &listen).env(name, value).spawn().unwrap();
        let base = format!("http://{listen}");
        let ready = async {
            while reqwest::get(format!("{base}/readyz")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.unwrap();
        assert_eq!(ask(&base, &[]).await.unwrap().status(), 403, "{name}");
        assert_eq!(ask(&base, &[("authorization", "Bearer wrong")]).await.unwrap().status(), 403, "{name}");
        let token = format!("Bearer {SECRET}");
        let right = ask(&base, &[("authorization", &token)]).await.unwrap().status();
        assert_eq!(right, if name == "USUAL_METRICS_TOKEN" { 200 } else { 403 }, "{name}");
    }
}

#[tokio::test]
async fn the_doctor_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let listen = format!("127.0.0.1:{}", free_port());
    let command = || {
        let mut command = usual(folder.path());
        command.env("USUAL_LISTEN", &listen).env("TELOXIDE_TOKEN", TOKEN).env("TELOXIDE_API_URL", telegram.url());
        command
    };
    let doctor = async || ran(command().arg("doctor"), "").await;
    let has =
        |said: &str, line: &str| assert!(said.lines().any(|l| l.starts_with(line)), "{line:?} is missing in\n{said}");

    let (code, said) = doctor().await;
    assert_eq!(code, Some(0), "{said}");
    has(&said, "note  database  data/usual.db is not there yet");
    has(&said, "note  address   nobody listens");
    assert!(!folder.path().join("data").exists(), "looking makes nothing");

    let (mut child, ..) = serving(&mut command()).await;
    let (code, said) = doctor().await;
    assert_eq!(code, Some(0), "{said}");
    for line in [
        "ok    database  data/usual.db: ",
        "ok    disk      ",
        "ok    shop      pizzeria: ",
        "ok    turns     nothing is kept aside",
        "ok    address   the shop is open on ",
        "ok    telegram  messages are fetched",
        "note  telegram  messages go out as fast as they come, beyond Telegram's limits; USUAL_LIMITS=on",
        "ok    telegram  no messages wait there",
        "ok    clock     agrees",
    ] {
        has(&said, line);
    }
    std::process::Command::new("kill").args(["-TERM", &child.id().unwrap().to_string()]).status().unwrap();
    tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();

    // Somebody pointed the bot elsewhere.
    let call = format!("{}/bot{TOKEN}/setWebhook", telegram.url().to_string().trim_end_matches('/'));
    let elsewhere = json!({"url": "https://elsewhere.example/hook", "secret_token": SECRET, "max_connections": 40});
    assert_eq!(reqwest::Client::new().post(call).json(&elsewhere).send().await.unwrap().status(), 200);
    let (code, said) = doctor().await;
    assert_eq!(code, Some(1), "{said}");
    has(&said, "FIX   telegram  messages are posted to https://elsewhere.example/hook; start `usual serve`");
    let (_, said) = ran(command().arg("doctor").env("USUAL_TELEGRAM_SECRET", SECRET), "").await;
    has(&said, "FIX   telegram  Telegram posts to https addresses alone; set USUAL_PUBLIC_URL");

    // Another program sits on the port, and the database is none.
    let _other = TcpListener::bind(&listen).unwrap();
    fs::write(folder.path().join("data/usual.db"), "Dear shop, ".repeat(50)).unwrap();
    let (code, said) = ran(usual(folder.path()).env("USUAL_LISTEN", "127.0.0.1:1").arg("doctor"), "").await;
    assert_eq!(code, Some(1), "{said}");
    has(&said, "FIX   database  data/usual.db is not a SQLite database");
}

#[tokio::test]
async fn a_backup_is_made_under_load_and_put_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, base, _) = serving(&mut usual(folder.path())).await;
    let acknowledged = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let writing = tokio::spawn(write_for_ever(base.clone(), acknowledged.clone()));
    let stored = || acknowledged.load(std::sync::atomic::Ordering::SeqCst);
    while stored() < 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = stored();
    let (code, said) = ran(usual(folder.path()).args(["backup", "copy.db"]), "").await;
    assert_eq!(code, Some(0), "{said}");
    assert!(stored() > before, "customers were served meanwhile");
    let arrivals = rows_of(&said, "inbox");
    assert!((before..=stored()).contains(&arrivals), "{before} {arrivals} {}", stored());
    // A backup never replaces a file, and a damaged or foreign one is never put in place.
    assert!(refused(usual(folder.path()).args(["backup", "copy.db"])).await.contains("exists already"));
    let mut broken = fs::read(folder.path().join("copy.db")).unwrap();
    let middle = broken.len() / 2;
    broken[middle..middle + 4_096].fill(0x5a);
    fs::write(folder.path().join("broken.db"), broken).unwrap();
    fs::write(folder.path().join("letter.db"), "Dear shop, ".repeat(50)).unwrap();
    let in_use = refused(usual(folder.path()).args(["restore", "copy.db"])).await;
    assert!(in_use.contains("is in use; stop the program that has it open"), "{in_use}");
    writing.abort();
    std::process::Command::new("kill").args(["-TERM", &child.id().unwrap().to_string()]).status().unwrap();
    tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    let last = fs::read(folder.path().join("data/usual.db")).unwrap();
    assert!(refused(usual(folder.path()).args(["restore", "broken.db"])).await.contains("is damaged"));
    assert!(refused(usual(folder.path()).args(["restore", "letter.db"])).await.contains("is not a SQLite database"));
    assert!(refused(usual(folder.path()).args(["restore", "none.db"])).await.contains("none.db"));
    assert!(fs::read(folder.path().join("data/usual.db")).unwrap() == last, "a refusal touches nothing");
    let (code, said) = ran(usual(folder.path()).args(["restore", "copy.db"]), "").await;
    assert_eq!((code, rows_of(&said, "inbox")), (Some(0), arrivals), "{said}");
    let kept = said.lines().find_map(|line| line.strip_prefix("what was there before is ")).unwrap();
    let of_kept = format!("sqlite://{kept}");
    let (_, said) = ran(usual(folder.path()).args(["backup", "kept.db"]).env("DATABASE_URL", of_kept), "").await;
    assert!(rows_of(&said, "inbox") >= stored(), "nothing that was acknowledged is lost: {said}");
    // It opens, and goes on where the copy was made.
    let (mut child, base, _) = serving(&mut usual(folder.path())).await;
    assert_eq!(reqwest::get(format!("{base}/readyz")).await.unwrap().status(), 200);
    sing(&base).await;
    // What a killed program left of a database that is gone is not played into the one that is put back.
    child.kill().await.unwrap();
    fs::remove_file(folder.path().join("data/usual.db")).unwrap();
    assert!(fs::metadata(folder.path().join("data/usual.db-wal")).unwrap().len() > 0, "the log of what was said");
    fs::set_permissions(folder.path().join("copy.db"), std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    let (code, said) = ran(usual(folder.path()).args(["restore", "copy.db"]), "").await;
    assert_eq!(code, Some(0), "{said}");
    let (_, said) = ran(usual(folder.path()).args(["backup", "again.db"]), "").await;
    assert_eq!(rows_of(&said, "inbox"), arrivals, "{said}");
    let mode = fs::metadata(folder.path().join("data/usual.db")).unwrap().permissions();
    assert!(!mode.readonly(), "the copy's own mode is not taken over");
}

/// A customer who writes again as soon as the last message is acknowledged.
async fn write_for_ever(base: String, acknowledged: std::sync::Arc<std::sync::atomic::AtomicU32>) {
    let client = reqwest::Client::new();
    let page = client.get(format!("{base}/")).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for n in 0_u64.. {
        let said = client
            .post(format!("{base}/chat/pizzeria/messages"))
            .header("cookie", &cookie)
            .header("origin", &base)
            .header("content-type", "application/json")
            .body(
                json!({"id": uuid::Uuid::from_u64_pair(0x0192_f3a4_b5c6_7d8e, 1 << 63 | n).to_string(), "text": "a cola"})
                    .to_string(),
            )
            .send();
        if said.await.is_ok_and(|answer| answer.status() == 200) {
            acknowledged.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
}

/// How many rows of a table a copy has, by what the program said.
fn rows_of(said: &str, table: &str) -> u32 {
    let rows = said.split("rows: ").nth(1).unwrap().lines().next().unwrap();
    let count = rows.split(", ").find_map(|row| row.strip_prefix(table)?.strip_prefix(' '));
    count.unwrap_or("0").parse().unwrap()
}

#[tokio::test]
async fn the_page_refuses_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let (_child, base, link) = serving(&mut usual(folder.path())).await;
    assert!(link.starts_with(&format!("{base}/console/welcome?key=")), "{link}");
    // A connection of its own for each: the one on which a body was refused is closed, while the next may begin.
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
    let client = plain.build().unwrap();
    for address in ["/healthz", "/readyz", "/", "/shops/petshop"] {
        assert_eq!(client.get(format!("{base}{address}")).send().await.unwrap().status(), 200, "{address}");
    }
    assert_eq!(client.get(format!("{base}/shops/none")).send().await.unwrap().status(), 404);
    let console = client.get(format!("{base}/console")).send().await.unwrap();
    assert!(console.status().is_redirection() || console.status() == 401, "{}", console.status());
    let page = client.get(format!("{base}/")).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let post = |body: String, origin: &str| {
        client
            .post(format!("{base}/chat/pizzeria/messages"))
            .header("cookie", &cookie)
            .header("origin", origin)
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let text = |text: &str| json!({"id": "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f506", "text": text}).to_string();
    assert_eq!(post(text("hello"), "https://elsewhere.example").await.unwrap().status(), 403);
    assert_eq!(post("{".to_owned(), &base).await.unwrap().status(), 400);
    assert_eq!(post(text(&"x".repeat(20_000)), &base).await.unwrap().status(), 413);
    // The body may be refused before it is sent whole.
    let huge = post(text(&"x".repeat(1 << 20)), &base).await;
    assert!(huge.is_err() || huge.unwrap().status() == 413);
    assert_eq!(post(text("2 margherita"), &base).await.unwrap().status(), 200);
    assert_eq!(post(text("2 margherita"), &base).await.unwrap().status(), 200, "a repeat is taken and changes nothing");
}
