//! Offers for thousands of people go out while the program is killed again and again; then they go out as fast as
//! Telegram takes them, and whoever orders meanwhile is answered before them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rand::Rng as _;

use super::ends::{bound, restarts};
use crate::{
    Options,
    fake::{MOST_A_SECOND, Manner, over_limits},
    load::Habits,
    rig::Rig,
    verdict::Verdict,
};

/// To how many people an offer goes while the program is killed (F2).
const PEOPLE: usize = 10_000;

/// To how many it goes while people order and the limits hold: it takes most of two minutes.
const MORE_PEOPLE: usize = 100 * MOST_A_SECOND;

/// Where their chats begin; the customers' are far below.
const FIRST: i64 = 1_000_000_000;

/// How long Telegram takes for an answer, so that a kill meets many messages on the wire, and a hundred of them offers
/// that are still to go.
const DELAY: Duration = Duration::from_millis(150);

/// From when to when after it is ready the program is killed, in milliseconds.
const LIFE: std::ops::RangeInclusive<u64> = 20..=500;

/// Customers who order while the program is killed, and their messages a second.
const CHATS: usize = 50;
const RATE: f64 = 50.0;

/// How many people ask for something while the offers wait, and while none does, and how long after each other.
const ASKING: usize = 200;
const APART: Duration = Duration::from_millis(200);

/// How long one of them may wait for the answer beside the offers, in milliseconds (p99): nobody notices that.
const ANSWERED_WITHIN: f64 = 250.0;

/// How long they wait at most, for the trial to end.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(serde::Deserialize)]
struct Peer {
    peer: String,
}

/// A broadcast of offers through kills, and beside people who order (F2, and what goes first).
pub async fn offers(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let kills = options.trials(100);
    rig.program.start().await?;
    // Somebody whose conversation the others' are made after.
    let somebody = rig.load.shared().new_chat();
    rig.load.shared().say(somebody, "2 margherita", 1).await;
    rig.drained().await?;
    rig.program.stop().await?;
    rig.fake.quiet().await;
    offer(&rig, somebody, FIRST, PEOPLE)?;

    rig.fake.behave(Manner { delay: DELAY, ..Manner::default() });
    let begun = Instant::now();
    let mut starts = vec![rig.program.start().await?];
    rig.begin(Habits { chats: CHATS.min(options.chats), rate: RATE.min(options.rate), ..rig.habits() });
    let (mut unmarked, mut most, mut left) = (0, 0, PEOPLE);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(LIFE))).await;
        rig.kill().await?;
        let waiting = waiting(&rig)?;
        left = waiting.len();
        // Taken by Telegram, and not marked as sent: these come again.
        let again = waiting.iter().filter(|chat| rig.fake.count_of(**chat) > 0).count();
        unmarked += again;
        most = most.max(again);
        starts.push(rig.program.start().await?);
    }
    rig.load.finish().await?;
    rig.fake.behave(Manner::default());
    rig.drained().await?;
    let took = begun.elapsed();
    let counts: Vec<usize> = people(FIRST, PEOPLE).map(|chat| rig.fake.count_of(chat)).collect();
    rig.program.stop().await?;
    rig.fake.quiet().await;

    offer(&rig, somebody, FIRST * 2, MORE_PEOPLE)?;
    let sent = rig.fake.count();
    rig.program.set("USUAL_LIMITS", "on");
    rig.program.start().await?;
    let opened = Instant::now();
    let beside = ask(&rig).await?;
    let still = waiting(&rig)?.len();
    let used = (rig.fake.count() - sent) as f64 / (opened.elapsed().as_secs_f64() * MOST_A_SECOND as f64);
    rig.drained().await?;
    let alone = ask(&rig).await?;
    rig.heal_and_check().await?;

    let calls: Vec<_> = rig.fake.calls().into_iter().filter(|call| call.at > opened).collect();
    let mut verdict = rig.verdict;
    verdict.told("kills", kills);
    verdict.told("offers out after, in s", took.as_secs());
    verdict.seen("offers still to go at the last kill", left);
    let lacking = (0..).zip(&counts).filter(|(_, count)| **count == 0);
    verdict.never("people without the offer", lacking.map(|(person, _)| format!("{person}")).collect(), PEOPLE);
    let twice: usize = counts.iter().map(|count| count.saturating_sub(1)).sum();
    let goal = format!("≤ {unmarked}");
    verdict.figure("offers that came twice, of those not marked at a kill", twice, &goal, PEOPLE, twice <= unmarked);
    verdict.told("offers taken and not marked, at one kill", most);
    restarts(&mut verdict, &starts);
    verdict.seen("offers still to go when the last had asked", still);
    verdict.time("answer beside offers that wait, in ms (p50)", &beside, 0.5, None);
    verdict.time("answer beside offers that wait, in ms (p99)", &beside, 0.99, Some(ANSWERED_WITHIN));
    verdict.time("answer when none waits, in ms (p99)", &alone, 0.99, None);
    let good = used >= 0.9;
    verdict.figure("part of the limit used meanwhile", format!("{:.0} %", 100.0 * used), "≥ 90 %", 1, good);
    let (in_all, to_one) = over_limits(&calls);
    verdict.never("seconds with more messages than Telegram takes", in_all, calls.len());
    verdict.never("seconds with more messages to one chat", to_one, calls.len());
    bound(&mut verdict, "kills, with messages since the last, that did harm", rig.harms);
    Ok(verdict)
}

