//! Many connections: clients that never come to the point, and thousands of open chat pages.

use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
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

use crate::{Options, load::percentile, rig::Rig, verdict::Verdict};

/// How long webhooks are measured before anything is wrong.
const WELL: Duration = Duration::from_secs(15);

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

/// Within which an event has to reach a page, in milliseconds (F29).
const SHOWN_WITHIN: f64 = 500.0;

/// Memory that the program may use with ten thousand pages open, in MiB (F29).
const MOST_MEMORY: u64 = 250;

/// Within which all pages have to be back after a restart (F30).
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// How long a page waits before it comes back, in milliseconds, as the program tells it to.
const COMES_BACK: std::ops::Range<u64> = 1_000..4_000;

/// Descriptors that are kept free of pages: the customers', the fake's, the program's own.
const OTHER_FILES: usize = 2_000;

/// How long everything of a page may take to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections that send nothing, half a line, or a letter every 5 s.
pub async fn loris(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let many = options.trials(2_000).min(most_files()?);
    rig.program.start().await?;
    rig.begin(rig.habits());
    tokio::time::sleep(WELL).await;
    let before = rig.load.shared().take_answers();
    let port = rig.program.port();
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
    let during = rig.load.shared().take_answers();
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    let late = held.iter().filter(|held| **held > DROPPED_WITHIN);
    let late = late.map(|held| format!("held for {:.1} s", held.as_secs_f64())).collect();
    verdict.never("idle connections held for more than 15 s", late, many);
    verdict.told("dropped after, in s (p50)", format!("{:.1}", percentile(&held, 0.5) / 1_000.0));
    verdict.told("webhook answered before, in ms (p99)", format!("{:.1}", before.percentile(0.99)));
    let p99 = during.percentile(0.99);
    let good = p99 <= ACKNOWLEDGED_WITHIN;
    verdict.figure("webhook answered meanwhile, in ms (p99)", format!("{p99:.1}"), "≤ 250", during.took.len(), good);
    Ok(verdict)
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

/// Ten thousand chat pages are open; all are shown what is said, come back after a restart, and miss nothing.
pub async fn screens(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let many = options.trials(10_000).min(most_files()?);
    rig.program.start().await?;
    let empty = rig.program.memory()?;
    // A visitor with a great many tabs: one message is an event for every one of them.
    let visitor = format!("{:032x}", rig.random.random::<u128>());
    write(&rig, &visitor, "event 0").await?;
    let wall = Arc::new(Wall::default());
    let begun = Instant::now();
    let mut pages = JoinSet::new();
    for _ in 0..many {
        pages.spawn(page(rig.program.port(), visitor.clone(), Arc::clone(&wall)));
    }
    let mut verdict = Verdict::default();
    let missing = |shown: usize| (shown..many).map(|_| "a page missed it".to_owned()).collect::<Vec<_>>();
    let shown = wall.wait(0, many).await;
    verdict.never("pages that did not open", missing(shown), many);
    verdict.told("all open after, in s", format!("{:.1}", begun.elapsed().as_secs_f64()));
    let memory = (rig.program.memory()?) / (1024 * 1024);
    verdict.told("memory before, in MiB", empty / (1024 * 1024));
    let good = memory <= MOST_MEMORY;
    verdict.figure("memory with all open, in MiB", memory, "≤ 250", many, good);

    let sent = Instant::now();
    write(&rig, &visitor, "event 1").await?;
    verdict.told("message answered, in ms", sent.elapsed().as_millis());
    let shown = wall.wait(1, many).await;
    verdict.never("pages that missed an event", missing(shown), many);
    let took = wall.since(1, sent);
    verdict.told("event shown, in ms (p50)", format!("{:.0}", percentile(&took, 0.5)));
    let p99 = percentile(&took, 0.99);
    verdict.figure("event shown, in ms (p99)", format!("{p99:.0}"), "≤ 500", many, p99 <= SHOWN_WITHIN);

    rig.program.stop().await?;
    rig.program.start().await?;
    let back = Instant::now();
    write(&rig, &visitor, "event 2").await?;
    let shown = wall.wait(2, many).await;
    verdict.never("pages that missed what was said at a restart", missing(shown), many);
    let good = back.elapsed() <= BACK_WITHIN;
    let took = format!("{:.1}", back.elapsed().as_secs_f64());
    verdict.figure("all back after a restart, in s", took, "≤ 30", many, good);
    pages.shutdown().await;

    // Pages of people who have written nothing yet, beside customers who order elsewhere.
    rig.begin(rig.habits());
    let idle = rig.program.worked()?;
    tokio::time::sleep(WELL).await;
    let alone = rig.program.worked()? - idle;
    let before = rig.load.shared().take_answers();
    let strangers = Arc::new(Wall::default());
    for _ in 0..many {
        let stranger = format!("{:032x}", rig.random.random::<u128>());
        pages.spawn(page(rig.program.port(), stranger, Arc::clone(&strangers)));
    }
    tokio::time::sleep(WELL).await;
    rig.load.shared().take_answers();
    let settled = rig.program.worked()?;
    tokio::time::sleep(WELL).await;
    let beside = rig.program.worked()? - settled;
    let during = rig.load.shared().take_answers();
    pages.shutdown().await;
    rig.verdict = verdict;
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    verdict.told("webhook answered without pages, in ms (p99)", format!("{:.1}", before.percentile(0.99)));
    verdict.told("webhooks a second without pages", before.took.len() as u64 / WELL.as_secs());
    verdict.told("webhooks a second beside strangers' pages", during.took.len() as u64 / WELL.as_secs());
    let p99 = during.percentile(0.99);
    let good = p99 <= ACKNOWLEDGED_WITHIN;
    let share = |worked: Duration| format!("{:.0} %", 100.0 * worked.as_secs_f64() / WELL.as_secs_f64());
    verdict.told("work without pages, of one processor", share(alone));
    verdict.told("work beside strangers' pages, of one processor", share(beside));
    let what = "webhook answered beside strangers' pages, in ms (p99)";
    verdict.figure(what, format!("{p99:.1}"), "≤ 250", during.took.len(), good);
    Ok(verdict)
}

/// What was shown on all pages together: when each event was, on each.
#[derive(Default)]
struct Wall {
    shown: [Mutex<Vec<Instant>>; 3],
    /// Connections that were opened, over all pages and lives.
    opened: AtomicUsize,
}

impl Wall {
    /// Waits until so many pages have shown an event: how many did in the end.
    async fn wait(&self, event: usize, many: usize) -> usize {
        let begun = Instant::now();
        loop {
            let shown = self.lock(event).len();
            if shown >= many || begun.elapsed() > PATIENCE {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn since(&self, event: usize, begun: Instant) -> Vec<Duration> {
        self.lock(event).iter().map(|shown| shown.saturating_duration_since(begun)).collect()
    }

    fn lock(&self, event: usize) -> std::sync::MutexGuard<'_, Vec<Instant>> {
        self.shown[event].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open page: follows the stream, and comes back where it ends, from the last event that it has seen.
async fn page(port: u16, visitor: String, wall: Arc<Wall>) {
    let mut last = String::from("0");
    let mut seen = HashSet::new();
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await {
            wall.opened.fetch_add(1, Ordering::Relaxed);
            let request = format!(
                "GET /chat/pizzeria/events?after=0 HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: visitor={visitor}\r\n\
                 last-event-id: {last}\r\n\r\n"
            );
            if stream.write_all(request.as_bytes()).await.is_ok() {
                follow(stream, &wall, &mut last, &mut seen).await;
            }
        }
        let wait = rand::rng().random_range(COMES_BACK);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

async fn follow(mut stream: TcpStream, wall: &Wall, last: &mut String, seen: &mut HashSet<usize>) {
    let mut text = String::new();
    let mut bytes = [0; 2_048];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        while let Some(end) = text.find('\n') {
            let line: String = text.drain(..=end).collect();
            if let Some(id) = line.strip_prefix("id: ") {
                *last = id.trim().to_owned();
            }
            // The visitor's own words come back to every tab; the shop's answers do not hold them.
            if !line.contains(r#""author":"customer""#) {
                continue;
            }
            for event in 0..wall.shown.len() {
                if line.contains(&format!("event {event}")) && seen.insert(event) {
                    wall.lock(event).push(Instant::now());
                }
            }
        }
    }
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
