//! Telegram repeats, and a busy evening comes at its own pace.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Options,
    load::{Flow, Habits},
    rig::Rig,
    verdict::Verdict,
};

/// The most copies of an update at once.
const COPIES: usize = 50;

/// Updates a second that a shop on two cores has to take (scorecard 7).
const STEADY: f64 = 500.0;

/// Chats from which they come: one update of each every four seconds, as of somebody who types.
const STEADY_CHATS: usize = 2_000;

/// Within which half of the webhooks have to be answered, and all but one in a hundred, in milliseconds (scorecard 7).
const HALF_WITHIN: f64 = 20.0;
const NEARLY_ALL_WITHIN: f64 = 250.0;

/// What no webhook may take (scorecard 7).
const TOO_LONG: Duration = Duration::from_secs(1);

/// Least part of the planned updates that has to be answered, or the run has shown nothing of such a rate.
const LEAST_TAKEN: f64 = 0.99;

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
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    rig.load.finish().await?;
    let took = begun.elapsed();
    let answers = rig.load.shared().take_answers();
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    verdict.told("copies a second", format!("{:.0}", answers.took.len() as f64 / took.as_secs_f64()));
    verdict.time("answer, in ms (p50)", &answers.took, 0.5, None);
    verdict.time("answer, in ms (p99)", &answers.took, 0.99, None);
    Ok(verdict)
}

/// So many updates every second, whatever becomes of them; each trial is a second.
pub async fn steady(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let seconds = options.trials(60);
    rig.program.start().await?;
    rig.flow(Flow { chats: STEADY_CHATS, rate: STEADY });
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    rig.load.finish().await?;
    let answers = rig.load.shared().take_answers();
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    let (took, planned) = (&answers.took, STEADY * seconds as f64);
    let good = took.len() as f64 >= LEAST_TAKEN * planned;
    verdict.figure("webhooks answered, of those planned", took.len(), &format!("≥ 99 % of {planned}"), seconds, good);
    verdict.time("webhook answered after it was due, in ms (p50)", took, 0.5, Some(HALF_WITHIN));
    verdict.time("webhook answered after it was due, in ms (p99)", took, 0.99, Some(NEARLY_ALL_WITHIN));
    let slow = took.iter().filter(|took| **took > TOO_LONG);
    let slow = slow.map(|took| format!("answered after {:.1} s", took.as_secs_f64())).collect();
    verdict.never("webhooks that took more than a second", slow, took.len());
    verdict.time("of that, not the program's: posted late, in ms (p99)", &answers.late, 0.99, None);
    Ok(verdict)
}
