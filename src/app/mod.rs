//! The program's command line, and what each command puts together.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use self::settings::Settings;
use crate::{
    failpoint,
    id::MerchantId,
    store::{
        Store,
        backup::{self, Holdings},
        transfer,
    },
    work::now,
};

pub mod catalog;
pub mod chat;
mod demo;
mod doctor;
pub mod http;
mod log;
mod metrics;
pub mod pipe;
mod serve;
mod settings;
mod terminal;
mod webhooks;
mod words;

/// Orders, support and loyalty for shops whose customers order by chatting.
#[derive(Parser)]
#[command(name = "usual", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Open the shop: chat page, console and messaging channels (what `usual` alone does)
    Serve {
        /// Show the chat and the console in the desktop's browser
        #[arg(long)]
        open: bool,
    },
    /// Order in this terminal
    Chat {
        /// The shop to order from, where there are several
        #[arg(long)]
        shop: Option<MerchantId>,
        /// Who is writing: another name is another customer
        #[arg(long = "as", default_value = "me")]
        who: String,
    },
    /// Copy the database into a file, while the shop is open
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Put a backup in the place of the database; what was there is kept beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Take everything to another, empty database, say from a file to a PostgreSQL server, and compare
    Move {
        /// Where it is, as DATABASE_URL has it
        #[arg(long)]
        from: String,
        /// Where it is to be
        #[arg(long)]
        to: String,
    },
    /// Look at settings, database, disk, clock and channels, and say what to do about what is wrong
    Doctor,
    /// Check, import or export what a shop sells
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Read orders as JSON lines from standard input, write what they mean
    Understand {
        /// The catalogue file to order from
        #[arg(long)]
        catalog: PathBuf,
    },
    /// Read questions as JSON lines from standard input, write the topic that answers each
    Answer {
        /// The FAQ file
        #[arg(long)]
        faq: PathBuf,
    },
}

#[derive(Subcommand)]
enum CatalogCommand {
    /// Say what is wrong with a catalogue file, by line
    Check {
        /// The file
        file: PathBuf,
    },
    /// Take a catalogue file into the database, new or in place of the old one
    Import {
        /// The file
        file: PathBuf,
        /// The shop's FAQ file; left out, the shop keeps the one it has
        #[arg(long)]
        faq: Option<PathBuf>,
        /// The shop; left out, the database's first one, or one named after the merchant
        #[arg(long)]
        shop: Option<MerchantId>,
    },
    /// Write a shop's catalogue as a file
    Export {
        /// The file; left out, standard output
        file: Option<PathBuf>,
        /// The shop; left out, the database's first one
        #[arg(long)]
        shop: Option<MerchantId>,
    },
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command.unwrap_or(Command::Serve { open: false })) {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("usual: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Understand { catalog } => {
            let catalog = catalog::load(&catalog).map_err(anyhow::Error::msg)?;
            pipe::understand(&catalog, std::io::stdin().lock(), std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Answer { faq } => {
            let faq = catalog::load_faq(&faq).map_err(anyhow::Error::msg)?;
            pipe::answer(&faq, std::io::stdin().lock(), std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Catalog { command: CatalogCommand::Check { file } } => {
            let good = catalog::check(&file, &mut std::io::stdout().lock())?;
            Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Catalog { command: CatalogCommand::Import { file, faq, shop } } => {
            let settings = settings()?;
            runtime()?.block_on(import(&settings, file, faq, shop))
        }
        Command::Catalog { command: CatalogCommand::Export { file, shop } } => {
            let settings = settings()?;
            runtime()?.block_on(export(&settings, file, shop))
        }
        Command::Backup { file } => {
            let settings = settings()?;
            runtime()?.block_on(backup(&settings, &file))
        }
        Command::Restore { file } => {
            let settings = settings()?;
            runtime()?.block_on(restore(&settings, &file))
        }
        Command::Move { from, to } => runtime()?.block_on(move_to(&from, &to)),
        Command::Doctor => {
            let settings = settings()?;
            let fixes = runtime()?.block_on(doctor::examine(&settings, &mut std::io::stdout().lock()))?;
            Ok(if fixes == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Chat { shop, who } => {
            let settings = settings()?;
            log::quietly("warn");
            runtime()?.block_on(terminal::run(&settings, shop, &who))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve { open } => {
            let settings = settings()?;
            let runtime = runtime()?;
            let inside = runtime.enter();
            let traces = log::start(&settings.log, settings.log_format, settings.collector.as_ref())?;
            drop(inside);
            say_where_a_panic_was();
            let _failpoints = failpoint::set_up();
            let served = runtime.block_on(async {
                let shutdown = CancellationToken::new();
                tokio::spawn(cancel_at_signal(shutdown.clone()));
                serve::run(settings, open, shutdown).await
            });
            traces.close();
            served.map(|()| ExitCode::SUCCESS)
        }
    }
}

fn settings() -> anyhow::Result<Settings> {
    let folder = std::env::current_dir().context("the folder that this was started in is gone")?;
    // A variable that is not Unicode can't be one of ours.
    let environment = std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
    Ok(Settings::read(&folder, environment)?)
}

/// The threads that wait for nothing. Who writes to a file has one of its own, and so a core: with as many threads as
/// cores beside it, they wake each other up more than they help.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.saturating_sub(1).max(1))
        .enable_all()
        .build()
        .context("the runtime can't start")
}

/// A panic is logged with its place alone: its words may quote what a customer wrote.
fn say_where_a_panic_was() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "the program made a mistake (panic)");
    }));
}

async fn cancel_at_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals can't be listened for; the program ends only by kill");
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("closing");
    shutdown.cancel();
}

