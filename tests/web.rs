//! The chat page's and the console's doors, tried with what a browser never sends: foreign origins, other people's
//! cookies, old versions, guessed passwords, half a request.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use reqwest::{Method, Response, StatusCode, header::SET_COOKIE};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpSocket};

use self::support::{
    sender::{PASSWORD, STAFF, Sender, cookie_of, new_id},
    shop::{LOOK_EVERY, PATIENCE, Program, number},
    telegram::{FakeTelegram, TOKEN, Trouble},
};

mod support;

/// Memory that a page may cost which reads nothing, in bytes: its buffer, and what a few hundred turns leave in caches.
const MOST_FOR_A_PAGE: f64 = 24.0 * 1024.0 * 1024.0;

impl Sender {
    /// An open stream.
    async fn stream(&self, path: &str) -> Stream {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        Stream { response, text: String::new() }
    }

    /// The console's board, once it shows this.
    async fn board_with(&self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let board = self.get("/console/board").send().await.unwrap().text().await.unwrap();
            if board.contains(words) {
                return board;
            }
            assert!(begun.elapsed() < PATIENCE, "{words} is not in {board}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// What a stream of events has brought.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    /// Reads until this was sent.
    async fn until(&mut self, words: &str) {
        while !self.text.contains(words) {
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("{words} does not come after {}", self.text));
            let chunk = chunk.unwrap().unwrap_or_else(|| panic!("{words} did not come in {}", self.text));
            // A letter that two chunks share shows as marks; nobody looks for one.
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// How long it takes until the stream ends.
    async fn end(&mut self) -> Duration {
        let begun = Instant::now();
        while let Some(chunk) = tokio::time::timeout(PATIENCE, self.response.chunk()).await.unwrap().unwrap_or(None) {
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
        begun.elapsed()
    }

    /// The messages that came, by place and words.
    fn messages(&self) -> Vec<(i64, String)> {
        let data = self.text.lines().filter_map(|line| line.strip_prefix("data: {"));
        data.map(|json| serde_json::from_str(&format!("{{{json}")).unwrap())
            .map(|said: Value| (said["seq"].as_i64().unwrap(), said["text"].as_str().unwrap().to_owned()))
            .collect()
    }
}

/// Waits until a metric is as wanted; its value.
async fn metric(program: &Program, name: &str, wanted: impl Fn(f64) -> bool) -> f64 {
    let metrics = program.metrics_when(|metrics| number(metrics, name).is_some_and(&wanted)).await;
    number(&metrics, name).unwrap()
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let program = Program::start().await;
    let sender = Sender::visitor(&program).await;
    let page = sender.get("/").send().await.unwrap().text().await.unwrap();
    let style = page.split('"').find(|part| part.ends_with("style.css")).unwrap().to_owned();
    let old_style = "/assets/0000000000000000/style.css".to_owned();
    let mut paths: Vec<String> = ["/", "/shops/petshop", "/shops/none", "/nothing", "/console", "/console/login"]
        .into_iter()
        .chain(["/console/welcome", "/console/board", "/console/events", "/healthz", "/chat/none/events"])
        .map(str::to_owned)
        .collect();
    paths.extend([style.clone(), old_style.clone()]);
    for path in &paths {
        let answer = sender.get(path).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let policy = header("content-security-policy").unwrap_or_else(|| panic!("{path} has no policy"));
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert_eq!(header("referrer-policy").as_deref(), Some("same-origin"), "{path}");
        let keep = header("cache-control").unwrap();
        match path {
            path if *path == style => assert!(keep.contains("immutable"), "{keep}"),
            path if *path == old_style => assert_eq!(keep, "no-cache"),
            path => assert_eq!(keep, "no-store", "{path}"),
        }
    }
    for page in ["/", "/console/login"] {
        let text = sender.get(page).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("style=") && !text.contains("onclick") && !text.contains("<style"), "{page}");
        assert_eq!(text.matches("<script").count(), text.matches("<script defer src=\"/assets/").count(), "{page}");
    }
}

#[tokio::test]
async fn nothing_is_shown_or_changed_from_outside() {
    let program = Program::start().await;
    let (staff, nobody) = (Sender::staff(&program).await, Sender::new(&program));
    let id = new_id();
    let inside = [
        ("/console".to_owned(), Method::GET),
        ("/console/board".to_owned(), Method::GET),
        ("/console/counts".to_owned(), Method::GET),
        ("/console/list".to_owned(), Method::GET),
        ("/console/events".to_owned(), Method::GET),
        ("/console/conversations".to_owned(), Method::GET),
        (format!("/console/conversations/{id}"), Method::GET),
        (format!("/console/conversations/{id}/talk"), Method::GET),
        (format!("/console/conversations/{id}/answer"), Method::POST),
        (format!("/console/conversations/{id}/take-over"), Method::POST),
        (format!("/console/conversations/{id}/hand-back"), Method::POST),
        (format!("/console/conversations/{id}/messages/1/send-again"), Method::POST),
        (format!("/console/conversations/{id}/cart/0"), Method::GET),
        (format!("/console/conversations/{id}/cart/new/save"), Method::POST),
        ("/console/names".to_owned(), Method::GET),
        ("/console/names/list".to_owned(), Method::GET),
        ("/console/names/decide".to_owned(), Method::POST),
        (format!("/console/orders/{id}/accept"), Method::POST),
        ("/console/invite".to_owned(), Method::POST),
        ("/console/logout".to_owned(), Method::POST),
    ];
    for (path, method) in &inside {
        let request = |sender: &Sender| match *method {
            Method::GET => sender.get(path),
            _ => sender.form(path, &[("version", "1"), ("text", "x"), ("id", "1")]),
        };
        for cookie in ["", "session=", "session=AAAA", "visitor=AAAA"] {
            let mut outsider = Sender::new(&program);
            outsider.cookie = cookie.to_owned();
            let answer = request(&outsider).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{method} {path} with {cookie:?}");
        }
        let page = request(&nobody).header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.headers()["location"], "/console/login", "{method} {path}");
    }
    // A form of another site, with the cookie of somebody who is signed in.
    let posts = inside.iter().filter(|(_, method)| *method == Method::POST).map(|(path, _)| path.as_str());
    for path in posts.chain(["/console/login", "/console/welcome"]) {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("x-nothing", "no browser's word of where it came from"),
        ] {
            let answer = staff.post(path).header(name, value).body("version=1&text=x").send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} with {name}: {value}");
        }
        let read = staff.get(path).send().await.unwrap();
        assert!(
            read.status() == StatusCode::METHOD_NOT_ALLOWED || path.ends_with("login") || path.ends_with("welcome")
        );
    }
    let board = staff.get("/console/board").send().await.unwrap();
    assert_eq!(board.status(), StatusCode::OK, "still signed in after all that");
    for path in
        ["/console/conversations/x", "/console/conversations/../board/x", &format!("/console/conversations/{id}")]
    {
        assert_eq!(staff.get(path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn links_let_in_once() {
    let program = Program::start().await;
    let link = program.welcome.as_deref().unwrap();
    let nobody = Sender::new(&program);
    for (name, password) in
        [("", PASSWORD), ("  ", PASSWORD), (STAFF, "short"), (STAFF, "password1"), (STAFF, "COUNTER ")]
    {
        let answer = nobody.welcome(link, name, password).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name:?} {password:?}");
    }
    assert_eq!(nobody.welcome("?key=AAAAAAAAAAAAAAAAAAAAAA", STAFF, PASSWORD).await.status(), StatusCode::GONE);
    // Two at once: one gets in.
    let (one, two) = tokio::join!(nobody.welcome(link, "One", PASSWORD), nobody.welcome(link, "Two", PASSWORD));
    let mut statuses = [one.status(), two.status()];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::GONE]);
    let (first, other) = if one.status() == StatusCode::SEE_OTHER { (one, "One") } else { (two, "Two") };
    let set = first.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert_eq!(nobody.welcome(link, "Three", PASSWORD).await.status(), StatusCode::GONE);

    // A colleague gets a link of their own, and not the same name.
    let mut staff = Sender::new(&program);
    staff.cookie = cookie_of(first.headers());
    let page = staff.form("/console/invite", &[]).send().await.unwrap().text().await.unwrap();
    let invited = page.split(['<', '>']).find(|part| part.contains("/console/welcome?key=")).unwrap();
    let taken = nobody.welcome(invited, &other.to_uppercase(), PASSWORD).await;
    assert_eq!(taken.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(nobody.welcome(invited, "Kitchen", PASSWORD).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(nobody.welcome(invited, "Kitchen two", PASSWORD).await.status(), StatusCode::GONE);
}

#[tokio::test]
async fn passwords_are_not_guessed() {
    let program = Program::start().await;
    Sender::staff(&program).await;
    let nobody = Sender::new(&program);
    let wrong = nobody.login(STAFF, "oven mitten eight").await;
    let unknown = nobody.login("Nobody", PASSWORD).await;
    assert_eq!((wrong.status(), unknown.status()), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    let (wrong, unknown) = (wrong.text().await.unwrap(), unknown.text().await.unwrap());
    assert_eq!(wrong.replace(STAFF, ""), unknown.replace("Nobody", ""), "nothing tells who has an account");
    // Two tries were counted. Of many more at once, eight are looked at, and then even the right one is not.
    let tries = (0..40).map(|_| nobody.login(STAFF, "oven mitten nine"));
    let answers = futures::future::join_all(tries).await;
    let looked_at = answers.iter().filter(|answer| answer.status() == StatusCode::UNAUTHORIZED).count();
    assert_eq!(looked_at, 8);
    let late = nobody.login(STAFF, PASSWORD).await;
    assert_eq!(late.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(late.headers().contains_key("retry-after"));
    assert!(late.text().await.unwrap().contains("15 min"), "it says how long to wait");
}

#[tokio::test]
async fn a_sign_in_ends_with_all_its_streams() {
    let program = Program::start().await;
    let staff = Sender::staff(&program).await;
    let again = staff.login(" counter ", PASSWORD).await;
    let mut second = Sender::new(&program);
    second.cookie = cookie_of(again.headers());
    assert_ne!(second.cookie, staff.cookie, "a new token each time");
    assert_eq!(
        staff.get("/console/board").send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED,
        "the sign-in that this browser had is over"
    );
    let mut stream = second.stream("/console/events").await;
    stream.until("event: again").await;
    assert_eq!(second.form("/console/logout", &[]).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    assert!(stream.end().await < Duration::from_secs(1), "the stream ends at once");
    assert!(stream.text.contains("event: out"));
    assert_eq!(second.get("/console/board").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_visitor_hears_their_own_conversation_once() {
    let program = Program::start().await;
    let (one, two) = (Sender::visitor(&program).await, Sender::visitor(&program).await);
    let mut live = one.stream("/chat/pizzeria/events").await;
    let mut others = two.stream("/chat/pizzeria/events").await;
    let id = new_id();
    for _ in 0..3 {
        let answer = one.message(json!({ "id": id, "text": "2 margherita" })).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.text().await.unwrap(), r#"{"ok":true}"#);
    }
    // The same id is another message when another visitor sends it.
    assert_eq!(two.message(json!({ "id": id, "text": "1 tiramisu" })).await.status(), StatusCode::OK);
    live.until("id: 2\n").await;
    others.until("id: 2\n").await;
    assert_eq!(live.messages()[0], (1, "2 margherita".to_owned()));
    assert_eq!(others.messages()[0], (1, "1 tiramisu".to_owned()));

    // Notes are for the staff.
    let staff = Sender::staff(&program).await;
    one.say("I want to talk to a person").await;
    live.until("id: 4\n").await;
    let list = staff.get("/console/list").send().await.unwrap().text().await.unwrap();
    assert!(list.contains("Waiting for a person"), "{list}");
    let talk = list.split('"').find(|part| part.starts_with("/console/conversations/")).unwrap().to_owned();
    assert_eq!(staff.form(&format!("{talk}/take-over"), &[]).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    let answer = [("id", "once"), ("text", "Here I am.\r\nWhat is it?")];
    for _ in 0..2 {
        let sent = staff.form(&format!("{talk}/answer"), &answer).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::SEE_OTHER, "sent twice, said once");
    }
    live.until("Here I am.").await;
    assert_eq!(one.say("thank you").await.status(), StatusCode::OK);
    live.until("thank you").await;
    assert_eq!(live.text.matches("Here I am.").count(), 1);
    let seen = staff.get(&format!("{talk}/talk")).send().await.unwrap().text().await.unwrap();
    assert!(!live.text.contains("\"note\"") && seen.contains("thank you"));

    // From a cursor, by either way of giving it.
    let all = live.messages();
    assert!(all.is_sorted_by(|a, b| a.0 < b.0), "{all:?}");
    let last = all.last().unwrap().clone();
    let before = all[all.len() - 2].0;
    for (path, id) in [(format!("/chat/pizzeria/events?after={before}"), "0"), ("/chat/pizzeria/events".into(), "LAST")]
    {
        let id = if id == "LAST" { before.to_string() } else { id.to_owned() };
        let response = one.get(&path).header("last-event-id", id).send().await.unwrap();
        let mut stream = Stream { response, text: String::new() };
        stream.until("thank you").await;
        assert_eq!(stream.messages(), vec![last.clone()]);
    }
    // No cookie, no stream, and no message.
    let nobody = Sender::new(&program);
    assert_eq!(nobody.get("/chat/pizzeria/events").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.say("hello").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(one.get("/chat/none/events").send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn messages_are_refused_by_name() {
    let program = Program::start().await;
    let visitor = Sender::visitor(&program).await;
    let id = new_id();
    let cases = [
        (json!({ "id": id, "text": "x".repeat(8_193) }), StatusCode::PAYLOAD_TOO_LARGE, "8192 characters"),
        (json!({ "id": id, "text": "x".repeat(70_000) }), StatusCode::PAYLOAD_TOO_LARGE, "65536 bytes"),
        (json!({ "id": "1", "text": "hello" }), StatusCode::BAD_REQUEST, "UUID"),
        (json!({ "id": id, "text": { "$gt": "" } }), StatusCode::BAD_REQUEST, "JSON"),
        (json!({ "id": id, "text": " " }), StatusCode::BAD_REQUEST, "empty"),
        (json!([]), StatusCode::BAD_REQUEST, "JSON"),
    ];
    for (body, status, words) in cases {
        let answer = visitor.message(body).await;
        assert_eq!(answer.status(), status, "{words}");
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(error["error"].as_str().unwrap().contains(words), "{error}");
    }
    let form = visitor.form("/chat/pizzeria/messages", &[("text", "hello")]).send().await.unwrap();
    assert_eq!(form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);

    // A visitor's pace is limited; another's is not.
    let other = Sender::visitor(&program).await;
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let answer = visitor.say("hello").await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers().contains_key("retry-after"));
        }
        statuses.push(answer.status());
    }
    assert!(statuses.ends_with(&[StatusCode::TOO_MANY_REQUESTS; 10]), "{statuses:?}");
    assert!(!statuses.iter().any(StatusCode::is_server_error));
    assert_eq!(other.say("hello").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_press_one_hears_that_the_other_was_faster() {
    let program = Program::start().await;
    let (visitor, staff) = (Sender::visitor(&program).await, Sender::staff(&program).await);
    for text in ["2 margherita", "pickup", "Table nine", "yes"] {
        assert_eq!(visitor.say(text).await.status(), StatusCode::OK);
    }
    let board = staff.board_with("Table nine").await;
    let accept = board.split('"').find(|part| part.ends_with("/accept")).unwrap().to_owned();
    let press = |fields: &[(&str, &str)]| staff.form(&accept, fields).header("hx-request", "true").send();
    let slip = press(&[("version", "1"), ("minutes", "soon")]).await.unwrap().text().await.unwrap();
    assert!(slip.contains("Order 1: write how many minutes"), "{slip}");
    let (one, two) =
        tokio::join!(press(&[("version", "1"), ("minutes", "20")]), press(&[("version", "1"), ("minutes", "45")]));
    let (one, two) = (one.unwrap().text().await.unwrap(), two.unwrap().text().await.unwrap());
    let faster = |board: &String| board.contains("somebody else was faster");
    assert_ne!(faster(&one), faster(&two), "one of two");
    let told = if faster(&one) { one } else { two };
    assert!(told.contains("In the kitchen <span class=\"count\">1</span>"), "with the fresh card: {told}");
}

#[tokio::test]
async fn staff_correct_an_order_and_name_what_was_not_known() {
    let program = Program::start().await;
    let (one, staff) = (Sender::visitor(&program).await, Sender::staff(&program).await);
    assert_eq!(one.say("2 margherita and one Gondoliera please").await.status(), StatusCode::OK);
    let page = async |path: String| staff.get(&path).send().await.unwrap().text().await.unwrap();
    let list = page("/console/list".to_owned()).await;
    let talk = list.split('"').find(|part| part.starts_with("/console/conversations/")).unwrap().to_owned();
    let shown = page(format!("{talk}/talk")).await;
    assert!(shown.contains("In the order so far") && shown.contains("“Gondoliera”?"), "{shown}");
    let version = |form: &str| {
        let value = form.split_once("name=\"version\" value=\"").unwrap().1;
        value.split('"').next().unwrap().to_owned()
    };

    // The form for the piece that was not understood, and one for the line that was.
    let form = page(format!("{talk}/cart/new?words=Gondoliera")).await;
    assert!(form.contains("name=\"words\"") && form.contains("value=\"Gondoliera\""), "{form}");
    let old = version(&form);
    let add = |version: String| {
        let fields = [("version", &*version), ("product", "capricciosa"), ("quantity", "1"), ("words", "Gondoliera")];
        staff.form(&format!("{talk}/cart/new/save"), &fields).header("hx-request", "true").send()
    };
    let mut live = one.stream("/chat/pizzeria/events").await;
    assert_eq!(one.say("and a cola").await.status(), StatusCode::OK);
    let late = add(old).await.unwrap().text().await.unwrap();
    assert!(late.contains("something was said or done in this chat meanwhile") && late.contains("1 × Cola"), "{late}");
    assert!(late.contains("value=\"Gondoliera\""), "what was filled in is kept: {late}");
    assert_eq!(add(version(&late)).await.unwrap().text().await.unwrap(), "", "done");
    live.until("The shop has changed your order:\\nAdded: 1 × Capricciosa").await;

    let large = page(format!("{talk}/cart/0")).await;
    let fields =
        [("version", &*version(&large)), ("product", "margherita"), ("quantity", "3"), ("[\"one\",\"size\"]", "large")];
    let changed = staff.form(&format!("{talk}/cart/0/save"), &fields).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::SEE_OTHER, "and without a script");
    live.until("Changed: 2 × Margherita → 3 × Margherita (large)").await;
    let now = page(format!("{talk}/cart/1")).await;
    let slip = [("version", &*version(&now)), ("product", "cola"), ("quantity", "none")];
    let slip = staff.form(&format!("{talk}/cart/1/save"), &slip).send().await.unwrap().text().await.unwrap();
    assert!(slip.contains("write how many") && slip.contains("value=\"none\""), "{slip}");
    let remove = [("version", &*version(&now)), ("product", "cola"), ("quantity", "1"), ("remove", "1")];
    assert_eq!(
        staff.form(&format!("{talk}/cart/1/save"), &remove).send().await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
    live.until("Removed: 1 × Cola").await;
    for bad in [
        vec![("version", "x")],
        vec![("version", "1"), ("[\"many\",\"topping\",\"olives\"]", "double")],
        vec![("x", "y")],
    ] {
        let answer = staff.form(&format!("{talk}/cart/0/save"), &bad).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad:?}");
    }

    // One press, and the next customer orders it.
    let names = page("/console/names".to_owned()).await;
    assert!(names.contains("“Gondoliera”") && names.contains("2 margherita and one Gondoliera please"), "{names}");
    assert!(page("/console/counts".to_owned()).await.contains("data-names=\"1\""));
    let meant = r#"{"product":"capricciosa"}"#;
    let press = |phrase: &'static str, approved: &'static str| {
        let fields = [("phrase", phrase), ("meant", meant), ("approved", approved)];
        staff.form("/console/names/decide", &fields).header("hx-request", "true").send()
    };
    let refused = press("margherita", "1").await.unwrap().text().await.unwrap();
    assert!(refused.contains("“margherita” is the name of Margherita"), "{refused}");
    let used = press("gondoliera", "1").await.unwrap().text().await.unwrap();
    assert!(used.contains("In use") && used.contains("Remove"), "{used}");
    let two = Sender::visitor(&program).await;
    let mut live = two.stream("/chat/pizzeria/events").await;
    assert_eq!(two.say("two gondoliera").await.status(), StatusCode::OK);
    live.until("Added: 2 × Capricciosa").await;
    let removed = press("gondoliera", "0").await.unwrap().text().await.unwrap();
    assert!(removed.contains("Not used: 1"), "{removed}");
    let nonsense = [("phrase", "?"), ("meant", meant), ("approved", "1")];
    assert_eq!(staff.form("/console/names/decide", &nonsense).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_turn_in_which_the_program_panics_holds_up_nobody_and_is_tried_again() {
    // The orders of two customers fail, together with others and by themselves; then it is mended.
    let mut program = Program::start_with(&[("FAILPOINTS", "number_taken=4*panic->off")]).await;
    let staff = Sender::staff(&program).await;
    let (one, two, other) =
        (Sender::visitor(&program).await, Sender::visitor(&program).await, Sender::visitor(&program).await);
    for visitor in [&one, &two] {
        for text in ["2 margherita", "pickup", "Marta", "yes"] {
            assert_eq!(visitor.say(text).await.status(), StatusCode::OK, "{text} is kept, whatever becomes of it");
            assert_eq!(other.say("which pizzas do you have?").await.status(), StatusCode::OK);
        }
    }
    let mut live = other.stream("/chat/pizzeria/events").await;
    live.until("id: 16\n").await;
    assert_eq!(metric(&program, "usual_turns_total{kind=\"arrival\",outcome=\"failed\"}", |_| true).await, 2.0);
    let list = staff.get("/console/list").send().await.unwrap().text().await.unwrap();
    assert!(list.contains("Could not be handled: 2"), "{list}");
    let value = |name: &str| {
        let field = format!("name=\"{name}\" value=\"");
        let from = list.find(&field).unwrap_or_else(|| panic!("{name} in {list}")) + field.len();
        list[from..].split('"').next().unwrap().to_owned()
    };
    let again = [("channel", &*value("channel")), ("foreign_id", &*value("foreign_id"))];
    assert_eq!(staff.form("/console/aside/again", &again).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    let board = staff.board_with("Marta").await;
    assert_eq!(board.matches("Marta").count(), 1, "one of the two orders is placed: {board}");
    let list = staff.get("/console/list").send().await.unwrap().text().await.unwrap();
    assert!(list.contains("Could not be handled: 1"), "{list}");
    program.stop().await;
}

#[tokio::test]
async fn half_a_request_is_not_waited_for() {
    let program = Program::start().await;
    let port = program.port;
    let dropped = |words: &'static str| {
        tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(words.as_bytes()).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut all = Vec::new();
            let ended = stream.read_to_end(&mut all);
            assert!(ended.is_ok() || begun.elapsed() < PATIENCE, "{words:?} is waited for");
            begun.elapsed()
        })
    };
    let started = "POST /console/login HTTP/1.1\r\nhost: x\r\n";
    let (silent, half, headers) = tokio::join!(dropped(""), dropped("GET / HT"), dropped(started));
    for waited in [silent, half, headers] {
        assert!(waited.unwrap() < Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_page_that_reads_nothing_is_let_go_and_misses_nothing() {
    let program = Program::start().await;
    let (visitor, staff) = (Sender::visitor(&program).await, Sender::staff(&program).await);
    visitor.say("I want to talk to a person").await;
    let list = staff.get("/console/list").send().await.unwrap().text().await.unwrap();
    let talk = list.split('"').find(|part| part.starts_with("/console/conversations/")).unwrap().to_owned();
    assert_eq!(staff.form(&format!("{talk}/take-over"), &[]).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    // As many as the systems on both sides take in for somebody who reads nothing, and more.
    let words = "字".repeat(4_000);
    let answer = async |count: usize| {
        for _ in 0..count {
            let fields = [("id", &*new_id()), ("text", &*words)];
            let sent = staff.form(&format!("{talk}/answer"), &fields).send().await.unwrap();
            assert_eq!(sent.status(), StatusCode::SEE_OTHER);
        }
    };
    answer(200).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut page = socket.connect(([127, 0, 0, 1], program.port).into()).await.unwrap();
    let cookie = &visitor.cookie;
    let request = format!("GET /chat/pizzeria/events?after=0 HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n");
    page.write_all(request.as_bytes()).await.unwrap();
    metric(&program, "usual_screens", |screens| screens == 1.0).await;
    let before = metric(&program, "usual_process_resident_memory_bytes", |_| true).await;
    answer(400).await;
    let after = metric(&program, "usual_process_resident_memory_bytes", |_| true).await;
    assert!(after < before + MOST_FOR_A_PAGE, "{before} bytes have become {after}");
    metric(&program, "usual_screens", |screens| screens == 0.0).await;
    drop(page);

    // It comes back, and is shown what it missed, as far as a page shows.
    let mut back = visitor.stream("/chat/pizzeria/events").await;
    back.until("id: 600\n").await;
    let seen: Vec<i64> = back.messages().iter().map(|(seq, _)| *seq).collect();
    let whole = seen.windows(2).all(|two| two[1] == two[0] + 1);
    assert!(whole && seen.len() >= 190, "the newest two hundred, without a gap: {seen:?}");
}

#[tokio::test]
async fn the_end_is_orderly() {
    let mut program = Program::start().await;
    let visitor = Sender::visitor(&program).await;
    let mut stream = visitor.stream("/chat/pizzeria/events").await;
    stream.until("retry:").await;
    let begun = Instant::now();
    program.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "an open stream does not hold the end up");
    assert!(stream.end().await < Duration::from_secs(1));
}

#[tokio::test]
async fn what_was_not_delivered_is_shown_with_its_reason_and_sent_again() {
    let telegram = FakeTelegram::start().await;
    let program = Program::start_with(&[("TELOXIDE_TOKEN", TOKEN), ("TELOXIDE_API_URL", telegram.url())]).await;
    let staff = Sender::staff(&program).await;
    telegram.trouble_for(7, Trouble::Refused);
    telegram.say(7, "2 margherita");
    let page = async |path: &str, good: &dyn Fn(&str) -> bool| {
        let begun = Instant::now();
        loop {
            let text = staff.get(path).send().await.unwrap().text().await.unwrap();
            if good(&text) {
                return text;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} is still {text}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let list = page("/console/list", &|text| text.contains("Not delivered: 1")).await;
    for words in ["Waiting for a person", "a message did not reach the customer", "message can't be sent here"] {
        assert!(list.contains(words), "{words} is not in {list}");
    }
    let talk = list.split('"').find(|part| part.starts_with("/console/conversations/")).unwrap().to_owned();
    let fragment = format!("{talk}/talk");
    let shown = page(&fragment, &|text| text.contains("Send again")).await;
    assert!(
        shown.contains("Not delivered: the messenger refused it (Bad Request: message can't be sent here)"),
        "{shown}"
    );
    let again = shown.split('"').find(|part| part.ends_with("/send-again")).unwrap().to_owned();
    assert_eq!(telegram.count(7), 0);
    let pressed = staff.form(&again, &[]).send().await.unwrap();
    assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
    assert!(telegram.wait_reply(7, 0).await.text.contains("2 × Margherita"));
    page(&fragment, &|text| !text.contains("Not delivered") && !text.contains("sending")).await;
    page("/console/list", &|text| !text.contains("Waiting for a person")).await;
    // Pressed once more, on a page that is old: it says so, and sends nothing.
    let pressed = staff.form(&again, &[]).send().await.unwrap().text().await.unwrap();
    assert!(pressed.contains("Not done: "), "{pressed}");
    assert_eq!(telegram.count(7), 1);
    telegram.assert_empty();
}
