//! `usual` on the rack: the real program, started as its owner would, with customers who order, a Telegram that
//! remembers, and a fault; then a checker that reads the database and compares. `docs/torture.md` says what each fault
//! does, what it needs, and what was measured.
//!
//! ```text
//! cargo run --release --example usual-torture -- kill --trials 1000
//! ```
//!
//! It prints one line for each figure, with what it has to be, how often it was tried, and how often it may still
//! happen at 95 % (the rule of three: 3/n where nothing was seen). It ends with 1 where a figure misses its goal, and
//! then keeps the folder with the database, the program's log and all that was sent.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

mod books;
mod check;
mod disk;
mod fake;
mod faults;
mod load;
mod program;
mod rig;
mod verdict;

/// Injects one fault into a running shop, again and again, and checks that nothing was lost or doubled.
#[derive(Parser, Clone)]
#[command(name = "usual-torture")]
pub struct Options {
    /// What goes wrong
    fault: Fault,
    /// How often; left out, as often as suits the fault
    #[arg(long)]
    trials: Option<usize>,
    /// For how long, for faults that are no events but a state
    #[arg(long)]
    seconds: Option<u64>,
    /// Repeats a run's random choices, as far as the machine does
    #[arg(long)]
    seed: Option<u64>,
    /// The program; left out, the one that was built beside this
    #[arg(long)]
    usual: Option<PathBuf>,
    /// `sqlite`, or the address of an empty PostgreSQL database; for `power` the word `postgres`: it makes its own server
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// Customers who order at once
    #[arg(long, default_value_t = 200)]
    chats: usize,
    /// Their messages a second, together
    #[arg(long, default_value_t = 300.0)]
    rate: f64,
    /// Breaks the rig itself, to prove that it sees what it looks for
    #[arg(long)]
    control: bool,
}

/// In the order of importance.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// SIGKILL at random moments
    Kill,
    /// The power goes: what was not flushed to the disk is gone
    Power,
    /// The disk is full for a while
    Full,
    /// The disk can't be written for a while
    Readonly,
    /// Single writes and flushes fail
    Io,
    /// Each update comes 2 to 50 times at once
    Redeliver,
    /// Five updates come in every order
    Reorder,
    /// 500 updates a second, whatever becomes of them
    Steady,
    /// Telegram refuses, breaks, and hangs up
    Flaky,
    /// Telegram takes 20 s for every answer
    Slow,
    /// Telegram takes connections and never answers
    Halfopen,
    /// Telegram asks to wait, then fails for a while, with the program keeping to its limits
    Outage,
    /// SIGKILL while offers for thousands go out, and people who order beside them
    Offers,
    /// Clients that send half a request, a letter at a time, or nothing
    Loris,
    /// Thousands of open chat pages
    Screens,
    /// SIGTERM at random moments
    Stop,
    /// The clock jumps
    Clock,
    /// Copies are made under load
    Backup,
    /// SIGKILL while the tables are made
    Migrate,
    /// The PostgreSQL server is restarted
    Postgres,
    /// Three programs on one PostgreSQL, one of them killed or frozen
    Replicas,
}

impl Options {
    fn trials(&self, usual: usize) -> usize {
        self.trials.unwrap_or(usual)
    }

    fn seconds(&self, usual: u64) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(usual))
    }

    /// The fault's name, as it is given.
    fn name(&self) -> String {
        self.fault.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut options = Options::parse();
    let seed = *options.seed.get_or_insert_with(|| rand::random_range(0..1_000_000));
    println!("{}: seed {seed}{}", options.name(), if options.control { ", control" } else { "" });
    match torture(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("usual-torture: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every goal was met.
async fn torture(options: &Options) -> anyhow::Result<bool> {
    let folder = tempfile::Builder::new().prefix("usual-torture-").tempdir().context("a folder for the evidence")?;
    let path = folder.path().to_owned();
    let run = faults::run(options, &path).await;
    let good = match &run {
        Ok(verdict) => {
            verdict.print();
            verdict.good()
        }
        Err(_) => false,
    };
    if !good {
        println!("the evidence is kept in {}", folder.keep().display());
    }
    run.map(|_| good)
}
