//! Many connections: clients that never come to the point, and thousands of open chat pages.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::Rng as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    Options,
    load::{Flow, percentile},
    rig::Rig,
    verdict::Verdict,
};

/// How long webhooks are measured while nothing is wrong.
const WELL: Duration = Duration::from_secs(15);

/// How often idle connections are opened, by turns with spells without any: what a machine does besides comes and goes,
/// and is to fall on both.
const SPELLS: usize = 5;

/// When somebody who does not come to the point has to be dropped (F28).
const DROPPED_WITHIN: Duration = Duration::from_secs(15);

/// When those who were not dropped are counted.
const WATCHED: Duration = Duration::from_secs(30);

/// Connections that are opened at once, and the time between two such waves. A system's queue holds about a thousand that
/// no program has taken yet; beyond it Linux forgets one whose client says nothing, and does not tell the client.
const WAVE: usize = 100;
const BETWEEN_WAVES: Duration = Duration::from_millis(50);

/// Between two letters of somebody slow.
const LETTER_EVERY: Duration = Duration::from_secs(5);

/// Within which a webhook has to be answered, in milliseconds.
const ACKNOWLEDGED_WITHIN: f64 = 250.0;

/// How much longer than without them a webhook may take beside idle connections (scorecard 25).
const MOST_SLOWER: f64 = 1.2;

/// Chats from which updates come at a fixed rate: many enough that none of them waits for itself.
const FLOW_CHATS: usize = 1_200;

/// Within which an event has to reach a page, in milliseconds (F29).
const SHOWN_WITHIN: f64 = 500.0;

/// Memory that the program may use with ten thousand pages open, in MiB (F29).
const MOST_MEMORY: u64 = 250;

/// Within which all pages have to be back after a restart (F30).
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// How long a browser waits before it comes back where nobody has told it.
const UNTOLD_WAIT: Duration = Duration::from_secs(3);

/// Events that are said while the pages are away. The program takes thirty messages of a visitor in a minute.
const AWAY: usize = 10;

/// Those, and the two before.
const EVENTS: usize = AWAY + 2;

/// Of all pages those that are the console's: a large shop's staff has not as many screens.
const CONSOLES: usize = 100;

/// Who signs in there.
const STAFF: &str = "name=Counter&password=oven+mitten+seven";

/// Descriptors that are kept free of pages: the customers', the fake's, the program's own.
const OTHER_FILES: usize = 2_000;

/// How long everything of a page may take to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections that send nothing, half a line, or a letter every 5 s, beside updates that come at a fixed rate.
pub async fn loris(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let many = options.trials(2_000).min(most_files()?);
    let spell = options.seconds(WELL.as_secs());
    rig.program.start().await?;
    rig.flow(Flow { chats: FLOW_CHATS, rate: options.rate });
    let shared = Arc::clone(rig.load.shared());
    let port = rig.program.port();
    let (mut without, mut beside, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let mut turns = Vec::new();
    tokio::time::sleep(spell).await;
    for turn in 0..=2 * SPELLS {
        shared.take_answers();
        if turn % 2 == 0 {
            tokio::time::sleep(spell).await;
            let took = shared.take_answers().took;
            turns.push(format!("{:.1}", percentile(&took, 0.99)));
            without.extend(took);
        } else {
            held.extend(crowd(port, many).await?);
            let took = shared.take_answers().took;
            turns.push(format!("({:.1})", percentile(&took, 0.99)));
            beside.extend(took);
        }
    }
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    let late = held.iter().filter(|held| **held > DROPPED_WITHIN);
    let late = late.map(|held| format!("held for {:.1} s", held.as_secs_f64())).collect();
    verdict.never("idle connections held for more than 15 s", late, held.len());
    verdict.time("dropped after, in ms (p50)", &held, 0.5, None);
    verdict.told("webhook's p99 by turns, in ms (beside them)", turns.join(" "));
    verdict.time("webhook answered without them, in ms (p99)", &without, 0.99, None);
    verdict.time("webhook answered beside them, in ms (p99)", &beside, 0.99, Some(ACKNOWLEDGED_WITHIN));
    let ratio = percentile(&beside, 0.99) / percentile(&without, 0.99);
    let good = ratio <= MOST_SLOWER;
    verdict.figure("the one of the other", format!("{ratio:.2}"), "≤ 1.2", without.len().min(beside.len()), good);
    Ok(verdict)
}

/// Opens so many idle connections and waits until all are dropped: how long each was held.
async fn crowd(port: u16, many: usize) -> anyhow::Result<Vec<Duration>> {
    let mut open = JoinSet::new();
    for place in 0..many {
        open.spawn(idle(port, place));
        if place % WAVE == WAVE - 1 {
            tokio::time::sleep(BETWEEN_WAVES).await;
        }
    }
    let mut held = Vec::new();
    while let Some(dropped) = open.join_next().await {
        held.push(dropped??);
    }
    Ok(held)
}

/// A connection on which no request ever comes to its end: how long it was held.
async fn idle(port: u16, place: usize) -> anyhow::Result<Duration> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.context("a connection")?;
    let begun = Instant::now();
    let (first, letter): (&[u8], &[u8]) = match place % 3 {
        0 => (b"", b""),
        1 => (b"GET /chat/pizz", b""),
        _ => (b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b"a"),
    };
    // A connection that is closed meanwhile can't be written to: that is what is waited for.
    let _ = stream.write_all(first).await;
    let mut answer = [0; 512];
    while begun.elapsed() < WATCHED {
        match tokio::time::timeout(LETTER_EVERY, stream.read(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) => {
                let _ = stream.write_all(letter).await;
            }
        }
    }
    Ok(begun.elapsed())
}

