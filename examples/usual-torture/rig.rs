//! What every fault needs: a folder, a Telegram, the program, customers, and the check at the end.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::bail;
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    Options,
    books::Books,
    check::{self, Evidence},
    fake::{Fake, Manner},
    load::{Habits, Load},
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
    /// Whether several programs share the database.
    pub several: bool,
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
            several: false,
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

    /// Kills the program. What it had on the wire may come again.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
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
        self.drained().await?;
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
            several: self.several,
            healed,
        };
        check::check(&self.books, &evidence, &mut self.verdict)
    }

    /// Writes down what was sent and what Telegram got, beside the database.
    fn keep<U: serde::Serialize, T: serde::Serialize>(&self, updates: &U, taken: &T) -> anyhow::Result<()> {
        std::fs::write(self.folder.join("updates.json"), serde_json::to_vec(updates)?)?;
        std::fs::write(self.folder.join("telegram.json"), serde_json::to_vec(taken)?)?;
        Ok(())
    }
}
