//! What whoever runs a shop sees of it: the doctor, the metrics, the log. They say what is wrong and what to do about
//! it, and tell nobody who the customers are, what they said, or how to get in.

use std::{fs, net::TcpListener, path::Path, process::Stdio};

use reqwest::StatusCode;
use serde_json::{Value, json};
use theusual::{moment::Span, work::now};
use tokio::process::{Child, Command};
use url::Url;

use self::support::{
    command::{end, ran, ready, refused, serving, usual, usual_after},
    place::Place,
    sender::{CANARIES, STAFF, Sender, cookie_of, new_id, sing},
    shop::{LOOK_EVERY, PATIENCE, Printed, Program, free_port, metrics, number},
    telegram::{FakeTelegram, TOKEN, Trouble},
};

mod support;

const SECRET: &str = "a-secret_of-1";

/// What is in no output, wherever it was set.
const PASSWORD: &str = "wombat-mitten-17";

/// Where nobody listens: what is sent there fails at once.
const NOBODY: &str = "127.0.0.1:1";

/// A database with a shop in it, and no program that serves it.
async fn import(folder: &Path, address: &str) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria/catalog.json");
    let mut command = usual(folder);
    command.args(["catalog", "import", "--shop", "pizzeria"]).arg(sample).env("DATABASE_URL", address);
    let (code, said) = ran(&mut command, "").await;
    assert_eq!(code, Some(0), "{said}");
}

/// What the doctor says, and its exit code.
async fn doctor(folder: &Path, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    ran(usual(folder).arg("doctor").envs(settings.iter().copied()), "").await
}

/// One of the doctor's lines begins like this.
fn has(said: &str, line: &str) {
    assert!(said.lines().any(|found| found.starts_with(line)), "{line:?} is missing in\n{said}");
}

/// How many things there are to fix.
fn fixes(said: &str) -> usize {
    said.lines().filter(|line| line.starts_with("FIX ")).count()
}

/// Tells Telegram to post updates there.
async fn point_bot_at(telegram: &FakeTelegram, url: &str) {
    let call = format!("{}/bot{TOKEN}/setWebhook", telegram.url());
    let hook = json!({"url": url, "secret_token": SECRET, "max_connections": 40});
    assert_eq!(reqwest::Client::new().post(call).json(&hook).send().await.unwrap().status(), 200);
}

/// A message in the outbox that was said so long ago.
async fn put(place: &Place, seq: i64, age: Span, failed: bool) {
    let (at, failed) = (now().0 - age.0, i64::from(failed));
    let message = format!(
        "INSERT INTO message (merchant_id, conversation_id, seq, author, kind, body, at) \
         VALUES ('pizzeria', 'somebody', {seq}, 'bot', 'text', 'Your order is ready', {at})"
    );
    let outbox = format!(
        "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, failed) \
         VALUES ('pizzeria', 'somebody', {seq}, 'telegram', {at}, 0, {failed})"
    );
    place.run(&message, &[]).await;
    place.run(&outbox, &[]).await;
}

#[tokio::test]
async fn the_doctor_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let telegram = FakeTelegram::start().await;
    let listen = format!("127.0.0.1:{}", free_port());
    let settings = [("USUAL_LISTEN", &*listen), ("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", telegram.url())];

    let (code, said) = doctor(folder.path(), &settings).await;
    assert_eq!(code, Some(0), "{said}");
    has(&said, "note  database  data/usual.db is not there yet");
    has(&said, "note  address   nobody listens");
    assert!(!folder.path().join("data").exists(), "looking makes nothing");

    let (mut child, ..) = serving(usual(folder.path()).envs(settings)).await;
    let (code, said) = doctor(folder.path(), &settings).await;
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
    assert_eq!(end(&mut child).await, Some(0));

    // Somebody pointed the bot elsewhere.
    point_bot_at(&telegram, "https://elsewhere.example/hook").await;
    let (code, said) = doctor(folder.path(), &settings).await;
    assert_eq!(code, Some(1), "{said}");
    has(&said, "FIX   telegram  messages are posted to https://elsewhere.example/hook; start `usual serve`");
    let posted = [&settings[..], &[("USUAL_TELEGRAM_SECRET", SECRET)]].concat();
    let (code, said) = doctor(folder.path(), &posted).await;
    assert_eq!(code, Some(1), "{said}");
    has(&said, "FIX   telegram  Telegram posts to https addresses alone; set USUAL_PUBLIC_URL");

    // Another program sits on the port, and the database is none.
    fs::write(folder.path().join("data/usual.db"), "Dear shop, ".repeat(50)).unwrap();
    let taken = telegram.url().trim_start_matches("http://");
    let (code, said) = doctor(folder.path(), &[("USUAL_LISTEN", taken)]).await;
    assert_eq!((code, fixes(&said)), (Some(1), 2), "{said}");
    has(&said, "FIX   database  data/usual.db is not a SQLite database");
    has(&said, &format!("FIX   address   something listens on {taken} and is no open shop"));
    telegram.assert_empty();
}

