//! Telegram is ill: it refuses, breaks, hangs up, is slow, or says nothing at all.

use std::{path::Path, time::Duration};

use crate::{Options, fake::Manner, rig::Rig, verdict::Verdict};

/// How long webhooks are measured before anything is wrong.
const WELL: Duration = Duration::from_secs(10);

/// How long every answer takes where Telegram is slow: longer than the program waits.
const SLOW: Duration = Duration::from_secs(20);

/// Answers of each kind of trouble, of 1.
const OFTEN: f64 = 0.01;

/// Within which a webhook has to be answered, in milliseconds (scorecard 7).
const ACKNOWLEDGED_WITHIN: f64 = 250.0;

/// One answer in a hundred is "too many requests", one is 500, one message is taken and not answered.
pub async fn flaky(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    rig.program.start().await?;
    rig.fake.behave(Manner { too_many: OFTEN, broken: OFTEN, reset: OFTEN, ..Manner::default() });
    rig.begin(rig.habits());
    tokio::time::sleep(options.seconds(60)).await;
    // Customers end their orders while it is still ill.
    rig.load.finish().await?;
    let troubles = rig.fake.troubles();
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    verdict.seen("answers 429", troubles.too_many);
    verdict.seen("answers 500", troubles.broken);
    verdict.seen("messages taken and not answered", troubles.reset);
    Ok(verdict)
}

/// Every answer takes 20 s, and webhooks are answered as ever.
pub async fn slow(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    unaffected(options, folder, Manner { delay: SLOW, ..Manner::default() }).await
}

/// Connections are taken, and nothing comes back.
pub async fn halfopen(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    unaffected(options, folder, Manner { mute: true, ..Manner::default() }).await
}

async fn unaffected(options: &Options, folder: &Path, manner: Manner) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    rig.program.start().await?;
    rig.begin(rig.habits());
    tokio::time::sleep(WELL).await;
    let before = rig.load.shared().take_answers();
    rig.fake.behave(manner);
    tokio::time::sleep(options.seconds(60)).await;
    let during = rig.load.shared().take_answers();
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    verdict.time("webhook answered before, in ms (p99)", &before.took, 0.99, None);
    verdict.time("webhook answered meanwhile, in ms (p99)", &during.took, 0.99, Some(ACKNOWLEDGED_WITHIN));
    Ok(verdict)
}
