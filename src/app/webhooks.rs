//! The addresses that vendors post to. Each proves itself before anything is read, and is answered after the commit.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, Request, StatusCode},
    routing::post,
};

use crate::{
    channel::{
        Inbox,
        telegram::{Telegram, hook},
    },
    work::now,
};

/// What the routes need.
#[derive(Clone)]
struct Hooks {
    telegram: Telegram,
    inbox: Arc<dyn Inbox>,
}

/// Telegram's webhook. Without a secret there is no such address, so that none can be served unprotected.
pub fn routes(telegram: Telegram, inbox: Arc<dyn Inbox>) -> Router {
    Router::new()
        .route("/webhooks/{merchant}/telegram", post(take))
        .layer(DefaultBodyLimit::disable())
        .with_state(Hooks { telegram, inbox })
}

async fn take(
    State(hooks): State<Hooks>,
    Path(merchant): Path<String>,
    headers: HeaderMap,
    request: Request<Body>,
) -> StatusCode {
    let settings = hooks.telegram.settings();
    let Some(secret) = settings.secret().filter(|_| settings.merchant().as_str() == merchant) else {
        return StatusCode::NOT_FOUND;
    };
    let given = headers.get_all(hook::SECRET_HEADER).iter().map(|value| value.as_bytes());
    if !hook::verify(secret.reveal(), given) {
        return StatusCode::UNAUTHORIZED;
    }
    // One byte more than is taken, so that a longer body is refused by its length and not cut.
    let body = match axum::body::to_bytes(request.into_body(), hook::LONGEST_BODY + 1).await {
        Ok(body) => body,
        Err(_) => return StatusCode::PAYLOAD_TOO_LARGE,
    };
    let answer = hook::receive(&hooks.telegram, hooks.inbox.as_ref(), now(), &body).await;
    StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
