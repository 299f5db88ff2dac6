//! The staff's console, and what every page of the program stands on: [`Web`], the [`guard()`] of headers, the assets.
//!
//! Promises: nothing below `/console` is shown to anybody who has not signed in, but the sign-in pages; nothing changes
//! through a GET, nor through a form of another site; what customers wrote is text in every page (maud escapes it, and
//! the page's policy runs no script but the program's own files).
//!
//! Races: every button carries the version that its card showed, so that of two who press, one hears that the other was
//! faster and sees the fresh card. A page that shows something old is told to look again by the next event, and all of
//! it is fetched anew after each reconnect: no change is ever sent as a difference.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{channel::Inbox, id::MerchantId, moment::Moment, work::Work};

pub mod assets;
mod board;
mod cart;
mod clock;
pub mod cookie;
mod door;
mod failure;
mod guard;
pub mod limit;
mod live;
mod names;
pub mod origin;
mod page;
mod password;
mod session;
mod talks;

pub use door::welcome_link;
pub use guard::guard;
pub use live::UNBUFFERED;

/// Sign-ins of which the end is remembered for streams that are just being told.
const ENDED_KEPT: usize = 64;

/// What the pages need of the program.
#[derive(Clone)]
pub struct Web {
    /// The work, and through it the database.
    pub work: Work,
    /// Where customers' messages go.
    pub inbox: Arc<dyn Inbox>,
    /// Whose console it is, and whose chat is at `/`: the deployment's first shop.
    pub merchant: MerchantId,
    /// The address that the world sees. Where it is https, cookies are bound to it.
    pub public_url: Url,
    /// Cancelled when the program is to end; streams end with it.
    pub shutdown: CancellationToken,
}

/// From where a request came: the other end of its connection. The accept loop puts it into a request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub SocketAddr);

/// The console's own state.
#[derive(Clone)]
struct Console {
    web: Web,
    memory: Arc<Memory>,
}

/// What one process remembers until it ends.
struct Memory {
    /// Tries to sign in, by address, and by name from an address.
    tries: limit::Limiter,
    /// Tries to sign in by name, wherever they come from.
    names: limit::Limiter,
    /// One password is hashed at a time: each takes 19 MiB and a processor.
    hashing: Semaphore,
    /// Hashes of the tokens whose sign-in has just ended.
    ended: broadcast::Sender<String>,
    /// Ids of the answers that were sent last.
    said: Mutex<talks::Said>,
}

/// The console's routes, and `/assets`.
pub fn routes(web: Web) -> Router {
    let memory = Memory {
        tries: limit::Limiter::new(door::MOST_TRIES, door::TRIES_WITHIN),
        names: limit::Limiter::new(door::MOST_TRIES_OF_A_NAME, door::TRIES_WITHIN),
        hashing: Semaphore::new(1),
        ended: broadcast::Sender::new(ENDED_KEPT),
        said: Mutex::new(talks::Said::default()),
    };
    let console = Console { web, memory: Arc::new(memory) };
    let inside = Router::new()
        .route("/console", get(page::orders))
        .route("/console/board", get(board::fragment))
        .route("/console/counts", get(page::counts))
        .route("/console/orders/{order}/{move}", post(board::act))
        .route("/console/list", get(talks::list_fragment))
        .route("/console/conversations", get(page::conversations))
        .route("/console/conversations/{conversation}", get(page::conversation))
        .route("/console/conversations/{conversation}/talk", get(talks::talk_fragment))
        .route("/console/conversations/{conversation}/answer", post(talks::answer))
        .route("/console/conversations/{conversation}/take-over", post(talks::take_over))
        .route("/console/conversations/{conversation}/hand-back", post(talks::hand_back))
        .route("/console/conversations/{conversation}/messages/{seq}/send-again", post(talks::resend))
        .route("/console/conversations/{conversation}/cart/{line}", get(cart::form))
        .route("/console/conversations/{conversation}/cart/{line}/save", post(cart::change))
        .route("/console/aside/again", post(talks::again))
        .route("/console/names", get(page::names))
        .route("/console/names/decide", post(names::decide))
        .route("/console/names/list", get(names::fragment))
        .route("/console/events", get(live::events))
        .route("/console/invite", post(door::invite))
        .route("/console/logout", post(door::logout))
        .route_layer(middleware::from_fn_with_state(console.clone(), session::demand));
    let outside = Router::new()
        .route("/console/login", get(door::login_page).post(door::login))
        .route("/console/welcome", get(door::welcome_page).post(door::welcome));
    inside
        .merge(outside)
        .route_layer(middleware::from_fn_with_state(console.clone(), origin::demand))
        .with_state(console)
        .route("/assets/{version}/{name}", get(assets::serve))
}

impl Web {
    /// Whether the world reaches the program by https only.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The time.
    pub fn now(&self) -> Moment {
        Moment::of(SystemTime::now())
    }
}