/// Ten thousand pages are open, a hundred of them the console's; all are shown what is said, come back after a restart
/// when they were told to, and miss nothing of what was said meanwhile.
pub async fn screens(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let all = options.trials(10_000).min(most_files()?);
    let consoles = CONSOLES.min(all / 10);
    let many = all - consoles;
    rig.program.start().await?;
    let empty = rig.program.memory()?;
    let port = rig.program.port();
    let cookie = sign_in(&rig).await?;
    // A visitor with a great many tabs: one message is an event for every one of them.
    let visitor = format!("{:032x}", rig.random.random::<u128>());
    write(&rig, &visitor, "event 0").await?;
    let wall = Arc::new(Wall::of(consoles));
    let begun = Instant::now();
    let mut pages = JoinSet::new();
    for _ in 0..many {
        pages.spawn(page(port, visitor.clone(), Arc::clone(&wall)));
    }
    for place in 0..consoles {
        pages.spawn(console(port, cookie.clone(), place, Arc::clone(&wall)));
    }
    let mut verdict = Verdict::default();
    let missing = |what: &str, shown: usize, all: usize| -> Vec<String> {
        (shown..all).map(|_| format!("a page missed {what}")).collect()
    };
    let until = Instant::now() + PATIENCE;
    let (shown, told) = (wall.wait(0, many, until).await, wall.told_since(begun, until).await);
    verdict.never("pages that did not open", missing("the first", shown, many), many);
    verdict.never("consoles that did not open", missing("the first", told, consoles), consoles);
    verdict.told("all open after, in s", format!("{:.1}", begun.elapsed().as_secs_f64()));
    let memory = (rig.program.memory()?) / (1024 * 1024);
    verdict.told("memory before, in MiB", empty / (1024 * 1024));
    let good = memory <= MOST_MEMORY;
    verdict.figure("memory with all open, in MiB", memory, "≤ 250", all, good);

    let sent = Instant::now();
    write(&rig, &visitor, "event 1").await?;
    verdict.told("message answered, in ms", sent.elapsed().as_millis());
    let until = Instant::now() + PATIENCE;
    let (shown, told) = (wall.wait(1, many, until).await, wall.told_since(sent, until).await);
    verdict.never("pages that missed an event", missing("it", shown, many), many);
    verdict.never("consoles that were not told of it", missing("it", told, consoles), consoles);
    let took = wall.since(1, sent);
    verdict.time("event shown, in ms (p50)", &took, 0.5, None);
    verdict.time("event shown, in ms (p99)", &took, 0.99, Some(SHOWN_WITHIN));

    rig.program.stop().await?;
    rig.program.start().await?;
    let back = Instant::now();
    let mut last = back;
    for event in 2..EVENTS {
        last = Instant::now();
        write(&rig, &visitor, &format!("event {event}")).await?;
    }
    let early = wall.open.load(Ordering::Relaxed);
    let until = Instant::now() + PATIENCE;
    let mut missed = Vec::new();
    for event in 2..EVENTS {
        let shown = wall.wait(event, many, until).await;
        missed.extend(missing(&format!("event {event}"), shown, many));
    }
    let told = wall.told_since(last, until).await;
    let took = back.elapsed();
    verdict.told("events said while they were away", AWAY);
    verdict.told("pages that were back before the last was said", early);
    verdict.never("times that a page missed one of them", missed, many * AWAY);
    verdict.never("consoles that were not told of them", missing("them", told, consoles), consoles);
    let good = took <= BACK_WITHIN;
    verdict.figure("all back after a restart, in s", format!("{:.1}", took.as_secs_f64()), "≤ 30", all, good);
    verdict.never("events shown twice or out of order", lock(&wall.wrong).clone(), many * EVENTS);
    let waits = lock(&wall.waits).clone();
    let untold = missing("the time to wait", waits.len(), all);
    verdict.never("pages that were never told when to come back", untold, all);
    verdict.time("told to come back after, in ms (p50)", &waits, 0.5, None);
    pages.shutdown().await;

    // Pages of people who have written nothing yet, beside customers who order elsewhere.
    rig.begin(rig.habits());
    let idle = rig.program.worked()?;
    tokio::time::sleep(WELL).await;
    let alone = rig.program.worked()? - idle;
    let before = rig.load.shared().take_answers();
    let strangers = Arc::new(Wall::of(0));
    for _ in 0..all {
        let stranger = format!("{:032x}", rig.random.random::<u128>());
        pages.spawn(page(port, stranger, Arc::clone(&strangers)));
    }
    tokio::time::sleep(WELL).await;
    rig.load.shared().take_answers();
    let settled = rig.program.worked()?;
    tokio::time::sleep(WELL).await;
    let beside = rig.program.worked()? - settled;
    let during = rig.load.shared().take_answers();
    let open = lock(&strangers.waits).len();
    pages.shutdown().await;
    rig.verdict = verdict;
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    verdict.never("strangers' pages that did not open", missing("it", open, all), all);
    verdict.told("webhooks a second without pages", before.took.len() as u64 / WELL.as_secs());
    verdict.told("webhooks a second beside strangers' pages", during.took.len() as u64 / WELL.as_secs());
    let share = |worked: Duration| format!("{:.0} %", 100.0 * worked.as_secs_f64() / WELL.as_secs_f64());
    verdict.told("work without pages, of one processor", share(alone));
    verdict.told("work beside strangers' pages, of one processor", share(beside));
    verdict.time("webhook answered without pages, in ms (p99)", &before.took, 0.99, None);
    let what = "webhook answered beside strangers' pages, in ms (p99)";
    verdict.time(what, &during.took, 0.99, Some(ACKNOWLEDGED_WITHIN));
    Ok(verdict)
}

