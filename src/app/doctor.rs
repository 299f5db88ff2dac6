//! `usual doctor`: looks at everything that a shop needs to be open, changes nothing, and says what to do about what is
//! wrong. Each line of it begins with `ok`, `note` (nothing to do) or `FIX`.

use std::{io::Write, net::SocketAddr, path::Path};

use tokio::net::TcpListener;
use url::Url;

use super::settings::Settings;
use crate::{
    catalog,
    channel::{
        probe,
        telegram::{StartError, Telegram, hook},
    },
    id::MerchantId,
    moment::Span,
    store::{self, Place, Store, backup},
    work::now,
};

/// Least free space, in bytes: the log of a busy day, and room to see that more is needed.
const LEAST_FREE: u64 = 256 * 1024 * 1024;

/// Free space in sizes of the database: a backup beside it, and the log that grows meanwhile.
const LEAST_COPIES: u64 = 2;

/// A clock that is further off than this makes promises that the customer's own clock belies.
const MOST_OFF: Span = Span::seconds(30);

/// Age from which a message that waits to go out is no mere queue.
const OLDEST_WAITING: Span = Span::minutes(5);

/// What was found, line by line.
struct Report<'a> {
    out: &'a mut dyn Write,
    fixes: usize,
}

impl Report<'_> {
    fn line(&mut self, mark: &str, about: &str, words: &str) -> std::io::Result<()> {
        writeln!(self.out, "{mark:<5} {about:<9} {words}")
    }

    fn ok(&mut self, about: &str, words: &str) -> std::io::Result<()> {
        self.line("ok", about, words)
    }

    fn note(&mut self, about: &str, words: &str) -> std::io::Result<()> {
        self.line("note", about, words)
    }

    fn fix(&mut self, about: &str, words: &str) -> std::io::Result<()> {
        self.fixes += 1;
        self.line("FIX", about, words)
    }
}

/// Looks at everything; how many things there are to fix.
pub(super) async fn examine(settings: &Settings, out: &mut dyn Write) -> anyhow::Result<usize> {
    let mut report = Report { out, fixes: 0 };
    report.ok("settings", &format!("listen on {}, seen as {}", settings.listen, settings.public_url))?;
    let merchant = database(settings, &mut report).await?;
    address(settings.listen, &mut report).await?;
    telegram(settings, merchant, &mut report).await?;
    Ok(report.fixes)
}

/// The database, its disk and what waits in it; the first shop's id, where there is one.
async fn database(settings: &Settings, report: &mut Report<'_>) -> anyhow::Result<Option<MerchantId>> {
    let place = match store::place(&settings.database_url) {
        Ok(place) => place,
        Err(fault) => {
            report.fix("database", &fault.to_string())?;
            return Ok(None);
        }
    };
    let schema = match &place {
        Place::File(path) => file(path, report)?,
        Place::Server(_) => server(&settings.database_url, report).await?,
    };
    let Some(schema) = schema else { return Ok(None) };
    let newest = Store::newest_schema();
    if schema < newest {
        let words = format!("the next start brings the tables from schema {schema} to {newest}");
        report.note("database", &words)?;
        return Ok(None);
    }
    let store = Store::look(&settings.database_url).await?;
    let shops = store.shops().await?;
    for shop in &shops {
        match catalog::read::read(&shop.catalog) {
            Ok((catalog, _)) => {
                let sold = catalog.products.iter().filter(|product| product.available).count();
                report.ok("shop", &format!("{}: {sold} of {} products available", shop.id, catalog.products.len()))?;
            }
            Err(_) => report.fix(
                "shop",
                &format!("{}: its catalogue can't be read; import it again with `usual catalog import`", shop.id),
            )?,
        }
    }
    let vitals = store.vitals().await?;
    store.close().await;
    for waiting in &vitals.outbox {
        let channel = waiting.channel.word();
        let age = waiting.oldest.map_or(Span::seconds(0), |oldest| now().since(oldest));
        if waiting.waiting > 0 && age > OLDEST_WAITING {
            let minutes = age.0 / Span::minutes(1).0;
            report.fix(
                "outbox",
                &format!("{} messages wait for {channel}, the oldest for {minutes} minutes; see that the server runs and reaches it", waiting.waiting),
            )?;
        } else if waiting.waiting > 0 {
            report.ok("outbox", &format!("{} messages wait for {channel}", waiting.waiting))?;
        }
        if waiting.failed > 0 {
            report.note(
                "outbox",
                &format!("{} messages could not be sent over {channel}; the console shows them", waiting.failed),
            )?;
        }
    }
    match vitals.aside {
        0 => report.ok("turns", "nothing is kept aside")?,
        aside => report.fix(
            "turns",
            &format!("{aside} messages of customers failed and are kept aside; try them again in the console"),
        )?,
    }
    Ok(shops.first().map(|shop| shop.id.clone()))
}