fn people(first: i64, count: usize) -> impl Iterator<Item = i64> {
    (first..).take(count)
}

/// Puts an offer for so many people into the outbox, as one broadcast would: all at once, due now.
fn offer(rig: &Rig, somebody: i64, first: i64, count: usize) -> anyhow::Result<()> {
    let last = first + i64::try_from(count)? - 1;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let people = format!(
        "WITH RECURSIVE person (peer) AS (SELECT {first} UNION ALL SELECT peer + 1 FROM person WHERE peer < {last}), \
         named (peer, id) AS (SELECT peer, '00000000-0000-7000-8000-' || substr(CAST(1000000000000 + peer AS TEXT), 2) \
         FROM person)"
    );
    rig.books.run(&format!(
        "INSERT INTO conversation (merchant_id, conversation_id, channel, peer, customer_id, version, state, desk, \
         language, next_seq, orders, reachable, last_at) {people} SELECT merchant_id, id, channel, \
         CAST(named.peer AS TEXT), customer_id, 1, state, desk, language, 2, 0, 1, {now} FROM named, conversation c \
         WHERE c.channel = 'telegram' AND c.peer = '{somebody}'"
    ))?;
    // The chats that were made just now: nothing was said there yet.
    let of_them = "FROM conversation c WHERE c.channel = 'telegram' AND NOT EXISTS (SELECT 1 FROM message m \
                   WHERE m.merchant_id = c.merchant_id AND m.conversation_id = c.conversation_id)";
    rig.books.run(&format!(
        "INSERT INTO outbox (merchant_id, conversation_id, seq, channel, due_at, attempts, failed, urgency) \
         SELECT c.merchant_id, c.conversation_id, 1, c.channel, {now}, 0, 0, 'offer' {of_them}"
    ))?;
    rig.books.run(&format!(
        "INSERT INTO message (merchant_id, conversation_id, seq, author, kind, body, at) \
         SELECT c.merchant_id, c.conversation_id, 1, 'bot', 'text', 'Your usual, at half the price today', {now} {of_them}"
    ))
}

/// The chats whose offer is still in the outbox.
fn waiting(rig: &Rig) -> anyhow::Result<Vec<i64>> {
    let sql = "SELECT c.peer FROM outbox o JOIN conversation c ON c.merchant_id = o.merchant_id \
               AND c.conversation_id = o.conversation_id WHERE o.urgency = 'offer'";
    rig.books.rows::<Peer>(sql)?.iter().map(|row| row.peer.parse().context("a chat")).collect()
}

/// Somebody new asks, again and again: how long each waited for the answer.
async fn ask(rig: &Rig) -> anyhow::Result<Vec<Duration>> {
    let shared = rig.load.shared();
    let mut took = Vec::with_capacity(ASKING);
    for _ in 0..ASKING {
        let chat = shared.new_chat();
        let begun = Instant::now();
        shared.say(chat, "a cola #{id}", 1).await;
        while rig.fake.count_of(chat) == 0 {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "chat {chat} got no answer");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        took.push(begun.elapsed());
        tokio::time::sleep(APART.saturating_sub(begun.elapsed())).await;
    }
    Ok(took)
}
