//! What every fault needs: a folder, a Telegram, the program, customers, and the check at the end.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    Options,
    books::Books,
    check::{self, Evidence},
    fake::{Fake, Manner},
    load::{Flow, Habits, Load},
    program::Program,
    verdict::Verdict,
};

/// How long what waits in the outbox may take to go out once nothing is wrong any more. The third try of a message
/// comes half a minute after the second, the fourth two minutes later.
const HEAL_WITHIN: Duration = Duration::from_secs(240);

/// The stage of a torture.
pub struct Rig {
    /// The evidence's folder.
    pub folder: PathBuf,
    pub fake: Fake,
    pub program: Program,
    pub load: Load,
    pub books: Books,
    /// The fault's own choices.
    pub random: StdRng,
    pub verdict: Verdict,
    /// Messages that may have come twice.
    pub in_flight: usize,
    /// How often harm was done: see [`Rig::harmed`].
    pub harms: usize,
    /// Whether several programs share the database.
    pub several: bool,
    /// When a program was sent a signal: see [`Rig::signalled`].
    pub signals: Vec<Instant>,
    /// Webhooks that had been answered well when harm was last done.
    good_before: usize,
    options: Options,
}

impl Rig {
    /// Sets the stage: the database is a file in the folder, or what `--database` names. Nothing runs yet.
    pub async fn new(options: &Options, folder: &Path) -> anyhow::Result<Rig> {
        Rig::at(options, folder, folder.join("usual.db")).await
    }

    /// As [`Rig::new`], with the file elsewhere.
    pub async fn at(options: &Options, folder: &Path, file: PathBuf) -> anyhow::Result<Rig> {
        let (url, books) = match options.database.as_str() {
            "sqlite" => (format!("sqlite://{}", file.display()), Books::Sqlite(file)),
            address => (address.to_owned(), Books::Postgres(address.to_owned())),
        };
        let fake = Fake::start().await?;
        let program = Program::new(options.usual.clone(), folder, fake.url(), url)?;
        let load = Load::new(&[&program])?;
        let random = StdRng::seed_from_u64(options.seed.unwrap_or(0));
        Ok(Rig {
            folder: folder.to_owned(),
            fake,
            program,
            load,
            books,
            random,
            verdict: Verdict::default(),
            in_flight: 0,
            harms: 0,
            several: false,
            signals: Vec::new(),
            good_before: 0,
            options: options.clone(),
        })
    }

    /// What the command line said of the customers; a few of their updates come many times, a few chats in any order.
    pub fn habits(&self) -> Habits {
        let (chats, rate) = (self.options.chats, self.options.rate);
        Habits { chats, rate, repeats: 0.05, copies: 8, shuffled: 0.1, uncounted: false }
    }

    /// Lets customers order.
    pub fn begin(&mut self, habits: Habits) {
        self.load.begin(habits, self.options.seed.unwrap_or(0));
    }

    /// Lets updates come at a fixed rate.
    pub fn flow(&mut self, flow: Flow) {
        self.load.flow(flow, self.options.seed.unwrap_or(0));
    }

    /// A program is sent a signal now: where several share the database, another may send again for a while from here on
    /// what that one had on the wire. Both the STOP and the CONT of one that is frozen count.
    pub fn signalled(&mut self) {
        self.signals.push(Instant::now());
        self.harmed();
    }

    /// Something is done now by which messages may be lost. It counts where any were taken in since the last time: else
    /// there was nothing to lose.
    pub fn harmed(&mut self) {
        let good = self.load.shared().totals().good();
        self.harms += usize::from(good > self.good_before);
        self.good_before = good;
    }

    /// Kills the program. What it had on the wire may come again.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.signalled();
        self.program.kill().await?;
        self.in_flight += self.fake.talking();
        self.fake.quiet().await;
        Ok(())
    }

    /// Nothing is wrong any more: customers end their orders, what waits goes out, the program is asked to end, and all
    /// is compared.
    pub async fn heal_and_check(&mut self) -> anyhow::Result<()> {
        self.heal().await?;
        self.check(true)
    }

    /// As [`Rig::heal_and_check`], without comparing.
    pub async fn heal(&mut self) -> anyhow::Result<()> {
        self.load.shared().hold(false);
        self.load.finish().await?;
        self.fake.behave(Manner::default());
        let healing = Instant::now();
        // What is stuck is a finding among others: the rest is looked at all the same.
        let stuck = self.drained().await.err().map(|fault| format!("{fault:#}"));
        self.verdict.never("outboxes that did not get empty", stuck.into_iter().collect(), 1);
        self.verdict.told("outbox empty after the last order, in s", healing.elapsed().as_secs());
        let took = self.program.stop().await?;
        self.fake.quiet().await;
        self.verdict.figure("orderly end, in s", format!("{:.2}", took.as_secs_f64()), "≤ 15", 1, took.as_secs() <= 15);
        Ok(())
    }

    /// Waits until nothing is left to be sent.
    pub async fn drained(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let unsent = self.program.unsent().await;
            if unsent == Some(0) {
                return Ok(());
            }
            if begun.elapsed() > HEAL_WITHIN {
                bail!("the outbox still holds {unsent:?} messages; the log ends:\n{}", self.program.last_words());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// For faults through which the door stays open: judges all webhooks since the beginning.
    pub fn all_answered(&mut self) {
        let totals = self.load.shared().totals();
        self.verdict.never("webhooks refused, cut off, or not answered 2xx", totals.faults(), totals.posted());
    }

    /// Waits until no message waits for its other half any more.
    pub async fn gathered(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let sql = "SELECT count(*) AS count FROM conversation WHERE gather_until IS NOT NULL";
            let waiting = self.books.rows::<Count>(sql)?.first().context("a count")?.count;
            if waiting == 0 {
                return Ok(());
            }
            if begun.elapsed() > HEAL_WITHIN {
                bail!("{waiting} conversations still wait for the other half of a message");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Compares all that was sent with all that is stored.
    pub fn check(&mut self, healed: bool) -> anyhow::Result<()> {
        let shared = self.load.shared();
        let (updates, taken) = (shared.updates(), self.fake.taken());
        self.keep(&updates, &taken)?;
        let unheard = taken.values().flatten().filter(|taken| !taken.answered).count();
        let repeated = updates.values().filter(|update| update.copies > 1).count();
        self.verdict.told("updates acknowledged", shared.acknowledged());
        self.verdict.told("of them posted several times at once", repeated);
        let evidence = Evidence {
            updates: &updates,
            walked: self.load.walked(),
            taken: &taken,
            in_flight: self.in_flight + unheard,
            harms: self.harms,
            several: self.several,
            signals: self.signals.iter().map(|at| self.fake.millis_at(*at)).collect(),
            healed,
        };
        check::check(&self.books, &evidence, &mut self.verdict)?;
        let (waits, told) = (self.fake.waits(), self.fake.troubles().too_many);
        if told > 0 {
            self.verdict.never("messages sent before the vendor's wait was over", waits.early, told);
        }
        Ok(())
    }

    /// Writes down what was sent and what Telegram got, beside the database.
    fn keep<U: serde::Serialize, T: serde::Serialize>(&self, updates: &U, taken: &T) -> anyhow::Result<()> {
        std::fs::write(self.folder.join("updates.json"), serde_json::to_vec(updates)?)?;
        std::fs::write(self.folder.join("telegram.json"), serde_json::to_vec(taken)?)?;
        Ok(())
    }
}

#[derive(serde::Deserialize)]
struct Count {
    count: i64,
}
