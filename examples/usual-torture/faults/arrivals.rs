//! Telegram repeats and reorders.

use std::{path::Path, sync::Arc, time::Instant};

use rand::{Rng as _, seq::SliceRandom as _};
use tokio::task::JoinSet;

use crate::{Options, load::Habits, rig::Rig, verdict::Verdict};

/// The most copies of an update at once.
const COPIES: usize = 50;

/// Updates of a chat that come in every order.
const SCRIPT: [&str; 5] = ["2 margherita #{id}", "and 1 diavola #{id}", "pickup", "Anna", "yes"];

/// All orders of five.
const PERMUTATIONS: usize = 120;

/// Every update comes 2 to 50 times at once: one effect, and all copies are answered well.
pub async fn redeliver(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let events = options.trials(10_000);
    rig.program.start().await?;
    let begun = Instant::now();
    rig.begin(Habits {
        chats: options.chats,
        rate: options.rate,
        repeats: 1.0,
        copies: COPIES,
        shuffled: 0.0,
        uncounted: false,
    });
    while rig.load.shared().acknowledged() < events {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    rig.load.finish().await?;
    let took = begun.elapsed();
    let answers = rig.load.shared().take_answers();
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    let others: usize = answers.statuses.iter().filter(|(code, _)| **code != 200).map(|(_, count)| count).sum();
    let others = others + answers.refused + answers.broken.len();
    let findings = (0..others).map(|_| format!("{:?}", answers.statuses)).collect();
    verdict.never("copies that were not answered 200", findings, answers.took.len());
    verdict.told("copies a second", format!("{:.0}", answers.took.len() as f64 / took.as_secs_f64()));
    verdict.told("answer, in ms (p50)", format!("{:.1}", answers.percentile(0.5)));
    verdict.told("answer, in ms (p99)", format!("{:.1}", answers.percentile(0.99)));
    Ok(verdict)
}

/// Five updates of a chat in every order, one after the other and all at once: the same order comes to the same state
/// each time, and whatever the order, nothing is lost or doubled.
pub async fn reorder(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let rounds = options.trials(20);
    rig.program.start().await?;
    let shared = Arc::clone(rig.load.shared());
    let mut states: std::collections::BTreeMap<Vec<usize>, Vec<i64>> = std::collections::BTreeMap::new();
    for _ in 0..rounds {
        let mut together = JoinSet::new();
        for permutation in permutations() {
            let (chat, shared) = (shared.new_chat(), Arc::clone(&shared));
            states.entry(permutation.clone()).or_default().push(chat);
            let mut order = permutation;
            let at_once = rig.random.random_bool(0.3);
            if at_once {
                // The network decides; the chat is no witness of this order.
                states.entry(order.clone()).or_default().pop();
                order.shuffle(&mut rig.random);
            }
            together.spawn(async move {
                let updates: Vec<_> = order.iter().map(|&at| shared.write_down(chat, SCRIPT[at], 1)).collect();
                let mut posts = JoinSet::new();
                for update in updates {
                    let shared = Arc::clone(&shared);
                    if at_once {
                        posts.spawn(async move { shared.deliver(update).await });
                    } else {
                        shared.deliver(update).await;
                    }
                }
                while posts.join_next().await.is_some() {}
            });
        }
        while together.join_next().await.is_some() {}
    }
    rig.heal_and_check().await?;
    let ends = ends(&rig)?;
    let mut verdict = rig.verdict;
    let mut findings = Vec::new();
    for (order, chats) in &states {
        let first = chats.first().and_then(|chat| ends.get(chat));
        findings.extend(
            chats
                .iter()
                .filter(|chat| ends.get(chat) != first)
                .map(|chat| format!("{order:?}: chat {chat} came to {:?}, others to {first:?}", ends.get(chat))),
        );
    }
    verdict.never("same order of updates, another outcome", findings, rounds * PERMUTATIONS);
    let in_order = states.get(&(0..SCRIPT.len()).collect::<Vec<_>>()).and_then(|chats| ends.get(chats.first()?));
    verdict.told("orders and total where it came in order", format!("{in_order:?}"));
    Ok(verdict)
}

#[derive(serde::Deserialize)]
struct End {
    peer: String,
    orders: i64,
    total: i64,
}

/// What each chat came to: how many orders, and what they cost.
fn ends(rig: &Rig) -> anyhow::Result<std::collections::HashMap<i64, (i64, i64)>> {
    let rows: Vec<End> = rig.books.rows(
        "SELECT c.peer, count(o.order_id) AS orders, CAST(coalesce(sum(o.total), 0) AS BIGINT) AS total \
         FROM conversation c LEFT JOIN orders o \
         ON o.merchant_id = c.merchant_id AND o.conversation_id = c.conversation_id \
         WHERE c.channel = 'telegram' GROUP BY c.peer",
    )?;
    Ok(rows.into_iter().filter_map(|row| Some((row.peer.parse().ok()?, (row.orders, row.total)))).collect())
}

fn permutations() -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..SCRIPT.len() {
        let longer = |one: &Vec<usize>| {
            (0..=one.len())
                .map(|at| {
                    let mut one = one.clone();
                    one.insert(at, next);
                    one
                })
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}