#[tokio::test]
async fn the_doctor_tells_what_waits_at_telegram_and_why() {
    let (folder, place, telegram) = (tempfile::tempdir().unwrap(), Place::in_file(), FakeTelegram::start().await);
    let address = place.address();
    import(folder.path(), &address).await;
    let fetched = [("DATABASE_URL", &*address), ("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", telegram.url())];
    telegram.say(7, "2 margherita");
    let (code, said) = doctor(folder.path(), &fetched).await;
    assert_eq!((code, fixes(&said)), (Some(0), 0), "{said}");
    has(&said, "ok    telegram  messages are fetched");
    has(&said, "note  telegram  1 messages wait there and come with the next start");

    // What is posted does not arrive.
    let public = format!("https://{NOBODY}");
    let hook = format!("{public}/webhooks/pizzeria/telegram");
    let posted = [&fetched[..], &[("USUAL_TELEGRAM_SECRET", SECRET), ("USUAL_PUBLIC_URL", &*public)]].concat();
    let (code, said) = doctor(folder.path(), &posted).await;
    assert_eq!(code, Some(1), "{said}");
    has(&said, &format!("FIX   telegram  messages are not posted to {hook} yet; start `usual serve`"));
    point_bot_at(&telegram, &hook).await;
    telegram.wait_failed_post().await;
    telegram.say(8, "a cola");
    let (code, said) = doctor(folder.path(), &posted).await;
    assert_eq!((code, fixes(&said)), (Some(1), 1), "{said}");
    has(&said, &format!("ok    telegram  messages are posted to {hook}"));
    let fault = "2 messages wait there; the last post failed: Connection refused or timed out.";
    has(&said, &format!("FIX   telegram  {fault} See that {public}/ reaches this server"));
    telegram.abandon();
}

#[tokio::test]
async fn the_doctor_compares_the_clock_with_telegrams() {
    let (folder, place, telegram) = (tempfile::tempdir().unwrap(), Place::in_file(), FakeTelegram::start().await);
    let address = place.address();
    import(folder.path(), &address).await;
    let settings = [("DATABASE_URL", &*address), ("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", telegram.url())];
    for ahead in [0, 20, -20] {
        telegram.set_clock(ahead);
        let (code, said) = doctor(folder.path(), &settings).await;
        assert_eq!(code, Some(0), "{said}");
        has(&said, "ok    clock     agrees with Telegram's");
    }
    for ahead in [120, -120] {
        telegram.set_clock(ahead);
        let (code, said) = doctor(folder.path(), &settings).await;
        assert_eq!((code, fixes(&said)), (Some(1), 1), "{said}");
        let line = said.lines().find_map(|line| line.strip_prefix("FIX   clock     this machine's clock is "));
        let (off, rest) = line.unwrap().split_once(' ').unwrap();
        assert_eq!(rest, "seconds off; switch on its time service (NTP)");
        // The header has whole seconds, and the answer takes its time.
        let off: i64 = off.parse().unwrap();
        assert!((-2..=15).contains(&(off + ahead)), "{off} with a Telegram that is {ahead} ahead");
    }
    telegram.assert_empty();
}