async fn import(
    settings: &Settings,
    file: PathBuf,
    faq: Option<PathBuf>,
    shop: Option<MerchantId>,
) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if !catalog::check(&file, &mut out)? {
        return Ok(ExitCode::FAILURE);
    }
    let text = catalog::text_of(&file).map_err(anyhow::Error::msg)?;
    let catalog = catalog::load(&file).map_err(anyhow::Error::msg)?;
    let faq = match faq {
        Some(path) => {
            catalog::load_faq(&path).map_err(anyhow::Error::msg)?;
            Some(catalog::text_of(&path).map_err(anyhow::Error::msg)?)
        }
        None => None,
    };
    let store = Store::open(&settings.database_url).await?;
    let shops = store.shops().await?;
    let id = match shop.or_else(|| shops.first().map(|shop| shop.id.clone())) {
        Some(id) => id,
        None => slug(&catalog.merchant).context("name the shop with --shop, in letters and digits")?,
    };
    let kept = shops.iter().find(|shop| shop.id == id).map(|shop| shop.faq.clone());
    let faq = faq.or(kept).unwrap_or_else(|| r#"{"language": "en", "topics": []}"#.to_owned());
    store.import(&id, &text, &faq, now()).await?;
    store.close().await;
    writeln!(out, "imported as the shop {id}; a running server follows within a second")?;
    Ok(ExitCode::SUCCESS)
}

async fn backup(settings: &Settings, file: &Path) -> anyhow::Result<ExitCode> {
    let holdings = backup::backup(&settings.database_url, file)?;
    writeln!(std::io::stdout().lock(), "{}\nwritten to {} and checked", told(&holdings), file.display())?;
    Ok(ExitCode::SUCCESS)
}

async fn restore(settings: &Settings, file: &Path) -> anyhow::Result<ExitCode> {
    let (holdings, kept) = backup::restore(file, &settings.database_url, &now().0.to_string())?;
    // Brings its tables up to date, and proves that it opens.
    let store = Store::open(&settings.database_url).await?;
    let shops = store.shops().await?.len();
    store.close().await;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}\nput in place as {} ({shops} shops)", told(&holdings), store.shown())?;
    if let Some(kept) = kept {
        writeln!(out, "what was there before is {}", kept.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn move_to(from: &str, to: &str) -> anyhow::Result<ExitCode> {
    let moved = transfer::transfer(from, to).await?;
    let mut out = std::io::stdout().lock();
    for table in moved.iter().filter(|table| table.rows > 0) {
        writeln!(out, "{:>10} {}", table.rows, table.table)?;
    }
    writeln!(out, "everything is there, row by row as it was; set DATABASE_URL to the new database and start")?;
    Ok(ExitCode::SUCCESS)
}

/// What a copy holds, in words.
fn told(holdings: &Holdings) -> String {
    let rows = holdings.rows.iter().filter(|(_, count)| *count > 0).map(|(table, count)| format!("{table} {count}"));
    let rows: Vec<String> = rows.collect();
    format!("{} bytes, schema {}; rows: {}", holdings.bytes, holdings.schema, rows.join(", "))
}

async fn export(settings: &Settings, file: Option<PathBuf>, shop: Option<MerchantId>) -> anyhow::Result<ExitCode> {
    let store = Store::open(&settings.database_url).await?;
    let shops = store.shops().await?;
    let wanted = |stored: &&crate::store::Shop| shop.as_ref().is_none_or(|id| *id == stored.id);
    let stored = shops.iter().find(wanted).with_context(|| match &shop {
        Some(id) => {
            let known: Vec<&str> = shops.iter().map(|shop| shop.id.as_str()).collect();
            format!("there is no shop {id}; there are: {}", known.join(", "))
        }
        None => "the database has no shop".to_owned(),
    })?;
    let (catalog, _) = crate::catalog::read::read(&stored.catalog)
        .map_err(|_| anyhow::anyhow!("the stored catalogue can't be read; import it again"))?;
    let text = crate::catalog::write::write(&catalog);
    match file {
        Some(path) => std::fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?,
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A merchant's name as an id: "Trattoria Uno" is `trattoria-uno`.
fn slug(name: &str) -> Option<MerchantId> {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").parse().ok()
}
