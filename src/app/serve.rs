//! `usual serve`: opens the store, the shops, the channels and the pages, and closes them in the opposite order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{chat, demo, http, metrics, settings::Settings, webhooks};
use crate::{
    channel::{
        Channel, Inbox,
        telegram::{self, Telegram, hook, poll},
    },
    console::{self, Web},
    failpoint::Failpoint,
    id::MerchantId,
    store::Store,
    work::{Habits, Work, now},
};

/// What `/readyz` says of an open shop.
pub(super) const READY: &str = "ready\n";

/// After so long a channel that stops has worked before: its fault is not the settings'.
const SETTLED: Duration = Duration::from_secs(60);

/// How long a database may take to answer while this process counts as ready: load balancers ask every few seconds.
const READY_WITHIN: Duration = Duration::from_secs(3);

/// Listens and serves until `shutdown` is cancelled; prints the addresses once it is ready. With `open`, a desktop's
/// browser is shown the chat and the console.
pub async fn run(settings: Settings, open: bool, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(settings.listen).await.map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "another program listens on {}; stop it, or choose another port with USUAL_LISTEN",
            settings.listen
        ),
        _ => anyhow::anyhow!("can't listen on {}: {fault}; choose another address with USUAL_LISTEN", settings.listen),
    })?;
    let store = Store::open(&settings.database_url).await?;
    let _served = store.serve()?;
    Failpoint::Opened.pass();
    if demo::open_where_empty(&store, now()).await? {
        tracing::info!("the database was empty: the sample shops are open");
    }
    let merchant = first_shop(&store).await?;
    let telegram = match &settings.telegram {
        Some(given) => Some(Telegram::new(given.account(merchant.clone())?)?),
        None => None,
    };
    let channels: Vec<Arc<dyn Channel>> =
        telegram.iter().map(|telegram| Arc::new(telegram.clone()) as Arc<dyn Channel>).collect();
    let habits = Habits { gather: settings.gather };
    let work = Work::start(store.clone(), habits, channels).await?;
    let inbox: Arc<dyn Inbox> = Arc::new(work.clone());
    let web = Web {
        work: work.clone(),
        inbox: inbox.clone(),
        merchant: merchant.clone(),
        public_url: settings.public_url.clone(),
        shutdown: shutdown.clone(),
    };
    let mut router = chat::routes(web.clone()).merge(console::routes(web.clone())).merge(health(work.clone()));
    router = router.merge(metrics::routes(work.clone(), settings.metrics_token.clone(), &settings.public_url));
    let (failed, mut failure) = mpsc::channel(1);
    if let Some(telegram) = telegram {
        if telegram.settings().secret().is_some() {
            router = router.merge(webhooks::routes(telegram.clone(), inbox.clone()));
        }
        tokio::spawn(open_telegram(
            telegram,
            work.clone(),
            inbox,
            settings.public_url.clone(),
            shutdown.clone(),
            failed,
        ));
    }
    let router = console::guard(router, web.is_https());
    announce(&settings, &store, &merchant, open).await?;
    let served = tokio::select! {
        () = http::serve(listener, router, shutdown.clone()) => Ok(()),
        Some(fault) = failure.recv() => Err(anyhow::Error::new(fault)),
    };
    shutdown.cancel();
    Failpoint::Draining.pass();
    // The work goes on until the pages have closed, so that what they took is written.
    work.close().await;
    tracing::info!("closed");
    served
}

/// Follows Telegram by webhook where a secret is set, else by long polling. A token that Telegram does not know stops
/// the program; a Telegram that is out of reach does not.
async fn open_telegram(
    telegram: Telegram,
    work: Work,
    inbox: Arc<dyn Inbox>,
    public_url: url::Url,
    shutdown: CancellationToken,
    failed: mpsc::Sender<telegram::StartError>,
) {
    let merchant = telegram.settings().merchant().clone();
    let begun = Instant::now();
    let done = if telegram.settings().secret().is_some() {
        match public_url.join(&format!("/webhooks/{merchant}/telegram")) {
            Ok(url) => hook::register_at_last(&telegram, &url, shutdown).await,
            Err(fault) => Err(telegram::StartError::Refused(fault.to_string())),
        }
    } else {
        loop {
            // Of several replicas the one that sends asks for updates too: Telegram answers one at a time.
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = work.leading(true) => {}
            }
            let polling = shutdown.child_token();
            let polled = tokio::select! {
                done = poll::run(telegram.clone(), inbox.clone(), polling.clone()) => done,
                () = work.leading(false) => {
                    polling.cancel();
                    continue;
                }
            };
            match polled {
                // A token that worked and works no more is the channel's trouble; the shop stays open without it.
                Err(fault) if begun.elapsed() > SETTLED => {
                    tracing::error!(%fault, "Telegram does not let us in any more; trying again in a minute");
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(SETTLED) => {}
                    }
                }
                done => break done,
            }
        }
    };
    if let Err(fault) = done {
        // The receiver is gone only where the program is ending anyway.
        let _ = failed.send(fault).await;
    }
}

async fn first_shop(store: &Store) -> anyhow::Result<MerchantId> {
    let shops = store.shops().await?;
    let first = shops.first().context("the database has no shop; import one with `usual catalog import`")?;
    Ok(first.id.clone())
}

fn health(work: Work) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(work)
}

async fn ready(State(work): State<Work>) -> (StatusCode, &'static str) {
    let fault = match tokio::time::timeout(READY_WITHIN, work.store().shops()).await {
        Ok(Ok(_)) => return (StatusCode::OK, READY),
        Ok(Err(fault)) => fault.to_string(),
        Err(_) => format!("no answer in {} s", READY_WITHIN.as_secs()),
    };
    tracing::error!(fault, "not ready");
    (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
}

/// Says where everything is, on standard error, for a person and for scripts: standard output stays free for tools that
/// start the program and speak there themselves.
async fn announce(settings: &Settings, store: &Store, merchant: &MerchantId, open: bool) -> anyhow::Result<()> {
    let base = settings.public_url.as_str().trim_end_matches('/');
    let welcome = console::welcome_link(store, merchant, &settings.public_url).await?;
    eprintln!("The Usual is open ({merchant}, {}).", store.shown());
    eprintln!("  chat     {base}/");
    eprintln!("  console  {base}/console");
    if let Some(link) = &welcome {
        eprintln!("  The first sign-in to the console is by this link, once:");
        eprintln!("           {link}");
    }
    if open {
        for page in [format!("{base}/"), welcome.unwrap_or_else(|| format!("{base}/console"))] {
            show(&page);
        }
    }
    Ok(())
}

/// Shows a page in the desktop's browser, where there is a desktop.
fn show(page: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let desktop = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    if desktop {
        let quiet = std::process::Stdio::null;
        // No browser is no fault: the addresses are printed.
        let _ = std::process::Command::new(opener).arg(page).stdout(quiet()).stderr(quiet()).spawn();
    }
}
