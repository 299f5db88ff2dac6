//! The clock jumps, under a running program that keeps to Telegram's limits, while some messages are refused and wait
//! for another try. A wait is a stretch of time and no moment of the wall clock: none may end early or be for ever.

use std::{path::Path, time::Duration};

use anyhow::bail;

use crate::{
    Options,
    fake::{Manner, over_limits},
    load::Habits,
    rig::Rig,
    verdict::Verdict,
};

/// Where Debian's `faketime` puts the library; the part of the path that names the machine is looked for.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// How the clock stands, one after the other, as libfaketime reads it.
const STEPS: [&str; 8] = ["-1h", "+0", "+1h", "+0", "+10y", "+0", "-30d", "+0"];

/// The step in which the program is killed and started too: as on a small machine without a clock of its own, which is
/// set only some time after the start.
const STARTED_AT: &str = "-30d";

/// How long it stands so.
const STAND: Duration = Duration::from_secs(5);

/// Customers, and their messages a second at most: below Telegram's limits, as they are kept here.
const CHATS: usize = 80;
const RATE: f64 = 20.0;

/// Messages that Telegram asks to send later, and those that it fails to take, of 1; with waits that end within a step
/// and beyond it, in seconds.
const OFTEN: f64 = 0.1;
const WAITS: [u64; 3] = [1, 3, 6];

/// How long after its wait was over a message may be sent, in milliseconds: others may be before it.
const SENT_WITHIN: f64 = 5_000.0;

/// The clock goes an hour back and forth, ten years ahead and a month back.
pub async fn clock(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut rig = Rig::new(options, folder).await?;
    let clock = folder.join("clock");
    std::fs::write(&clock, "+0\n")?;
    for (name, value) in [
        ("LD_PRELOAD", library()?),
        ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("USUAL_LIMITS", "on".to_owned()),
    ] {
        rig.program.set(name, &value);
    }
    rig.program.start().await?;
    rig.fake.behave(Manner { too_many: OFTEN, broken: OFTEN, waits: WAITS, ..Manner::default() });
    // Who is shown the order again after half an hour, or finds the shop open, has to say yes once more: how many
    // orders a chat makes is not known.
    let rate = RATE.min(options.rate);
    rig.begin(Habits { chats: CHATS, rate, shuffled: 0.0, uncounted: true, ..rig.habits() });
    let rounds = options.trials(3);
    let mut findings = Vec::new();
    for _ in 0..rounds {
        for step in STEPS {
            // In one go, as the program may read it at any moment.
            let new = folder.join("clock.new");
            std::fs::write(&new, format!("{step}\n"))?;
            std::fs::rename(&new, &clock)?;
            rig.harmed();
            if step == STARTED_AT {
                rig.kill().await?;
                rig.program.start().await?;
            }
            rig.load.shared().take_answers();
            let sent = rig.fake.count();
            tokio::time::sleep(STAND).await;
            let answers = rig.load.shared().take_answers();
            if answers.took.is_empty() {
                findings.push(format!("{step}: no message was taken"));
            }
            if rig.fake.count() == sent {
                findings.push(format!("{step}: no answer went out"));
            }
            if answers.failed() > 0 {
                findings.push(format!("{step}: {} webhooks were answered 5xx", answers.failed()));
            }
            if !rig.program.ready().await {
                findings.push(format!("{step}: not ready"));
            }
        }
    }
    rig.heal_and_check().await?;
    let (calls, waits) = (rig.fake.calls(), rig.fake.waits());
    let mut verdict = rig.verdict;
    verdict.never("jumps that stopped anything", findings, rounds * STEPS.len());
    verdict.time("sent after its wait was over, in ms (slowest)", &waits.late, 1.0, Some(SENT_WITHIN));
    let (in_all, to_one) = over_limits(&calls);
    verdict.never("seconds with more messages than Telegram takes", in_all, calls.len());
    verdict.never("seconds with more messages to one chat", to_one, calls.len());
    Ok(verdict)
}

fn library() -> anyhow::Result<String> {
    for folder in std::fs::read_dir("/usr/lib")?.flatten().map(|entry| entry.path()) {
        let library = folder.join(LIBRARY);
        if library.is_file() {
            return Ok(library.display().to_string());
        }
    }
    bail!("libfaketime is needed (Debian's package faketime)")
}
