//! The clock jumps, under a running program.

use std::{path::Path, time::Duration};

use anyhow::bail;

use crate::{Options, rig::Rig, verdict::Verdict};

/// Where Debian's `faketime` puts the library; the part of the path that names the machine is looked for.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// How the clock stands, one after the other, as libfaketime reads it.
const STEPS: [&str; 8] = ["-1h", "+0", "+1h", "+0", "+10y", "+0", "-30d", "+0"];

/// How long it stands so.
const STAND: Duration = Duration::from_secs(5);

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
    ] {
        rig.program.environment.push((name.to_owned(), value));
    }
    rig.program.start().await?;
    // Who is shown the order again after half an hour, or finds the shop open, has to say yes once more: how many orders
    // a chat makes is not known.
    rig.begin(crate::load::Habits { uncounted: true, ..rig.habits() });
    let rounds = options.trials(3);
    let mut findings = Vec::new();
    for _ in 0..rounds {
        for step in STEPS {
            // In one go, as the program may read it at any moment.
            let new = folder.join("clock.new");
            std::fs::write(&new, format!("{step}\n"))?;
            std::fs::rename(&new, &clock)?;
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
    let mut verdict = rig.verdict;
    verdict.never("jumps that stopped anything", findings, rounds * STEPS.len());
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