#[tokio::test]
async fn the_doctor_tells_what_waits_too_long_and_what_failed() {
    let folder = tempfile::tempdir().unwrap();
    for place in [Place::in_file(), Place::on_server().await] {
        let address = place.address();
        import(folder.path(), &address).await;
        let look = async || doctor(folder.path(), &[("DATABASE_URL", &*address)]).await;
        let (code, said) = look().await;
        assert_eq!(code, Some(0), "{said}");
        has(&said, "ok    turns     nothing is kept aside");
        assert!(!said.contains("outbox"), "{said}");

        put(&place, 1, Span::seconds(1), false).await;
        let (code, said) = look().await;
        assert_eq!(code, Some(0), "{said}");
        has(&said, "ok    outbox    1 messages wait for telegram");

        put(&place, 2, Span::seconds(450), false).await;
        put(&place, 3, Span::hours(2), true).await;
        let aside = "INSERT INTO aside VALUES ('pizzeria', 'web', 'one', 'somebody', $1, 'a fault', 1)";
        place.run(aside, &["{}"]).await;
        let (code, said) = look().await;
        assert_eq!((code, fixes(&said)), (Some(1), 2), "{said}");
        let late = "2 messages wait for telegram, the oldest for 7 minutes; see that the server runs and reaches it";
        has(&said, &format!("FIX   outbox    {late}"));
        has(&said, "note  outbox    1 messages could not be sent over telegram; the console shows them");
        has(&said, "FIX   turns     1 messages of customers failed and are kept aside; try them again in the console");
    }
}

#[tokio::test]
async fn the_doctor_looks_at_a_server_and_says_where_none_answers() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Place::on_server().await);
    let mut address: Url = place.address().parse().unwrap();
    // The tests' own server trusts everybody.
    if address.password().is_none() {
        address.set_password(Some(PASSWORD)).unwrap();
    }
    let password = address.password().unwrap().to_owned();
    let shown = |at: &Url| format!("postgres://{}:{}{}", at.host_str().unwrap(), at.port().unwrap(), at.path());
    let (code, said) = doctor(folder.path(), &[("DATABASE_URL", address.as_str())]).await;
    assert_eq!((code, fixes(&said)), (Some(0), 0), "{said}");
    has(&said, &format!("note  database  {} has no tables yet; the first start makes them", shown(&address)));
    assert!(!said.contains(&password), "the password is shown");
    import(folder.path(), address.as_str()).await;
    let (code, said) = doctor(folder.path(), &[("DATABASE_URL", address.as_str())]).await;
    assert_eq!((code, fixes(&said)), (Some(0), 0), "{said}");
    has(&said, &format!("ok    database  {} answers", shown(&address)));
    has(&said, "ok    shop      pizzeria: ");
    assert!(!said.contains(&password), "the password is shown");

    // Nobody, somebody who says nothing, and a server that has no such database.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut nobody, mut mute, mut other) = (address.clone(), address.clone(), address);
    for (at, port) in [(&mut nobody, free_port()), (&mut mute, silent.local_addr().unwrap().port())] {
        at.set_host(Some("127.0.0.1")).unwrap();
        at.set_port(Some(port)).unwrap();
    }
    other.set_path("none_of_this_name");
    for at in [nobody, mute, other] {
        let (code, said) = doctor(folder.path(), &[("DATABASE_URL", at.as_str())]).await;
        assert_eq!((code, fixes(&said)), (Some(1), 1), "{said}");
        let line = said.lines().find(|line| line.starts_with("FIX   database  ")).unwrap();
        assert!(line.contains(&shown(&at)), "{line}");
        assert!(line.ends_with("; see that the server runs and DATABASE_URL is right"), "{line}");
        assert!(!said.contains(&password), "the password is shown");
        // The rest is looked at all the same.
        has(&said, "note  address   nobody listens on ");
    }
}