/// What was shown on all pages together.
struct Wall {
    /// When each event was, on each page.
    shown: [Mutex<Vec<Instant>>; EVENTS],
    /// When each of the consoles was told last that a conversation has changed.
    told: Mutex<Vec<Option<Instant>>>,
    /// How long each page was told to wait before it comes back, the first time.
    waits: Mutex<Vec<Duration>>,
    /// Events that came twice, or before an earlier one.
    wrong: Mutex<Vec<String>>,
    /// Chat pages that are connected.
    open: AtomicUsize,
}

impl Wall {
    fn of(consoles: usize) -> Wall {
        Wall {
            shown: Default::default(),
            told: Mutex::new(vec![None; consoles]),
            waits: Mutex::default(),
            wrong: Mutex::default(),
            open: AtomicUsize::new(0),
        }
    }

    /// Waits until so many pages have shown an event: how many did in the end.
    async fn wait(&self, event: usize, many: usize, until: Instant) -> usize {
        loop {
            let shown = lock(&self.shown[event]).len();
            if shown >= many || Instant::now() > until {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until each console was told of a change since that moment: how many were in the end.
    async fn told_since(&self, moment: Instant, until: Instant) -> usize {
        loop {
            let (told, all) = {
                let told = lock(&self.told);
                (told.iter().filter(|told| told.is_some_and(|told| told >= moment)).count(), told.len())
            };
            if told == all || Instant::now() > until {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn since(&self, event: usize, begun: Instant) -> Vec<Duration> {
        lock(&self.shown[event]).iter().map(|shown| shown.saturating_duration_since(begun)).collect()
    }
}

/// Nothing here panics while it holds a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a browser knows of a stream from one connection to the next.
#[derive(Default)]
struct Memory {
    /// The last event's number, as the stream gave it.
    last: String,
    /// How long it was told to wait before it comes back.
    wait: Option<Duration>,
    /// The last of our events that it has shown.
    shown: Option<usize>,
}

impl Memory {
    /// Takes in what concerns every stream; whether there is anything to be read on.
    fn take(&mut self, line: &str, wall: &Wall) -> bool {
        if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            return status.starts_with("200");
        }
        if let Some(id) = line.strip_prefix("id: ") {
            id.clone_into(&mut self.last);
        }
        if let Some(wait) = line.strip_prefix("retry: ").and_then(|wait| wait.parse::<u64>().ok()) {
            let wait = Duration::from_millis(wait);
            if self.wait.replace(wait).is_none() {
                lock(&wall.waits).push(wait);
            }
        }
        true
    }

    /// Takes in what a chat page shows.
    fn show(&mut self, line: &str, wall: &Wall) {
        // The visitor's own words come back to every tab; the shop's answers may hold them too.
        if !line.contains(r#""author":"customer""#) {
            return;
        }
        let said = line.split_once(r#""text":"event "#).and_then(|(_, rest)| rest.split('"').next());
        let Some(event) = said.and_then(|number| number.parse::<usize>().ok()) else { return };
        let Some(shown) = wall.shown.get(event) else { return };
        if self.shown.is_none_or(|shown| shown < event) {
            self.shown = Some(event);
            lock(shown).push(Instant::now());
        } else {
            lock(&wall.wrong).push(format!("event {event} after event {:?}", self.shown));
        }
    }

    /// Waits as it was told to.
    async fn wait(&self) {
        tokio::time::sleep(self.wait.unwrap_or(UNTOLD_WAIT)).await;
    }
}

/// An open page: follows the stream, and comes back where it ends, from the last event that it has seen.
async fn page(port: u16, visitor: String, wall: Arc<Wall>) {
    let mut memory = Memory { last: "0".to_owned(), ..Memory::default() };
    loop {
        let request = format!(
            "GET /chat/pizzeria/events?after=0 HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: visitor={visitor}\r\n\
             last-event-id: {}\r\n\r\n",
            memory.last
        );
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await
            && stream.write_all(request.as_bytes()).await.is_ok()
        {
            wall.open.fetch_add(1, Ordering::Relaxed);
            let read = |line: &str| {
                memory.show(line, &wall);
                memory.take(line, &wall)
            };
            follow(stream, read).await;
            wall.open.fetch_sub(1, Ordering::Relaxed);
        }
        memory.wait().await;
    }
}

/// A screen of the console: it is told only that something has changed, and to look at everything when it comes back.
async fn console(port: u16, cookie: String, place: usize, wall: Arc<Wall>) {
    let mut memory = Memory::default();
    let request =
        format!("GET /console/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: {cookie}\r\naccept: */*\r\n\r\n");
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await
            && stream.write_all(request.as_bytes()).await.is_ok()
        {
            let read = |line: &str| {
                if matches!(line, "event: talks" | "event: again") {
                    lock(&wall.told)[place] = Some(Instant::now());
                }
                memory.take(line, &wall)
            };
            follow(stream, read).await;
        }
        memory.wait().await;
    }
}

/// Reads a stream line by line until it ends, or until the reader has had enough.
async fn follow(mut stream: TcpStream, mut read: impl FnMut(&str) -> bool) {
    let mut text = String::new();
    let mut bytes = [0; 2_048];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        while let Some(end) = text.find('\n') {
            let line: String = text.drain(..=end).collect();
            if !read(line.trim_end()) {
                return;
            }
        }
    }
}

/// Makes the shop's first account: the cookie of its sign-in.
async fn sign_in(rig: &Rig) -> anyhow::Result<String> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let form = format!("key={}&{STAFF}", rig.program.welcome()?);
    let request = client.post(rig.program.address("/console/welcome")).header("origin", rig.program.address(""));
    let answer = request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await?;
    let status = answer.status();
    let cookie = answer.headers().get("set-cookie").with_context(|| format!("the sign-in was answered {status}"))?;
    Ok(cookie.to_str()?.split(';').next().unwrap_or_default().to_owned())
}

/// The visitor writes something.
async fn write(rig: &Rig, visitor: &str, text: &str) -> anyhow::Result<()> {
    let id = uuid::Uuid::now_v7().to_string();
    let request = reqwest::Client::builder().no_proxy().build()?.post(rig.program.address("/chat/pizzeria/messages"));
    let request = request.header("cookie", format!("visitor={visitor}")).header("origin", rig.program.address(""));
    let request = request.header("content-type", "application/json");
    let answer = request.body(serde_json::json!({"id": id, "text": text}).to_string()).send().await?;
    if !answer.status().is_success() {
        bail!("the page's message was answered {}", answer.status());
    }
    Ok(())
}

/// How many connections this process may hold, and the program, which inherits its limit.
fn most_files() -> anyhow::Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).context("Max open files")?;
    let soft: usize = line.split_whitespace().next().context("a limit")?.parse().unwrap_or(usize::MAX);
    Ok(soft.saturating_sub(OTHER_FILES))
}
