//! The disk: cut off from its power, full, read-only, failing.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::bail;
use rand::Rng as _;

use super::ends::bound;
use crate::{
    Options,
    books::Books,
    disk::{Disk, Trouble},
    rig::Rig,
    verdict::Verdict,
};

/// From when to when after it is ready the power goes, in milliseconds.
const LIFE: std::ops::RangeInclusive<u64> = 50..=600;

/// From when to when after it is ready writes and flushes fail, in milliseconds, before the power goes too. Long enough
/// for some of both, short enough for a hundred such lives in a few minutes.
const ILL: std::ops::RangeInclusive<u64> = 150..=750;

/// How long a disk stays full or read-only, and how long it is well in between.
const SPELL: Duration = Duration::from_secs(3);

/// Room that is left where the disk fills up, in bytes: some seconds of orders.
const LITTLE_ROOM: u64 = 256 * 1024;

/// Writes and flushes that fail, of 1, where single ones do.
const FAILING: f64 = 0.02;

/// How long it may take until a webhook is answered well again, with room on the disk.
const WELL_WITHIN: Duration = Duration::from_secs(10);

/// The power goes. With `--control` the disk lies about its flushes, and something has to be lost.
pub async fn power(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    if options.database != "sqlite" {
        return super::servers::power(options, folder).await;
    }
    let mut disk = Disk::new(&folder.join("disk"))?;
    let mut rig = Rig::at(options, folder, disk.file("usual.db")).await?;
    let cuts = options.trials(if options.control { 8 } else { 200 });
    // The tables are made on an honest disk: a shop that never opened has nothing to lose.
    rig.program.start().await?;
    disk.suffer(Trouble { lying: options.control, ..Trouble::default() });
    rig.begin(rig.habits());
    let mut starts = Vec::new();
    let mut damage = Vec::new();
    for cut in 0..cuts {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(LIFE))).await;
        disk.power_off();
        rig.kill().await?;
        disk.power_on(&mut rig.random)?;
        let copy = tempfile::tempdir_in(folder)?;
        disk.copy_to(copy.path())?;
        let found = Books::Sqlite(copy.path().join("usual.db")).damage()?.unwrap_or_default();
        if !found.is_empty() {
            damage.push(format!("cut {cut}: {}", found.join("; ")));
            if options.control {
                break;
            }
        }
        starts.push(rig.program.start().await?);
    }
    if options.control {
        rig.load.shared().hold(true);
        if rig.program.id().is_some() {
            rig.program.kill().await?;
        }
        rig.books = copied(&disk, folder)?;
        if damage.is_empty() {
            rig.check(false)?;
        }
        disk.unmount()?;
        let mut verdict = Verdict::default();
        let lost = rig.verdict.failures("acknowledged updates that are lost");
        verdict.figure("cuts of a disk that lies about flushes", starts.len(), "–", 0, true);
        let what = "acknowledged updates lost, or images damaged";
        verdict.figure(what, lost + damage.len(), "> 0 (control)", starts.len(), lost + damage.len() > 0);
        return Ok(verdict);
    }
    rig.heal().await?;
    rig.books = copied(&disk, folder)?;
    rig.check(true)?;
    let counts = disk.counts();
    disk.unmount()?;
    let mut verdict = rig.verdict;
    verdict.never("images that were damaged", damage, cuts);
    verdict.told("flushes", counts.flushes);
    verdict.told("KiB written and not flushed at the cuts", counts.dropped / 1024);
    verdict.told("cuts", cuts);
    super::ends::restarts(&mut verdict, &starts);
    bound(&mut verdict, "cuts, with messages since the last, that did harm", rig.harms);
    Ok(verdict)
}

/// The disk fills up, and has room again.
pub async fn full(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    spells(options, folder, |disk| Trouble { room: Some(disk.used() + LITTLE_ROOM), ..Trouble::default() }).await
}

/// The disk can't be written, and then it can.
pub async fn readonly(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    spells(options, folder, |_| Trouble { readonly: true, ..Trouble::default() }).await
}

