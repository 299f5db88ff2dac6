//! The real program, given what it should not be given: each gets a clear answer, nothing is lost, nobody else is
//! disturbed. And the plain ways in: the command line, the health addresses, a start.

use std::{fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};

use self::support::{
    command::{end, ran, refused, serving, usual, usual_after},
    sender::sing,
    shop::{PATIENCE, free_port},
    telegram::{FakeTelegram, TOKEN},
};

mod support;

const SECRET: &str = "a-secret_of-1";

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
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let mut command = usual(folder.path());
    command
        .env("USUAL_LISTEN", format!("127.0.0.1:{port}"))
        .env("USUAL_PUBLIC_URL", &base)
        .env("TELOXIDE_TOKEN", TOKEN)
        .env("TELOXIDE_API_URL", telegram.url())
        .env("USUAL_TELEGRAM_SECRET", SECRET);
    let (mut child, ..) = serving(&mut command).await;
    telegram.wait_webhook(true).await;
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
    assert_eq!(end(&mut child).await, Some(0));
    telegram.assert_empty();
}

#[tokio::test]
async fn out_of_descriptors_it_waits_and_goes_on() {
    // Its database, its pages' readers and its listener fit; a hundred connections do not.
    const DESCRIPTORS: usize = 64;
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut child = usual_after(&format!("ulimit -n {DESCRIPTORS}"), folder.path())
        .env("USUAL_LISTEN", &address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
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
    assert_eq!(end(&mut child).await, Some(0));
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
