//! Copies of the database, made while customers order.

use std::{path::Path, time::Duration};

use anyhow::bail;

use crate::{Options, books::Books, check, rig::Rig, verdict::Verdict};

/// Between two copies.
const PAUSE: Duration = Duration::from_millis(500);

/// `usual backup` under load; what `usual restore` makes of it agrees with itself, and has all that was acknowledged
/// before the copy was begun.
pub async fn backup(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    if options.database != "sqlite" {
        bail!("copies are made of SQLite alone");
    }
    let mut rig = Rig::new(options, folder).await?;
    let copies = options.trials(20);
    rig.program.start().await?;
    rig.begin(rig.habits());
    let mut findings = Vec::new();
    let mut rows = Vec::new();
    for copy in 0..copies {
        tokio::time::sleep(PAUSE).await;
        let before = rig.load.shared().updates();
        let file = folder.join(format!("copy-{copy}.db"));
        let output = rig.program.run(&["backup", &file.display().to_string()]).await?;
        if !output.status.success() {
            findings.push(format!("copy {copy}: {}", String::from_utf8_lossy(&output.stderr)));
            continue;
        }
        let restored = folder.join(format!("restored-{copy}.db"));
        let mut elsewhere = rig.program.another()?;
        elsewhere.database_url = format!("sqlite://{}", restored.display());
        let output = elsewhere.run(&["restore", &file.display().to_string()]).await?;
        if !output.status.success() {
            findings.push(format!("restoring copy {copy}: {}", String::from_utf8_lossy(&output.stderr)));
            continue;
        }
        let books = Books::Sqlite(restored);
        let wrong = check::check_copy(&books, &rig.load.shared().updates(), &before)?;
        findings.extend(wrong.into_iter().map(|wrong| format!("copy {copy}: {wrong}")));
        rows.push(before.values().filter(|update| update.acknowledged).count());
    }
    rig.heal_and_check().await?;
    rig.all_answered();
    let mut verdict = rig.verdict;
    verdict.told("updates in the first and the last copy, at least", format!("{:?}, {:?}", rows.first(), rows.last()));
    verdict.never("copies that are wrong or lack anything", findings, copies);
    Ok(verdict)
}