/// A file, checked whole; the version of its tables, where they can be looked at.
fn file(path: &Path, report: &mut Report<'_>) -> anyhow::Result<Option<i64>> {
    if !path.try_exists().unwrap_or(false) {
        report.note("database", &format!("{} is not there yet; the first start makes it", path.display()))?;
        disk(path, 0, report)?;
        return Ok(None);
    }
    let holdings = match backup::look(path) {
        Ok(holdings) => holdings,
        Err(fault) => {
            report.fix("database", &fault.to_string())?;
            return Ok(None);
        }
    };
    report.ok("database", &format!("{}: {} bytes, every page checked", path.display(), holdings.bytes))?;
    disk(path, holdings.bytes, report)?;
    Ok(Some(holdings.schema))
}

/// A server that answers; the version of its tables, where there are any.
async fn server(address: &str, report: &mut Report<'_>) -> anyhow::Result<Option<i64>> {
    let store = match Store::look(address).await {
        Ok(store) => store,
        Err(fault) => {
            report.fix("database", &fault.to_string())?;
            return Ok(None);
        }
    };
    let schema = match store.schema().await {
        Ok(0) => {
            report.note("database", &format!("{} has no tables yet; the first start makes them", store.shown()))?;
            None
        }
        Ok(schema) => {
            report.ok("database", &format!("{} answers", store.shown()))?;
            Some(schema)
        }
        Err(fault) => {
            report.fix(
                "database",
                &format!("{}: {fault}; see that the server runs and DATABASE_URL is right", store.shown()),
            )?;
            None
        }
    };
    store.close().await;
    Ok(schema)
}

/// Room for the database to grow and to be copied.
fn disk(path: &Path, bytes: u64, report: &mut Report<'_>) -> anyhow::Result<()> {
    let there = path.ancestors().skip(1).find(|folder| !folder.as_os_str().is_empty() && folder.exists());
    let folder = there.unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(fault) => {
            report.fix("disk", &format!("{}: {fault}", folder.display()))?;
            return Ok(());
        }
    };
    let needed = LEAST_FREE.max(bytes.saturating_mul(LEAST_COPIES));
    let mib = |bytes: u64| bytes / (1024 * 1024);
    if free < needed {
        let words = format!(
            "{} has {} MiB free and should have {}; make room, or move the database with DATABASE_URL",
            folder.display(),
            mib(free),
            mib(needed)
        );
        report.fix("disk", &words)?;
    } else {
        report.ok("disk", &format!("{} MiB free", mib(free)))?;
    }
    Ok(())
}

/// Whether somebody listens, and whether it is us.
async fn address(listen: SocketAddr, report: &mut Report<'_>) -> anyhow::Result<()> {
    match TcpListener::bind(listen).await {
        Ok(_) => report.note("address", &format!("nobody listens on {listen}; `usual serve` opens the shop"))?,
        Err(fault) if fault.kind() == std::io::ErrorKind::AddrInUse => {
            let here =
                if listen.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], listen.port())) } else { listen };
            let text = probe::text(&format!("http://{here}/readyz")).await;
            if text.as_deref() == Some(super::serve::READY) {
                report.ok("address", &format!("the shop is open on {listen}"))?;
            } else {
                let words = format!("something listens on {listen} and is no open shop; stop it, or set USUAL_LISTEN");
                report.fix("address", &words)?;
            }
        }
        Err(fault) => {
            report.fix("address", &format!("{listen}: {fault}; set USUAL_LISTEN to an address of this machine"))?
        }
    }
    Ok(())
}