#[tokio::test]
async fn the_doctor_names_the_setting_that_is_wrong_and_shows_no_secret() {
    let (folder, telegram) = (tempfile::tempdir().unwrap(), FakeTelegram::start().await);
    import(folder.path(), "sqlite://data/usual.db").await;
    let said = refused(usual(folder.path()).arg("doctor").env("USUAL_GATHR_MS", "1")).await;
    assert!(said.contains("USUAL_GATHR_MS is not known; did you mean USUAL_GATHER_MS?"), "{said}");
    let file = folder.path().join(".env");
    fs::write(&file, format!("USUAL_GATHER_MS=0\nTELOXIDE_TOKEN=1:{PASSWORD} and more\n")).unwrap();
    let said = refused(usual(folder.path()).arg("doctor")).await;
    assert!(said.contains(".env: what stands behind USUAL_GATHER_MS can't be read"), "{said}");
    assert!(!said.contains(PASSWORD), "the token is shown");
    fs::remove_file(&file).unwrap();

    let (token, database) = (format!("1:{PASSWORD}"), format!("mysql://shop:{PASSWORD}@localhost/usual"));
    let nobody = format!("http://{NOBODY}");
    for (settings, line) in [
        (vec![("TELOXIDE_TOKEN", PASSWORD)], "FIX   telegram  TELOXIDE_TOKEN is not a bot's token"),
        (
            vec![("TELOXIDE_TOKEN", &*token), ("TELOXIDE_API_URL", telegram.url())],
            "FIX   telegram  TELOXIDE_TOKEN is not accepted by Telegram (Unauthorized); get it from @BotFather",
        ),
        (
            vec![("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", &*nobody)],
            "FIX   telegram  Telegram could not be reached: no connection; see that this machine reaches http://127.0",
        ),
        (vec![("DATABASE_URL", &*database)], "FIX   database  DATABASE_URL is \"mysql://…\", which can't be opened"),
        // An address that is for documentation alone.
        (vec![("USUAL_LISTEN", "192.0.2.1:8080")], "FIX   address   192.0.2.1:8080: "),
    ] {
        let (code, said) = doctor(folder.path(), &settings).await;
        assert_eq!((code, fixes(&said)), (Some(1), 1), "{said}");
        has(&said, line);
        assert!(!said.contains(PASSWORD), "a secret is shown in\n{said}");
    }
    telegram.assert_empty();
}

