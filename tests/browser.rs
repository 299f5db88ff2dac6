//! The real program in a real browser: a customer at a phone's size, the staff at a desktop's, from the first word to the
//! door, with the connection lost and the program killed in between.
//!
//! Needs Chromium and its driver; where they are missing the tests fail and say what to install. With
//! `USUAL_TEST_SCREENSHOTS=<folder>` pictures of the pages are left there, in light and dark.

use std::{
    collections::HashSet,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::{Client, ClientBuilder, Locator, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use self::support::{
    shop::{LOOK_EVERY, PATIENCE, Program, free_port, listening},
    telegram::{FakeTelegram, TOKEN, Trouble},
};

mod support;

const DRIVER: &str = "/usr/bin/chromedriver";
const BROWSER: &str = "/usr/bin/chromium";

const PHONE: (u32, u32) = (390, 844);
const SMALL: (u32, u32) = (320, 640);
const DESKTOP: (u32, u32) = (1280, 800);

const STAFF: &str = "Counter";
const PASSWORD: &str = "oven mitten seven";

/// A driver, which starts browsers. Dropped, it is asked to end, and ends them too; killed, it would leave them running.
struct Driver {
    child: Child,
    port: u16,
    profiles: tempfile::TempDir,
}

/// A window.
struct Window {
    client: Client,
    name: &'static str,
}

/// A command of Chromium's own, beside WebDriver's.
#[derive(Debug)]
struct Chromium(&'static str, Value);

/// Asks for what the browser's console has collected.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

impl Driver {
    async fn start() -> Driver {
        for (file, package) in [(DRIVER, "chromium-driver"), (BROWSER, "chromium")] {
            assert!(
                Path::new(file).exists(),
                "{file} is missing; install the Debian package {package} (apt-get install chromium chromium-driver)"
            );
        }
        let port = free_port();
        let child = Command::new(DRIVER)
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let driver = Driver { child, port, profiles: tempfile::tempdir().unwrap() };
        listening(port, "the browser's driver").await;
        driver
    }

    async fn window(&self, name: &'static str, size: (u32, u32)) -> Window {
        let profile = self.profiles.path().join(name);
        let flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({
            "goog:chromeOptions": { "binary": BROWSER, "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
            "unhandledPromptBehavior": "ignore",
        });
        let Value::Object(wanted) = wanted else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("Chromium starts");
        let window = Window { client, name };
        window.resize(size).await;
        window
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut driver| {
            driver.write_all(b"GET /shutdown HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        });
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < PATIENCE {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let _ = self.child.kill();
    }
}

impl Window {
    async fn go(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    async fn chromium(&self, command: &'static str, parameters: Value) -> Value {
        self.client.issue_cmd(Chromium(command, parameters)).await.unwrap()
    }

    async fn resize(&self, (width, height): (u32, u32)) {
        let phone = width < 600;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.chromium("Emulation.setDeviceMetricsOverride", metrics).await;
        self.chromium("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone })).await;
    }

    async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until an expression is true; what the page shows is in the message where it never is.
    async fn until(&self, expression: &str, what: &str) {
        let script = format!("return !!({expression});");
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            // While a page is being loaded there is nothing to ask.
            if matches!(self.client.execute(&script, Vec::new()).await, Ok(Value::Bool(true))) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let text = self.client.execute("return document.body.innerText", Vec::new()).await;
        panic!("{}: {what} did not happen ({expression}); the page shows:\n{text:?}", self.name);
    }

    async fn click(&self, selector: &str) {
        let begun = Instant::now();
        loop {
            // What is just being refreshed can't be pressed yet.
            let pressed = match self.client.find(Locator::Css(selector)).await {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            match pressed {
                Ok(()) => return,
                Err(error) if begun.elapsed() > PATIENCE => panic!("{}: {selector}: {error}", self.name),
                Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn write(&self, selector: &str, text: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().send_keys(text).await.unwrap();
    }

    async fn count(&self, selector: &str) -> u64 {
        let script = format!("return document.querySelectorAll({}).length", json!(selector));
        self.script(&script).await.as_u64().unwrap()
    }

    /// What stands in the chat's log: place, author and words.
    async fn log(&self) -> Vec<(i64, String, String)> {
        let script = "return [...document.querySelectorAll('#log [data-seq]')].map((item) => [Number(item.dataset.seq),
            item.className.replace('said ', ''), item.querySelector('.bubble').textContent])";
        serde_json::from_value(self.script(script).await).unwrap()
    }

    /// Writes as a customer, and waits for the shop's answer.
    async fn say(&self, text: &str) -> String {
        let before = self.count("#log .said.bot").await;
        self.write("#text", &format!("{text}\n")).await;
        self.until(&format!("document.querySelectorAll('#log .said.bot').length > {before}"), "an answer").await;
        self.until("!document.querySelector('#log .waiting')", "the message's own place in the log").await;
        self.log().await.pop().unwrap().2
    }

    /// The browser had nothing to complain about: no error of a script, nothing that the page's policy forbids. A lost
    /// connection (of which htmx logs the bare event, and each request that it cut) and an ended sign-in are no complaints.
    async fn no_complaints(&self) {
        let Value::Array(all) = self.client.issue_cmd(Log).await.unwrap() else { panic!("no log") };
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        let bad: Vec<String> = all.iter().filter(|e| e["level"] == "SEVERE").map(text).collect();
        let known = |message: &&String| {
            ["net::ERR_", "[object Event]", "htmx:afterRequest", "htmx:sendError", "status of 401"]
                .iter()
                .any(|k| message.contains(k))
        };
        assert_eq!(bad.iter().find(|message| !known(message)), None, "{}", self.name);
    }

    /// Nothing on the page is wider than the screen.
    async fn fits(&self, what: &str) {
        let wide = "return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right >
            document.documentElement.clientWidth + 1 && getComputedStyle(e).position !== 'absolute').map((e) => e.outerHTML.slice(0, 120))";
        let wide = self.script(wide).await;
        assert_eq!(wide, json!([]), "{what} is wider than the screen");
        let scrolls = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(self.script(scrolls).await, json!(false), "{what} scrolls sideways");
    }

    /// Everything that can be pressed is large enough for a thumb: 44 by 44 at least.
    async fn can_be_hit(&self, what: &str) {
        let small = "return [...document.querySelectorAll('button, a, summary, input:not([type=hidden]), textarea')]
            .map((e) => [e, e.getBoundingClientRect()]).filter(([e, box]) => box.width > 0 && (box.height < 44 ||
            box.width < 44)).map(([e, box]) => e.outerHTML.slice(0, 120) + ' ' + box.width + 'x' + box.height)";
        assert_eq!(self.script(small).await, json!([]), "{what}: too small to hit");
    }

    /// A picture of the page in light and dark, where somebody wants them.
    async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("USUAL_TEST_SCREENSHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).unwrap();
        for scheme in ["light", "dark"] {
            self.scheme(scheme).await;
            let taken = self.chromium("Page.captureScreenshot", json!({ "format": "png" })).await;
            let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
            std::fs::write(folder.join(format!("{name}-{scheme}.png")), bytes).unwrap();
        }
        self.scheme("light").await;
    }

    async fn scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.chromium("Emulation.setEmulatedMedia", features).await;
    }

    /// Signs in by the first-start link.
    async fn welcome(&self, program: &Program) {
        self.go(program.welcome.as_deref().unwrap()).await;
        self.write("#name", STAFF).await;
        self.write("#password", PASSWORD).await;
        self.picture("welcome").await;
        self.click("button[type=submit]").await;
        self.until("document.querySelector('#board .column.new')", "the board").await;
        // Events come from now on.
        self.until("document.querySelector('#offline').hidden && window.htmx", "the console's script").await;
    }
}

fn unrepeated(log: &[(i64, String, String)]) {
    let places: HashSet<i64> = log.iter().map(|(seq, _, _)| *seq).collect();
    assert_eq!(places.len(), log.len(), "a message stands twice in {log:?}");
    assert!(log.is_sorted(), "out of order: {log:?}");
}

#[tokio::test]
async fn an_order_goes_from_the_first_word_to_the_door() {
    let mut program = Program::start().await;
    let driver = Driver::start().await;
    let (customer, staff) = tokio::join!(driver.window("customer", PHONE), driver.window("staff", DESKTOP));

    // The shop greets by itself, and the staff get in by the printed link, once.
    customer.go(&program.address("/")).await;
    customer.until("document.querySelector('#log .said.bot')", "the greeting").await;
    customer.picture("chat-phone-1-greeting").await;
    staff.welcome(&program).await;
    staff.picture("console-desktop-1-empty").await;

    // The order.
    customer.say("2 margherita").await;
    customer.say("pickup").await;
    customer.picture("chat-phone-2-name").await;
    let readback = customer.say("Table nine").await;
    assert!(readback.contains("Table nine"), "{readback}");
    customer.picture("chat-phone-3-readback").await;
    let placed = customer.say("yes").await;
    assert!(placed.contains('1'), "the order's number is in {placed:?}");
    customer.picture("chat-phone-4-placed").await;
    assert_eq!(customer.count("#log .quick button:not([disabled])").await, 0, "old buttons are grey");

    // It is on the board without a reload, and the title counts it.
    staff.until("document.querySelector('.column.new .card.placed')", "the order on the board").await;
    staff.until("document.title.startsWith('(1)')", "the count in the title").await;
    let card = staff.script("return document.querySelector('.card').innerText").await;
    for words in ["#1", "2 ×", "Margherita", "Table nine", "Pickup", "19.00"] {
        assert!(card.as_str().unwrap().contains(words), "{words} in {card}");
    }
    staff.picture("console-desktop-2-new").await;

    // Accepted for twenty minutes; the customer reads it.
    let before = customer.count("#log .said.bot").await;
    staff.write(".card.placed input[name=minutes]", "20").await;
    staff.click(".card.placed .own button").await;
    staff.until("document.querySelector('.column.kitchen .card.accepted')", "the order in the kitchen").await;
    staff.until("!document.title.startsWith('(')", "the title without a count").await;
    customer.until(&format!("document.querySelectorAll('#log .said.bot').length > {before}"), "the acceptance").await;
    customer.picture("chat-phone-5-accepted").await;

    // A person takes over and answers, and gives back.
    staff.click(".card .talk").await;
    staff.until("document.querySelector('#side[data-view=talk] .messages')", "the conversation").await;
    staff.click("form[action$=take-over] button").await;
    staff.until("document.querySelector('form[action$=hand-back]')", "the conversation taken over").await;
    staff.write("#answer", "Shall we cut them?\n").await;
    staff.until("document.querySelector('#talk .said.staff')", "the answer in the console").await;
    staff.until("document.querySelector('#answer').value === ''", "an empty field").await;
    customer.until("document.querySelector('#log .said.staff')", "the answer at the customer's").await;
    let answer = customer.script("return document.querySelector('#log .said.staff').innerText").await;
    assert!(answer.as_str().unwrap().contains("Shall we cut them?"), "{answer}");
    assert!(answer.as_str().unwrap().contains(STAFF), "who answers is named: {answer}");
    let before = customer.count("#log .said.bot").await;
    customer.write("#text", "yes please\n").await;
    staff.until("document.querySelector('#talk').innerText.includes('yes please')", "the customer's words").await;
    assert_eq!(customer.count("#log .said.bot").await, before, "the bot is silent");
    staff.picture("console-desktop-3-conversation").await;
    customer.picture("chat-phone-6-person").await;
    staff.click("form[action$=hand-back] button").await;
    staff.until("document.querySelector('form[action$=take-over]')", "the conversation given back").await;

    // The program is killed in the middle. What is written meanwhile arrives when it is back, once.
    program.kill().await;
    customer.write("#text", "hello\n").await;
    customer.until("document.querySelector('#log .waiting')", "the message waiting").await;
    staff.until("!document.querySelector('#offline').hidden", "a loud word in the console").await;
    customer.picture("chat-phone-7-waiting").await;
    staff.picture("console-desktop-4-offline").await;
    program.run().await;
    let hello = "[...document.querySelectorAll('#log .said.customer[data-seq]')].at(-1).innerText.includes('hello')";
    customer.until(hello, "the message after the restart").await;
    customer.until("!document.querySelector('#log .waiting')", "no message waiting").await;
    customer.until("document.querySelector('#log li:last-child').classList.contains('bot')", "its answer").await;
    customer.until("document.querySelector('#offline').hidden", "the connection back").await;
    staff.until("document.querySelector('#offline').hidden", "the console's connection back").await;

    // Ready and fetched, on the page that was open all the time.
    let before = customer.count("#log .said.bot").await;
    staff.click(".card.accepted form[action$=ready] button").await;
    staff.until("document.querySelector('.column.ready .card.ready')", "the order ready").await;
    customer.until(&format!("document.querySelectorAll('#log .said.bot').length > {before}"), "the news").await;
    staff.click(".card.ready form[action$=delivered] button").await;
    staff.until("document.querySelector('.done .delivered')", "the order done").await;
    staff.picture("console-desktop-5-done").await;

    // A reload shows the same, and repeats nothing.
    let shown = customer.log().await;
    unrepeated(&shown);
    assert_eq!(shown.iter().filter(|(_, _, text)| text == "hello").count(), 1);
    customer.client.refresh().await.unwrap();
    customer.until("document.querySelector('#log [data-seq]')", "the history").await;
    assert_eq!(customer.log().await, shown);

    // Signed out, nothing is shown any more.
    staff.click(".out button").await;
    staff.until("document.querySelector('#password')", "the sign-in").await;
    staff.go(&program.address("/console")).await;
    staff.until("document.querySelector('#password')", "the sign-in again").await;
    staff.picture("console-login").await;
    staff.write("#name", "  counter").await;
    staff.write("#password", &format!("{PASSWORD}\n")).await;
    staff.until("document.querySelector('#board')", "the board after signing in").await;

    // Signed out elsewhere, the open page leaves by itself.
    staff.until("window.htmx && document.querySelector('#silent')", "the console's script").await;
    staff.script("fetch('/console/logout', { method: 'POST', redirect: 'manual' })").await;
    staff.until("document.querySelector('#password')", "the sign-in, by itself").await;
    customer.no_complaints().await;
    staff.no_complaints().await;
}

/// What an attacker writes: each would run, load or break something if any page took it for more than text.
const PAYLOADS: [&str; 12] = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\"><svg onload=window.hacked=1>",
    "'><body onload=alert(1)>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "</textarea></li></ol><script>window.hacked=1</script>",
    "<a href=javascript:window.hacked=1>menu</a>",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "<div hx-get=/console/logout hx-trigger=load>hello</div>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=window.hacked=1>",
    "\u{202e}gnp.<b>evil</b>\u{200b}\u{0}",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
];

#[tokio::test]
async fn what_customers_write_is_text_everywhere() {
    let program = Program::start().await;
    let driver = Driver::start().await;
    let (customer, staff) = tokio::join!(driver.window("customer", PHONE), driver.window("staff", DESKTOP));
    staff.welcome(&program).await;
    customer.go(&program.address("/")).await;
    customer.until("document.querySelector('#log .said.bot')", "the greeting").await;

    // As words.
    for payload in PAYLOADS {
        let body = json!({ "id": uuid::Uuid::now_v7().to_string(), "text": payload });
        post(&customer, &body).await;
    }
    let all = format!("document.querySelectorAll('#log .said.customer').length >= {}", PAYLOADS.len());
    customer.until(&all, "all of it in the log").await;
    let shown = customer.log().await;
    for payload in PAYLOADS {
        let words = payload.trim_matches('\u{0}');
        assert!(shown.iter().any(|(_, _, text)| text.starts_with(words)), "{payload:?} stands there as written");
    }

    // As the name and the address of an order.
    customer.say("2 margherita").await;
    customer.say("delivery").await;
    customer.say("<img src=x onerror=window.hacked=1> 1, 0150 Sentrum").await;
    customer.say("<script>window.hacked=1</script>").await;
    customer.say("yes").await;
    staff.until("document.querySelector('.card.placed')", "the order").await;
    let card = staff.script("return document.querySelector('.card').innerText").await;
    assert!(card.as_str().unwrap().contains("<script>window.hacked=1</script>"), "the name is text: {card}");
    assert!(card.as_str().unwrap().contains("<img src=x onerror=window.hacked=1>"), "the address is text: {card}");
    staff.click(".card .talk").await;
    staff.until("document.querySelector('#talk .said.customer')", "the conversation").await;
    staff.picture("console-desktop-6-payloads").await;
    staff.click(".back").await;
    staff.until("document.querySelector('#side[data-view=list] .talks')", "the list").await;

    // And as a reason, from the staff to the customer.
    staff.click(".card .decline summary").await;
    staff.write(".card .decline input[name=reason]", "<img src=x onerror=window.hacked=1>").await;
    staff.click(".card .decline .danger").await;
    let told = "document.querySelector('#log').innerText.includes('onerror=window.hacked=1>')";
    customer.until(&format!("{told} && document.querySelector('#log li:last-child.bot')"), "the reason").await;
    customer.client.refresh().await.unwrap();
    customer.until(&all, "the history").await;

    for window in [&customer, &staff] {
        let strange = "return [typeof window.hacked, document.querySelectorAll('img, iframe, math, svg, style, \
            script:not([src]), #log a, #log [onload], #talk .messages a').length]";
        assert_eq!(window.script(strange).await, json!(["undefined", 0]), "{}", window.name);
        assert!(window.client.get_alert_text().await.is_err(), "{}: no dialog", window.name);
        window.no_complaints().await;
    }
}

#[tokio::test]
async fn pages_fit_small_screens_and_thumbs() {
    let program = Program::start().await;
    let driver = Driver::start().await;
    let (customer, staff) = tokio::join!(driver.window("customer", SMALL), driver.window("staff", PHONE));
    staff.welcome(&program).await;
    customer.go(&program.address("/")).await;
    customer.until("document.querySelector('#log .said.bot')", "the greeting").await;
    customer.say("2 margherita no olives extra mozzarella and 1 tiramisu").await;
    customer.say("delivery").await;
    customer.say("Storgata 1, 0155 Oslo, the green door behind the yard, third floor").await;
    customer.say("Averylongnamewithoutanyspaceinit-andonemore").await;
    customer.say(&"w".repeat(200)).await;
    customer.fits("the chat").await;
    customer.can_be_hit("the chat").await;
    customer.picture("chat-small").await;
    customer.say("yes").await;
    customer.say("I want to talk to a person").await;
    customer.resize(DESKTOP).await;
    customer.fits("the chat on a desktop").await;
    customer.picture("chat-desktop").await;

    staff.until("document.querySelector('.card.placed')", "the order").await;
    for size in [PHONE, SMALL] {
        staff.resize(size).await;
        staff.fits("the board").await;
        staff.can_be_hit("the board").await;
    }
    staff.resize(PHONE).await;
    staff.picture("console-phone-1-board").await;
    staff.click(".card .decline summary").await;
    staff.script("document.querySelector('.card .decline').scrollIntoView()").await;
    staff.can_be_hit("declining").await;
    staff.picture("console-phone-2-decline").await;

    // What somebody is typing survives another order's arrival.
    staff.write(".card .decline input[name=reason]", "No oven").await;
    customer.say("1 margherita").await;
    customer.say("pickup").await;
    customer.say("yes").await;
    staff.until("document.querySelectorAll('.card.placed').length === 2", "the second order").await;
    let typed = "return document.querySelector('.card .decline[open] input[name=reason]').value";
    assert_eq!(staff.script(typed).await, json!("No oven"));

    staff.click(".tab[href='/console/conversations']").await;
    staff.until("document.querySelector('#side[data-view=list] .talks.waiting a')", "who waits").await;
    staff.fits("the list").await;
    staff.can_be_hit("the list").await;
    staff.picture("console-phone-3-list").await;
    staff.click(".talks.waiting a").await;
    staff.until("document.querySelector('#side[data-view=talk] .messages')", "the conversation").await;
    for size in [SMALL, PHONE] {
        staff.resize(size).await;
        staff.fits("a conversation").await;
        staff.can_be_hit("a conversation").await;
    }
    staff.picture("console-phone-4-conversation").await;
    customer.no_complaints().await;
    staff.no_complaints().await;
}

#[tokio::test]
async fn an_order_is_corrected_beside_its_chat() {
    let program = Program::start().await;
    let driver = Driver::start().await;
    let (customer, staff) = tokio::join!(driver.window("customer", PHONE), driver.window("staff", DESKTOP));
    staff.welcome(&program).await;
    customer.go(&program.address("/")).await;
    customer.until("document.querySelector('#log .said.bot')", "the greeting").await;
    let answer = customer.say("2 margherita and one gondoliera").await;
    assert!(answer.contains("gondoliera"), "{answer}");
    let asked = customer.say("3 margerotto").await;
    assert!(asked.contains("Is that what you mean?"), "{asked}");
    customer.picture("chat-phone-8-nearest").await;
    customer.say("no").await;
    staff.click(".tab[href='/console/conversations']").await;
    staff.click(".talks a").await;
    staff.until("document.querySelector('.cart .pieces')", "the order beside the chat").await;
    staff.picture("console-desktop-7-order").await;

    // A form that stands open is not lost when the customer goes on; what came between is said.
    staff.click(".pieces a[href$='words=gondoliera']").await;
    staff.until("document.querySelector('#edit select[name=product]')", "the form").await;
    staff.script("document.querySelector('#edit select[name=product]').value = 'capricciosa'").await;
    customer.say("and a cola").await;
    staff.until("document.querySelector('.cart').innerText.includes('Cola')", "the cola beside the chat").await;
    let chosen = "return document.querySelector('#edit select[name=product]').value";
    assert_eq!(staff.script(chosen).await, json!("capricciosa"));
    staff.click("#edit .main").await;
    staff.until("document.querySelector('#edit .alert')", "the word that the order has changed").await;
    assert_eq!(staff.script(chosen).await, json!("capricciosa"), "nothing is lost");
    staff.picture("console-desktop-8-form").await;
    staff.click("#edit .main").await;
    staff.until("!document.querySelector('#edit form')", "the form gone").await;
    let told = "document.querySelector('#log').innerText.includes('The shop has changed your order')";
    customer.until(told, "the difference at the customer's").await;
    staff.until("document.querySelector('.cart').innerText.includes('Capricciosa')", "the new line").await;
    customer.picture("chat-phone-9-changed").await;

    // On a phone: a line's form with its options, and the names.
    staff.until("document.querySelector('#count-names').innerText === '1'", "the suggested name counted").await;
    staff.click(".cart .lines a").await;
    staff.until("document.querySelector('#edit .choices')", "the options").await;
    for size in [SMALL, PHONE] {
        staff.resize(size).await;
        staff.fits("the form").await;
        staff.can_be_hit("the form").await;
    }
    staff.script("document.querySelector('#edit').scrollIntoView()").await;
    staff.picture("console-phone-5-form").await;
    staff.click("#edit .actions .button").await;
    staff.until("!document.querySelector('#edit form')", "the form left").await;
    staff.picture("console-phone-6-order").await;
    staff.click(".tab[href='/console/names']").await;
    staff.until("document.querySelector('#side[data-view=names] .names li')", "the names").await;
    staff.fits("the names").await;
    staff.can_be_hit("the names").await;
    staff.picture("console-phone-7-names").await;
    staff.click(".names .main").await;
    staff.until("document.querySelector('#names').innerText.includes('In use')", "the name in use").await;
    staff.resize(DESKTOP).await;
    staff.picture("console-desktop-9-names").await;
    let ordered = customer.say("one gondoliera").await;
    assert!(ordered.contains("Capricciosa"), "{ordered}");
    customer.no_complaints().await;
    staff.no_complaints().await;
}

#[tokio::test]
async fn a_message_that_failed_is_tried_again() {
    let program = Program::start().await;
    let driver = Driver::start().await;
    let staff = driver.window("staff", PHONE).await;
    staff.welcome(&program).await;
    // As a turn that failed leaves it.
    let raw = json!({"id": "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f506", "text": "2 diavola <b>please</b>"}).to_string();
    let at = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let row = format!(
        "INSERT INTO aside VALUES ('pizzeria', 'web', 'x:0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f506', 'x', $1, $2, {at})"
    );
    program.place.run(&row, &[&raw, "the program made a mistake (panic)"]).await;
    staff.go(&program.address("/console/conversations")).await;
    staff.until("document.querySelector('details.aside')", "what failed").await;
    staff
        .until("document.querySelector('details.aside').innerText.includes('2 diavola <b>please</b>')", "its words")
        .await;
    staff.fits("what failed").await;
    staff.can_be_hit("what failed").await;
    staff.picture("console-phone-8-aside").await;
    staff.click("details.aside button").await;
    staff.until("!document.querySelector('details.aside')", "nothing failed any more").await;
    staff.until("document.querySelector('#list .talks a')", "the chat that came of it").await;
    staff.click("#list .talks a").await;
    staff.until("document.querySelector('#talk').innerText.includes('Diavola')", "the answer in it").await;
    staff.no_complaints().await;
}

#[tokio::test]
async fn what_was_not_delivered_is_sent_again_with_a_thumb() {
    let telegram = FakeTelegram::start().await;
    let program = Program::start_with(&[("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", telegram.url())]).await;
    let driver = Driver::start().await;
    let staff = driver.window("staff", PHONE).await;
    staff.welcome(&program).await;
    telegram.trouble_for(7, Trouble::Refused);
    telegram.say(7, "2 margherita and a cola, please");
    staff.go(&program.address("/console/conversations")).await;
    staff.until("document.querySelector('#list').innerText.includes('Not delivered: 1')", "it in the list").await;
    staff.fits("the list").await;
    staff.picture("console-phone-9-not-delivered").await;
    staff.click("#list .talks a").await;
    staff.until("document.querySelector('#talk form[action$=send-again]')", "the button").await;
    staff.fits("what was not delivered").await;
    staff.can_be_hit("what was not delivered").await;
    staff.picture("console-phone-10-send-again").await;
    let seen = "(() => { const box = document.querySelector('#talk form[action$=send-again]').getBoundingClientRect(); \
                return box.bottom <= document.querySelector('#composer').getBoundingClientRect().top; })()";
    staff.until(seen, "the button without scrolling").await;
    staff.resize(DESKTOP).await;
    staff.client.refresh().await.unwrap();
    staff.until("document.querySelector('#talk form[action$=send-again]')", "the button on a desktop").await;
    staff.picture("console-desktop-10-send-again").await;
    staff.resize(PHONE).await;
    staff.click("#talk form[action$=send-again] button").await;
    staff.until("!document.querySelector('#talk form[action$=send-again]')", "it delivered").await;
    assert!(telegram.wait_reply(7, 0).await.text.contains("2 × Margherita"));
    staff.until("!document.querySelector('#talk').innerText.includes('sending')", "the mark of it").await;
    staff.picture("console-phone-11-sent-again").await;
    staff.no_complaints().await;
    telegram.assert_empty();
}

/// Posts as the customer's page does, from the page.
async fn post(window: &Window, body: &Value) {
    let script = "const [body, done] = arguments; fetch('/chat/pizzeria/messages', { method: 'POST', body, headers:
        { 'Content-Type': 'application/json' } }).then((answer) => done(answer.status), () => done(0))";
    let status = window.client.execute_async(script, vec![json!(body.to_string())]).await.unwrap();
    assert_eq!(status, json!(200), "{body}");
}