async fn spells(options: &Options, folder: &Path, trouble: fn(&Disk) -> Trouble) -> anyhow::Result<Verdict> {
    let mut disk = Disk::new(&folder.join("disk"))?;
    let mut rig = Rig::at(options, folder, disk.file("usual.db")).await?;
    let spells = options.trials(10);
    rig.program.start().await?;
    rig.begin(rig.habits());
    let (mut unread, mut stalled, mut refused) = (Vec::new(), Vec::new(), 0);
    let mut well_after = Duration::ZERO;
    for spell in 0..spells {
        tokio::time::sleep(SPELL).await;
        let before = disk.counts().refused;
        disk.suffer(trouble(&disk));
        rig.load.shared().take_answers();
        let ill = Instant::now();
        while ill.elapsed() < SPELL || (disk.counts().refused == before && ill.elapsed() < SPELL * 10) {
            if !rig.program.ready().await {
                unread.push(format!("spell {spell}: not ready {} ms after its begin", ill.elapsed().as_millis()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        refused += rig.load.shared().take_answers().failed();
        if let Some(status) = rig.program.ended()? {
            bail!("the program ended ({status}); its last words:\n{}", rig.program.last_words());
        }
        disk.suffer(Trouble::default());
        let healing = Instant::now();
        while rig.load.shared().take_answers().took.is_empty() {
            if healing.elapsed() > WELL_WITHIN {
                stalled.push(format!("spell {spell}: no message is taken {} s after", WELL_WITHIN.as_secs()));
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        well_after = well_after.max(healing.elapsed());
    }
    rig.heal().await?;
    rig.books = copied(&disk, folder)?;
    rig.check(true)?;
    let counts = disk.counts();
    disk.unmount()?;
    let mut verdict = rig.verdict;
    verdict.told("spells", spells);
    verdict.seen("writes that the disk refused", counts.refused);
    verdict.seen("webhooks that were answered 5xx meanwhile", refused);
    verdict.never("times that it could not be read", unread, spells);
    verdict.never("spells from which it did not recover by itself", stalled, spells);
    verdict.told("first message taken after the spell, in ms", well_after.as_millis());
    Ok(verdict)
}

/// Single writes and flushes fail; after each such spell the power goes, so that what was not flushed shows.
pub async fn io(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let mut disk = Disk::new(&folder.join("disk"))?;
    let mut rig = Rig::at(options, folder, disk.file("usual.db")).await?;
    let spells = options.trials(100);
    rig.program.start().await?;
    rig.begin(rig.habits());
    let (mut ended, mut failed) = (0, 0);
    let mut starts = Vec::new();
    let mut damage = Vec::new();
    for spell in 0..spells {
        disk.suffer(Trouble { failing: FAILING, ..Trouble::default() });
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(ILL))).await;
        // A program that ends when a flush has failed does right: what it had written is not to be trusted.
        ended += usize::from(rig.program.ended()?.is_some());
        disk.power_off();
        disk.suffer(Trouble::default());
        rig.kill().await?;
        disk.power_on(&mut rig.random)?;
        let copy = tempfile::tempdir_in(folder)?;
        disk.copy_to(copy.path())?;
        let found = Books::Sqlite(copy.path().join("usual.db")).damage()?.unwrap_or_default();
        if !found.is_empty() {
            damage.push(format!("cut {spell}: {}", found.join("; ")));
        }
        failed += rig.load.shared().take_answers().failed();
        starts.push(rig.program.start().await?);
    }
    rig.heal().await?;
    rig.books = copied(&disk, folder)?;
    rig.check(true)?;
    let counts = disk.counts();
    disk.unmount()?;
    let mut verdict = rig.verdict;
    verdict.told("spells, each with a cut of the power at its end", spells);
    verdict.seen("writes and flushes that failed", counts.failed);
    verdict.told("times that the program ended by itself", ended);
    verdict.seen("webhooks that were answered 5xx", failed);
    verdict.never("images that were damaged", damage, spells);
    super::ends::restarts(&mut verdict, &starts);
    bound(&mut verdict, "cuts, with messages since the last, that did harm", rig.harms);
    Ok(verdict)
}

/// The database in an ordinary folder, for the checker: with the evidence, and readable once the disk is gone.
fn copied(disk: &Disk, folder: &Path) -> anyhow::Result<Books> {
    let place = folder.join("checked");
    disk.copy_to(&place)?;
    Ok(Books::Sqlite(place.join("usual.db")))
}
