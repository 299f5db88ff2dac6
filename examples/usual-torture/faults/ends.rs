//! The program ends: killed at any moment, asked to, or killed while it makes its tables.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rand::Rng as _;

use crate::{Options, load::Broken, rig::Rig, verdict::Verdict};

/// From when to when after it is ready the program is killed, in milliseconds. Short, so that many kills meet the
/// start, the sending of what was left, and the first commits.
const LIFE: std::ops::RangeInclusive<u64> = 20..=300;

/// From when to when it runs before it is asked to end, in milliseconds.
const LONGER_LIFE: std::ops::RangeInclusive<u64> = 100..=600;

/// A request that was sent this shortly before the signal may reach a connection that is closed already.
const ON_ITS_WAY: Duration = Duration::from_millis(2);

/// How long a restart may take (scorecard 1).
const READY_WITHIN: Duration = Duration::from_secs(2);

/// How long an orderly end may take.
const END_WITHIN: Duration = Duration::from_secs(15);

/// SIGKILL at random moments, and a start on the same database at once.
pub async fn kill(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let kills = options.trials(1_000);
    rig.program.start().await?;
    rig.begin(rig.habits());
    let begun = Instant::now();
    let mut starts = Vec::new();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(LIFE))).await;
        rig.kill().await?;
        starts.push(rig.program.start().await?);
    }
    let took = begun.elapsed();
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    verdict.told("kills", kills);
    verdict.told("kills a second", format!("{:.1}", kills as f64 / took.as_secs_f64()));
    restarts(&mut verdict, &starts);
    bound(&mut verdict, "kills, with messages since the last, that did harm", rig.harms);
    Ok(verdict)
}

/// SIGTERM at random moments. What was begun before it has to be answered well; who finds nobody listening comes again.
pub async fn stop(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let stops = options.trials(100);
    rig.program.start().await?;
    rig.begin(rig.habits());
    let (mut starts, mut ends, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..stops {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(LONGER_LIFE))).await;
        asked.push(Instant::now());
        ends.push(rig.program.stop().await?);
        // What was on the wire was waited for: nothing may come twice, so nothing is added to what was in flight.
        rig.fake.quiet().await;
        starts.push(rig.program.start().await?);
    }
    let answers = rig.load.shared().take_answers();
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    verdict.told("stops", stops);
    let failed = (0..answers.failed()).map(|_| "a webhook was answered 5xx".to_owned()).collect();
    verdict.never("webhooks that were answered 5xx", failed, answers.took.len());
    let (early, late): (Vec<_>, Vec<_>) = answers
        .broken
        .iter()
        .partition(|broken| asked.iter().any(|asked| broken.begun + ON_ITS_WAY < *asked && broken.ended > *asked));
    let early = early.iter().map(|broken: &&Broken| format!("{:?} long", broken.ended - broken.begun)).collect();
    verdict.never("webhooks begun before, whose connection broke", early, answers.took.len());
    verdict.told("webhooks begun after, whose connection broke", late.len());
    verdict.told("webhooks that found nobody listening", answers.refused);
    verdict.time("orderly end, in ms (p50)", &ends, 0.5, None);
    verdict.time("slowest orderly end, in ms", &ends, 1.0, Some(END_WITHIN.as_secs_f64() * 1_000.0));
    restarts(&mut verdict, &starts);
    Ok(verdict)
}

/// SIGKILL in the middle of the first start, while tables are made and the sample shops come in; then it has to start.
pub async fn migrate(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let kills = options.trials(50);
    let mut findings = Vec::new();
    let mut verdict = Verdict::default();
    // How long a whole first start takes, to kill within it.
    let mut rig = Rig::at(options, folder, folder.join("first.db")).await?;
    let whole = rig.program.start().await?;
    rig.program.kill().await?;
    let mut random = rig.random;
    let mut stages = std::collections::BTreeMap::new();
    for trial in 0..kills {
        let file = folder.join(format!("trial-{trial}.db"));
        let mut rig = Rig::at(options, folder, file.clone()).await?;
        rig.program.spawn()?;
        // Most moments early, where the tables are made; the rest of a start is the compiling of the shops.
        tokio::time::sleep(whole.mul_f64(random.random::<f64>().powi(3))).await;
        rig.program.kill().await?;
        let made = rig.books.rows::<Count>("SELECT count(*) AS count FROM sqlite_master WHERE type = 'table'");
        *stages.entry(made.ok().and_then(|rows| rows.first().map(|row| row.count)).unwrap_or(0)).or_insert(0) += 1;
        match rig.program.start().await {
            Ok(_) => {
                let shared = std::sync::Arc::clone(rig.load.shared());
                let chat = shared.new_chat();
                let said = shared.say(chat, "2 margherita #{id}", 1);
                if tokio::time::timeout(END_WITHIN, said).await.is_err() {
                    findings.push(format!("{}: started, and takes no message", file.display()));
                }
                rig.program.stop().await?;
                findings.extend(rig.books.damage()?.unwrap_or_default());
                let shops: Vec<Count> = rig.books.rows("SELECT count(*) AS count FROM merchant")?;
                if shops.first().map(|row| row.count) != Some(3) {
                    findings.push(format!("{}: the sample shops are not three", file.display()));
                }
            }
            Err(fault) => findings.push(format!("{}: {fault:#}", file.display())),
        }
    }
    verdict.told("a first start, in ms", whole.as_millis());
    verdict.told("tables at the kill, and how often", format!("{stages:?}"));
    verdict.never("first starts that a kill has spoilt", findings, kills);
    Ok(verdict)
}

#[derive(serde::Deserialize)]
struct Count {
    count: i64,
}

pub fn restarts(verdict: &mut Verdict, starts: &[Duration]) {
    verdict.time("start to ready, in ms (p50)", starts, 0.5, None);
    verdict.time("slowest start to ready, in ms", starts, 1.0, Some(READY_WITHIN.as_secs_f64() * 1_000.0));
}

/// The fault's own bound: where no check found anything, how often a trial may still do harm.
pub fn bound(verdict: &mut Verdict, what: &str, trials: usize) {
    let findings = if verdict.good() { Vec::new() } else { vec!["see above".to_owned()] };
    verdict.never(what, findings, trials);
}
