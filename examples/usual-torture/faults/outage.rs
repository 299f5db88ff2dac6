//! Telegram asks to wait, some chats or everybody, and then fails for a while; all the time the program keeps to the
//! limits that Telegram has, and afterwards everything goes out as fast as they allow.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Options,
    fake::{MOST_A_SECOND, Manner, over_limits},
    load::Habits,
    rig::Rig,
    verdict::Verdict,
};

/// How long all is well, at the beginning and before the outage.
const WELL: Duration = Duration::from_secs(10);

/// Customers and their messages a second while Telegram takes everything in time: half of what it takes.
const CALM_CHATS: usize = 60;
const CALM_RATE: f64 = 15.0;

/// How long some chats are asked to wait again and again, how many of their messages, and for how many seconds: as an
/// impatient vendor does, as Telegram mostly does, and longer than any wait of the program's own at such a time.
const WAITING: Duration = Duration::from_secs(60);
const OFTEN: f64 = 0.2;
const WAITS: [u64; 3] = [1, 3, 20];

/// How long everybody is asked to wait.
const CLOSED: Duration = Duration::from_secs(20);

/// Messages a second during the outage, at most, beside the calm ones. What a minute leaves then takes some minutes to
/// go out, longer than the longest wait between two tries that a minute can bring about: of a program that waits no
/// longer than it has to, the limits alone decide.
const BUSY_RATE: f64 = 80.0;

/// How much longer than the limits ask for a backlog may take to go out (F8).
const MOST_SLOWER: f64 = 1.1;

/// How much longer it is watched, beside the length of the outage three times: for as long as a try that failed last
/// may wait for the next.
const WATCHED: Duration = Duration::from_secs(240);

#[derive(serde::Deserialize)]
struct Waiting {
    count: i64,
}

/// Waits, an outage, and what comes after it (F7, F8).
pub async fn outage(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let out = options.seconds(60);
    rig.program.set("USUAL_LIMITS", "on");
    rig.program.start().await?;
    rig.begin(Habits { chats: CALM_CHATS, rate: CALM_RATE.min(options.rate), shuffled: 0.0, ..rig.habits() });
    tokio::time::sleep(WELL).await;

    let before = rig.fake.count();
    rig.fake.behave(Manner { too_many: OFTEN, waits: WAITS, ..Manner::default() });
    tokio::time::sleep(WAITING).await;
    let beside = rig.fake.count() - before;
    let closed = Instant::now();
    rig.fake.behave(Manner { closed_until: Some(closed + CLOSED), ..Manner::default() });
    tokio::time::sleep(CLOSED + WELL).await;

    rig.fake.behave(Manner { out: true, ..Manner::default() });
    let begun = Instant::now();
    rig.begin(Habits { rate: BUSY_RATE.min(options.rate), shuffled: 0.0, ..rig.habits() });
    tokio::time::sleep(out).await;
    rig.load.finish().await?;
    let waiting: Vec<Waiting> = rig.books.rows(
        "SELECT conversation_id, count(*) AS count FROM outbox WHERE channel = 'telegram' GROUP BY conversation_id",
    )?;
    let backlog: i64 = waiting.iter().map(|chat| chat.count).sum();
    let longest = waiting.iter().map(|chat| chat.count).max().unwrap_or(0);
    // Thirty a second in all, and one a second to each.
    let bound = Duration::from_secs_f64((backlog as f64 / MOST_A_SECOND as f64).max(longest as f64));
    let sent = rig.fake.count();
    let healed = Instant::now();
    rig.fake.behave(Manner::default());
    let mut first = None;
    let drained = loop {
        if first.is_none() && rig.fake.count() > sent {
            first = Some(healed.elapsed());
        }
        if rig.program.unsent().await == Some(0) {
            break Some(healed.elapsed());
        }
        if healed.elapsed() > bound.mul_f64(MOST_SLOWER) + out * 3 + WATCHED {
            break None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let took = drained.unwrap_or_else(|| healed.elapsed());
    let used = (rig.fake.count() - sent) as f64 / (took.as_secs_f64() * MOST_A_SECOND as f64);
    rig.heal_and_check().await?;
    rig.all_answered();
    let (calls, troubles) = (rig.fake.calls(), rig.fake.troubles());
    let mut verdict = rig.verdict;
    verdict.seen("messages taken while some chats had to wait", beside);
    verdict.seen("answers 429", troubles.too_many);
    verdict.seen("answers 500", troubles.broken);
    // Each chat of them had not been told yet: Telegram does not say whom a wait is about.
    let meanwhile = calls.iter().filter(|call| call.at > closed && call.at < closed + CLOSED).count();
    verdict.told("messages tried while everybody had to wait", meanwhile);
    let tried = calls.iter().filter(|call| call.at > begun && call.at < healed).count();
    verdict.told("messages tried during the outage", tried);
    verdict.told("the outage, in s", (healed - begun).as_secs());
    let (in_all, to_one) = over_limits(&calls);
    verdict.never("seconds with more messages than Telegram takes", in_all, calls.len());
    verdict.never("seconds with more messages to one chat", to_one, calls.len());
    verdict.seen("messages that waited when it was over", usize::try_from(backlog).unwrap_or(0));
    let after = first.map_or_else(|| "never".to_owned(), |first| format!("{:.1}", first.as_secs_f64()));
    verdict.told("first message taken after it was over, in s", after);
    verdict.told("part of the limit used until the last", format!("{:.0} %", 100.0 * used));
    let most = bound.mul_f64(MOST_SLOWER);
    let good = drained.is_some_and(|drained| drained <= most);
    let goal = format!("≤ {:.0}", most.as_secs_f64());
    verdict.figure("all taken after it was over, in s", format!("{:.0}", took.as_secs_f64()), &goal, 1, good);
    Ok(verdict)
}