#[tokio::test]
async fn the_metrics_tell_of_work_and_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (_child, base, _) = serving(&mut usual(folder.path())).await;
    let client = reqwest::Client::new();
    sing(&base).await;
    let text = metrics(&base).await;
    for line in [
        "usual_arrival_seconds_count{channel=\"web\"} 4",
        "usual_turns_total{kind=\"arrival\",outcome=\"stored\"} 4",
        "usual_aside_messages 0",
        "usual_writer_queue 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(number(&text, "usual_database_bytes").unwrap() > 4_096.0, "{text}");
    for canary in ["margherita", "Canary", "Zaphodine", "pizzeria"] {
        assert!(!text.contains(canary), "{canary} is in\n{text}");
    }
    let ask = |base: &str, headers: &[(&str, &str)]| {
        let mut request = client.get(format!("{base}/metrics"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send()
    };
    // From elsewhere, through a proxy on this machine.
    assert_eq!(ask(&base, &[("x-forwarded-for", "198.51.100.7")]).await.unwrap().status(), 403);
    // Where the world sees the shop, and where a token is set, it is asked for.
    for (name, value) in [("USUAL_PUBLIC_URL", "https://order.example.com"), ("USUAL_METRICS_TOKEN", SECRET)] {
        let folder = tempfile::tempdir().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = usual(folder.path());
        let _child = command.env("USUAL_LISTEN", &listen).env(name, value).spawn().unwrap();
        let base = format!("http://{listen}");
        ready(&base).await;
        assert_eq!(ask(&base, &[]).await.unwrap().status(), 403, "{name}");
        assert_eq!(ask(&base, &[("authorization", "Bearer wrong")]).await.unwrap().status(), 403, "{name}");
        let token = format!("Bearer {SECRET}");
        let right = ask(&base, &[("authorization", &token)]).await.unwrap().status();
        assert_eq!(right, if name == "USUAL_METRICS_TOKEN" { 200 } else { 403 }, "{name}");
    }
}

/// How many jobs of the writer were stored, of all kinds.
fn stored(metrics: &str) -> f64 {
    let turns = metrics.lines().filter(|line| line.starts_with("usual_turns_total{"));
    let stored = turns.filter_map(|line| line.split_once("outcome=\"stored\"} ")?.1.parse::<f64>().ok());
    stored.sum()
}

#[tokio::test]
async fn the_metrics_tell_what_vendors_answer_what_waits_and_what_became_of_turns() {
    /// So long that nothing moves while it is looked at.
    const WAIT: u32 = 60;
    const WAITING: &str = "usual_outbox_messages{channel=\"telegram\",state=\"waiting\"}";
    const FAILED: &str = "usual_outbox_messages{channel=\"telegram\",state=\"failed\"}";
    const OLDEST: &str = "usual_outbox_oldest_seconds{channel=\"telegram\"}";
    const RETRIES: &str = "usual_retries_total{channel=\"telegram\"}";
    let telegram = FakeTelegram::start().await;
    let program = Program::start_with(&[("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", telegram.url())]).await;
    let when = async |wanted: &[(&str, f64)]| {
        let good = |metrics: &str| wanted.iter().all(|(name, count)| number(metrics, name) == Some(*count));
        program.metrics_when(good).await
    };

    // Taken; taken at the second try, twice; refused for good; and to somebody who has left.
    telegram.trouble_for(2, Trouble::Broken);
    telegram.trouble_for(3, Trouble::TooMany(1));
    telegram.trouble_for(4, Trouble::Refused);
    telegram.block(5, true);
    for chat in 1..=5 {
        telegram.say(chat, "hello");
    }
    telegram.wait_sends(7).await;
    let before = when(&[
        ("usual_send_seconds_count{channel=\"telegram\",outcome=\"sent\"}", 3.0),
        ("usual_send_seconds_count{channel=\"telegram\",outcome=\"down\"}", 1.0),
        ("usual_send_seconds_count{channel=\"telegram\",outcome=\"wait\"}", 1.0),
        ("usual_send_seconds_count{channel=\"telegram\",outcome=\"refused\"}", 1.0),
        ("usual_send_seconds_count{channel=\"telegram\",outcome=\"gone\"}", 1.0),
        ("usual_arrival_seconds_count{channel=\"telegram\"}", 5.0),
        ("usual_turns_total{kind=\"arrival\",outcome=\"stored\"}", 5.0),
        ("usual_turns_total{kind=\"mark\",outcome=\"stored\"}", 7.0),
        (RETRIES, 2.0),
        (WAITING, 0.0),
        (FAILED, 2.0),
        ("usual_outbox_unmarked", 0.0),
    ])
    .await;
    assert_eq!(number(&before, OLDEST), None, "what has failed is not waited for");

    // The vendor refuses for a while: what waits, and for how long.
    telegram.trouble_for(6, Trouble::TooMany(WAIT));
    telegram.say(6, "hello");
    telegram.wait_sends(8).await;
    telegram.say(6, "2 margherita");
    let first = when(&[(WAITING, 2.0), (RETRIES, 3.0)]).await;
    tokio::time::sleep(LOOK_EVERY).await;
    let later = program.metrics().await;
    let (first, later) = (number(&first, OLDEST).unwrap(), number(&later, OLDEST).unwrap());
    assert!(first >= 0.0 && later < PATIENCE.as_secs_f64(), "{first} {later}");
    assert!(later - first > LOOK_EVERY.as_secs_f64() / 2.0, "it grows: {first} {later}");

    // What the staff want can't be done, and a turn fails.
    let staff = Sender::staff(&program).await;
    staff.form(&format!("/console/conversations/{}/take-over", new_id()), &[]).send().await.unwrap();
    let broken = "UPDATE conversation SET conversation_id = 'nonsense' WHERE peer = $1";
    program.place.run(broken, &["1"]).await;
    telegram.say(1, "a cola");
    telegram.wait_delivered().await;
    when(&[
        ("usual_turns_total{kind=\"staff\",outcome=\"not_done\"}", 1.0),
        ("usual_turns_total{kind=\"arrival\",outcome=\"failed\"}", 1.0),
        ("usual_turns_total{kind=\"arrival\",outcome=\"stored\"}", 7.0),
        ("usual_aside_messages", 1.0),
    ])
    .await;
    // Every job that is stored has its place in a commit.
    let jobs = |metrics: &str| number(metrics, "usual_commit_jobs_sum");
    let all = program.metrics_when(|metrics| jobs(metrics) == Some(stored(metrics))).await;
    let commits = number(&all, "usual_commit_seconds_count").unwrap();
    assert!(stored(&all) >= 15.0 && (1.0..=stored(&all)).contains(&commits), "{all}");
    assert_eq!(number(&all, "usual_commit_jobs_count"), Some(commits));
    telegram.assert_empty();
}

/// From now on the program can't make a file longer than this, which is how a full disk feels.
async fn limit_files(program: &Child, most: &str) {
    let (id, limit) = (program.id().unwrap().to_string(), format!("--fsize={most}:"));
    let set = Command::new("prlimit").args(["--pid", &id, &limit]).status().await.expect("prlimit, of util-linux");
    assert!(set.success());
}

#[tokio::test]
async fn that_nothing_can_be_stored_is_said_once_and_counted_and_so_is_its_end() {
    const BEGINS: &str = "what arrives can't be stored";
    const ENDS: &str = "what arrives is stored again";
    const TRIES: usize = 3;
    const SPELLS: usize = 2;
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let base = format!("http://{listen}");
    // Who does not hear the signal for it gets a fault from the write.
    let mut child = usual_after("trap '' XFSZ", folder.path())
        .env("USUAL_LISTEN", &listen)
        .env("USUAL_GATHER_MS", "0")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let printed = Printed::default();
    let reader = printed.read(child.stderr.take().unwrap());
    ready(&base).await;
    let visitor = Sender::visitor_at(&base).await;
    assert_eq!(visitor.say("2 margherita").await.status(), StatusCode::OK);
    printed.until("/console/welcome?key=", 1).await;
    let said = printed.text();
    let link = said.split_whitespace().find(|word| word.contains("/console/welcome?key=")).unwrap();
    let mut staff = Sender::at(&base);
    staff.cookie = cookie_of(staff.welcome(link, STAFF, PASSWORD).await.headers());
    let page = async |path: &str| staff.get(path).send().await.unwrap().text().await.unwrap();
    const ALARM: &str = r#"<p class="alert" id="unstored" role="alert">"#;
    for spell in 1..=SPELLS {
        let message = json!({ "id": new_id(), "text": "a cola" });
        limit_files(&child, "1").await;
        for _ in 0..TRIES {
            assert_eq!(visitor.message(message.clone()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        printed.until(BEGINS, spell).await;
        assert!(page("/console/counts").await.contains(r#"data-stores="0""#));
        assert!(page("/console").await.contains(ALARM), "who looks at the console is told");
        limit_files(&child, "unlimited").await;
        assert_eq!(visitor.message(message).await.status(), StatusCode::OK, "well again by itself");
        printed.until(ENDS, spell).await;
        assert!(page("/console/counts").await.contains(r#"data-stores="1""#));
        assert!(!page("/console").await.contains(ALARM));
    }
    let metrics = metrics(&base).await;
    for (name, count) in [
        ("usual_commits_failed_total{kind=\"unwritable\"}", SPELLS * TRIES),
        ("usual_turns_total{kind=\"arrival\",outcome=\"unstored\"}", SPELLS * TRIES),
        ("usual_arrivals_refused_total{channel=\"web\"}", SPELLS * TRIES),
        ("usual_turns_total{kind=\"arrival\",outcome=\"stored\"}", SPELLS + 1),
    ] {
        assert_eq!(number(&metrics, name), Some(count as f64), "{name} in\n{metrics}");
    }
    assert_eq!(end(&mut child).await, Some(0));
    reader.await.unwrap();
    assert_eq!((printed.count(BEGINS), printed.count(ENDS)), (SPELLS, SPELLS), "{}", printed.text());
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

const HOOK_SECRET: &str = "wombat-hook_17";
const METRICS_TOKEN: &str = "wombat-metrics-17";
const STAFF_NAME: &str = "Trillianne";
const STAFF_PASSWORD: &str = "wombat mitten seventeen";
const PHONE: &str = "+4740041414";
const SONG: &str = "the purple wombat of Canary Wharf sings";

/// The first of the chats in Telegram.
const CHAT: i64 = 4_242_424_242;

/// What nobody but the shop learns: of its customers, its staff and its keys; in lower case.
const SECRETS: [&str; 13] = [
    "424242424",
    "zaphodine",
    "beeblecanary",
    "canary_nickname",
    "40041414",
    "canary wharf",
    "purple wombat",
    "margherita",
    "trillianne",
    "wombat mitten",
    "wombat-hook",
    "wombat-metrics",
    "fake-token_of_the_tests",
];

/// An update with a message of somebody who has told Telegram a lot.
fn update(chat: i64, what: &Value) -> Value {
    let mut message = json!({
        "message_id": 7_000, "date": 1_700_000_000,
        "from": {"id": chat, "is_bot": false, "first_name": "Zaphodine", "last_name": "Beeblecanary",
            "username": "canary_nickname", "language_code": "en"},
        "chat": {"id": chat, "type": "private", "first_name": "Zaphodine", "last_name": "Beeblecanary",
            "username": "canary_nickname"}
    });
    message.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    json!({ "message": message })
}

/// Everything that customers, staff, vendors and strangers do, well and badly, while the log is as wordy as it gets.
async fn nothing_is_told(place: Place, format: &str) {
    let telegram = FakeTelegram::start().await;
    let mut program = Program::start_at(
        place,
        &[
            ("USUAL_LOG", "trace"),
            ("USUAL_LOG_FORMAT", format),
            ("USUAL_METRICS_TOKEN", METRICS_TOKEN),
            ("TELOXIDE_TOKEN", TOKEN),
            ("TELOXIDE_API_URL", telegram.url()),
            ("USUAL_TELEGRAM_SECRET", HOOK_SECRET),
        ],
    )
    .await;
    telegram.wait_webhook(true).await;

    // Telegram: an order, what is no text, a button that nobody made, and a group's talk.
    for text in CANARIES {
        telegram.raw_update(update(CHAT, &json!({ "text": text })));
        telegram.wait_delivered().await;
    }
    telegram.wait_reply(CHAT, 0).await;
    for what in [
        json!({"contact": {"phone_number": PHONE, "first_name": "Zaphodine"}}),
        json!({"location": {"latitude": 59.9, "longitude": 10.7}}),
        json!({"photo": [], "caption": SONG}),
        json!({"text": SONG, "chat": {"id": -7, "type": "group", "title": SONG}}),
    ] {
        telegram.raw_update(update(CHAT, &what));
    }
    let below = update(CHAT, &json!({ "text": SONG }));
    telegram.raw_update(json!({"callback_query": {"id": "canary_nickname", "from": below["message"]["from"],
        "chat_instance": "1", "data": SONG, "message": below["message"]}}));
    // A vendor that does not take what it is sent, in three ways.
    let (poisoned, gone, down, refused) = (CHAT + 1, CHAT + 2, CHAT + 3, CHAT + 4);
    telegram.block(gone, true);
    telegram.trouble_for(down, Trouble::Broken);
    telegram.trouble_for(refused, Trouble::Refused);
    for chat in [poisoned, gone, down, refused] {
        telegram.raw_update(update(chat, &json!({"text": "2 margherita"})));
    }
    telegram.wait_delivered().await;
    telegram.wait_reply(poisoned, 0).await;
    telegram.wait_reply(down, 0).await;
    program.printed.until("a message did not go out", 3).await;

    // Bodies that are none.
    let client = reqwest::Client::new();
    let hook = program.address("/webhooks/pizzeria/telegram");
    let post = async |secret: &str, body: &'static [u8]| {
        let request = client.post(&hook).header("X-Telegram-Bot-Api-Secret-Token", secret).body(body);
        request.send().await.unwrap().status()
    };
    for body in [SONG.as_bytes(), b"{\"update_id\": \"the purple wombat\"}", b"[\"Zaphodine\"]"] {
        assert_eq!(post(HOOK_SECRET, body).await, StatusCode::BAD_REQUEST);
    }
    let odd = b"{\"update_id\": 7, \"message\": {\"text\": \"purple wombat \xff\", \"chat\": \"Zaphodine\"}}";
    assert!(!post(HOOK_SECRET, odd).await.is_server_error());
    assert_eq!(post("wombat-hook_18", odd).await, StatusCode::UNAUTHORIZED);

    // The shop's page: an order that is placed, and bodies that are none.
    let visitor = Sender::visitor(&program).await;
    for text in ["2 margherita for pickup", "Zaphodine", "yes", SONG, CANARIES[1]] {
        assert_eq!(visitor.say(text).await.status(), StatusCode::OK, "{text}");
    }
    for body in [
        json!(SONG),
        json!({"id": SONG, "text": SONG}),
        json!({"id": new_id(), "text": {"Zaphodine": SONG}}),
        json!({"id": new_id(), "text": SONG, "press": SONG}),
    ] {
        assert_eq!(visitor.message(body).await.status(), StatusCode::BAD_REQUEST);
    }

    // The console: a way in, a wrong password, an answer to a customer, an address that is none.
    let staff = Sender::staff_named(&program, STAFF_NAME, STAFF_PASSWORD).await;
    let page = async |path: &str| {
        let answer = staff.get(path).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let wrong = Sender::new(&program).login(STAFF_NAME, "wombat mitten eighteen").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let (_, board) = page("/console/board").await;
    assert!(board.contains("Zaphodine"), "{board}");
    let talks = program.place.texts("SELECT conversation_id FROM conversation WHERE channel = 'web'").await;
    assert_eq!(talks.len(), 1, "there is one visitor");
    let address = format!("/console/conversations/{}/answer", talks[0]);
    let answer = staff.form(&address, &[("id", "once"), ("text", SONG)]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(page("/console/conversations/purple%20wombat?name=Zaphodine").await.0, StatusCode::NOT_FOUND);

    // Rows that can't be read: an order's, and those of two conversations in which something more is said.
    program.place.run("UPDATE orders SET line_totals = $1", &["[\"the purple wombat\"]"]).await;
    assert_eq!(page("/console/board").await.0, StatusCode::OK);
    let broken = "UPDATE conversation SET conversation_id = $1 WHERE peer = $2 OR channel = $3";
    program.place.run(broken, &["nonsense", &poisoned.to_string(), "none"]).await;
    program.place.run(broken, &["no sense", "nobody", "web"]).await;
    telegram.raw_update(update(poisoned, &json!({ "text": SONG })));
    telegram.wait_delivered().await;
    assert_eq!(visitor.say(SONG).await.status(), StatusCode::OK, "it is kept aside");
    assert_eq!(visitor.get("/").send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page("/console/list").await.0, StatusCode::OK, "the others are shown");

    let metrics = client.get(program.address("/metrics")).bearer_auth(METRICS_TOKEN).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert_eq!(number(&metrics, "usual_aside_messages"), Some(2.0), "{metrics}");
    let doctor = program.command("doctor").output().await.unwrap();
    let doctor = String::from_utf8([doctor.stdout, doctor.stderr].concat()).unwrap();
    has(&doctor, "FIX   turns     2 messages of customers failed");
    program.stop().await;
    telegram.assert_empty();

    // All of that is in the log.
    let log = program.printed.text();
    for words in [
        "a turn failed",
        "a request with the right secret was no update",
        "an update needs no answer",
        "a try to sign in failed",
        "an order can't be read",
        "a chat page could not be made",
        "a conversation can't be read",
    ] {
        assert!(log.contains(words), "{words:?} is missing in\n{log}");
    }
    let cookies = [&visitor, &staff].map(|sender| sender.cookie.split_once('=').unwrap().1.to_lowercase());
    let secrets: Vec<&str> = SECRETS.into_iter().chain(cookies.iter().map(String::as_str)).collect();
    for (what, text) in [("the log", &log), ("the metrics", &metrics), ("the doctor's words", &doctor)] {
        for line in text.lines() {
            let lower = line.to_lowercase();
            let told = secrets.iter().find(|secret| lower.contains(**secret));
            assert!(told.is_none(), "{told:?} is in {what}: {line}");
        }
    }
    // Nor does a library say what it was handed, whose words another version may choose otherwise.
    for line in log.lines().filter(|line| line.contains("DEBUG") || line.contains("TRACE")) {
        assert!(line.contains("theusual::"), "a library speaks: {line}");
    }
}

#[tokio::test]
async fn nobody_is_told_what_customers_say_or_how_to_get_in_with_a_file() {
    nothing_is_told(Place::in_file(), "text").await;
}

#[tokio::test]
async fn nobody_is_told_what_customers_say_or_how_to_get_in_with_a_server() {
    nothing_is_told(Place::on_server().await, "json").await;
}