/// Telegram: the token, how messages come in, and, as it is somebody else's clock, the time.
async fn telegram(settings: &Settings, merchant: Option<MerchantId>, report: &mut Report<'_>) -> anyhow::Result<()> {
    let Some(given) = &settings.telegram else {
        report.note("telegram", "off; TELOXIDE_TOKEN switches it on")?;
        return Ok(());
    };
    let Some(merchant) = merchant else {
        report.note("telegram", "not looked at: there is no shop yet")?;
        return Ok(());
    };
    let account = match given.account(merchant.clone()) {
        Ok(account) => account,
        Err(fault) => {
            report.fix("telegram", &fault.to_string())?;
            return Ok(());
        }
    };
    if !account.is_limited() {
        let words = "messages go out as fast as they come, beyond Telegram's limits; USUAL_LIMITS=on keeps them";
        report.note("telegram", words)?;
    }
    let telegram = Telegram::new(account)?;
    match telegram.check().await {
        Ok(name) => report.ok("telegram", &format!("the bot is @{name}"))?,
        Err(fault @ StartError::Down(_)) => {
            let api = telegram.settings().api_url().clone();
            report.fix("telegram", &format!("{fault}; see that this machine reaches {api}"))?;
            return Ok(());
        }
        Err(fault) => {
            report.fix("telegram", &fault.to_string())?;
            return Ok(());
        }
    }
    let hook = match hook::registered(&telegram).await {
        Ok(hook) => hook,
        Err(fault) => {
            report.fix("telegram", &fault.to_string())?;
            return Ok(());
        }
    };
    let wanted = match telegram.settings().secret() {
        Some(_) => settings.public_url.join(&format!("/webhooks/{merchant}/telegram"))?.to_string(),
        None => String::new(),
    };
    match (wanted.as_str(), hook.url.as_str()) {
        (wanted, _) if !wanted.is_empty() && !wanted.starts_with("https://") => report.fix(
            "telegram",
            "Telegram posts to https addresses alone; set USUAL_PUBLIC_URL to one, or take USUAL_TELEGRAM_SECRET out",
        )?,
        ("", "") => report.ok("telegram", "messages are fetched")?,
        ("", url) => {
            report.fix("telegram", &format!("messages are posted to {url}; start `usual serve`, which fetches them"))?
        }
        (wanted, url) if wanted == url => report.ok("telegram", &format!("messages are posted to {url}"))?,
        (wanted, "") => {
            report.fix("telegram", &format!("messages are not posted to {wanted} yet; start `usual serve`"))?
        }
        (wanted, url) => {
            report.fix("telegram", &format!("messages are posted to {url} and not to {wanted}; start `usual serve`"))?
        }
    }
    match (hook.pending_update_count, hook.last_error_message) {
        (0, _) => report.ok("telegram", "no messages wait there")?,
        (waiting, Some(fault)) => report.fix(
            "telegram",
            &format!(
                "{waiting} messages wait there; the last post failed: {fault}. See that {} reaches this server",
                settings.public_url
            ),
        )?,
        (waiting, None) => {
            report.note("telegram", &format!("{waiting} messages wait there and come with the next start"))?
        }
    }
    clock(telegram.settings().api_url(), report).await
}

/// How far this machine's clock is from a server's.
async fn clock(server: &Url, report: &mut Report<'_>) -> anyhow::Result<()> {
    let Some((there, here)) = probe::times(server).await else {
        report.note("clock", "no server told the time")?;
        return Ok(());
    };
    let off = here.since(there);
    if Span::millis(off.0.abs()) > MOST_OFF {
        let words = format!("this machine's clock is {} seconds off; switch on its time service (NTP)", off.0 / 1_000);
        report.fix("clock", &words)?;
    } else {
        report.ok("clock", "agrees with Telegram's")?;
    }
    Ok(())
}
