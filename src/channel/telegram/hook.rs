//! Updates that Telegram posts to us. The route itself is the application's; here is what it has to do with a request:
//! [`verify`] the header, [`read`] the body, and [`receive`] it, whose answer says which status to send.
//!
//! Telegram waits up to 60 s for an answer and repeats whatever was not answered 2xx (tdlib/telegram-bot-api#211). It
//! waits for that answer before it sends the next update of the same chat; other chats go on in parallel. So a request
//! is answered after the commit, and the order within a chat is Telegram's work.

use std::time::Duration;

use serde_json::json;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    ALLOWED_UPDATES, CALL_TIMEOUT, Fault, Parsed, StartError, Telegram,
    backoff::Backoff,
    parse::{ParseError, parse},
};
use crate::{channel::Inbox, id::MerchantId, moment::Moment};

/// The header that holds the secret, in lower case.
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// Longest body taken, in bytes. A message of 4,096 characters with 100 entities, escaped, that replies to another such
/// one stays below 200 KiB.
pub const LONGEST_BODY: usize = 1024 * 1024;

/// How many requests Telegram may have open at once (`setWebhook.max_connections`: 1 to 100, default 40).
const MOST_CONNECTIONS: u8 = 40;

/// What a posted body asks for.
#[derive(Debug)]
pub enum Posted {
    /// An update to [receive](Telegram::take_in).
    Update(Box<Parsed>),
    /// Longer than [`LONGEST_BODY`].
    TooLong,
    /// Not an update. Telegram never sends such a thing.
    Unreadable(ParseError),
}

/// What to answer a request, and its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is stored, or there was nothing to store.
    Taken,
    /// It could not be stored; Telegram shall send it again.
    Later,
    /// It is no update.
    Refused,
    /// It is too long to be one.
    TooLong,
}

impl Answer {
    /// The status of the HTTP answer.
    pub fn status(self) -> u16 {
        match self {
            Answer::Taken => 200,
            Answer::Refused => 400,
            Answer::TooLong => 413,
            Answer::Later => 503,
        }
    }
}

/// Whether the values of [`SECRET_HEADER`] show that Telegram sent the request: exactly one, equal to the secret. The time
/// it takes does not depend on where they differ.
pub fn verify<'a>(secret: &str, headers: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut headers = headers.into_iter();
    let (Some(value), None) = (headers.next(), headers.next()) else {
        return false;
    };
    !secret.is_empty() && bool::from(value.ct_eq(secret.as_bytes()))
}

/// Reads a posted body.
pub fn read(merchant: &MerchantId, at: Moment, body: &[u8]) -> Posted {
    if body.len() > LONGEST_BODY {
        return Posted::TooLong;
    }
    match parse(merchant, at, body) {
        Ok(parsed) => Posted::Update(Box::new(parsed)),
        Err(error) => Posted::Unreadable(error),
    }
}

/// Reads a posted body and delivers it; returns after the commit. The request must have been [verified](verify).
pub async fn receive(telegram: &Telegram, inbox: &dyn Inbox, at: Moment, body: &[u8]) -> Answer {
    match read(telegram.settings().merchant(), at, body) {
        Posted::Update(parsed) => {
            let update = parsed.update_id;
            match telegram.take_in(inbox, *parsed).await {
                Ok(()) => Answer::Taken,
                Err(_) => {
                    tracing::warn!(update, "an update could not be stored; Telegram will send it again");
                    Answer::Later
                }
            }
        }
        Posted::TooLong => {
            tracing::warn!(bytes = body.len(), "an update was too long");
            Answer::TooLong
        }
        Posted::Unreadable(error) => {
            tracing::warn!(bytes = body.len(), %error, "a request with the right secret was no update");
            Answer::Refused
        }
    }
}

/// Tells Telegram once to post updates to `url`. Updates that wait are kept.
///
/// # Errors
/// As Telegram answers; [`StartError::NoSecret`] where the settings have no secret.
pub async fn register(telegram: &Telegram, url: &Url) -> Result<(), StartError> {
    try_register(telegram, url).await.map_err(|failure| failure.error)
}

/// How Telegram hands updates over at present (`getWebhookInfo`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Registered {
    /// Where they are posted; empty where they are fetched.
    pub url: String,
    /// How many wait there.
    pub pending_update_count: u32,
    /// Why the last post failed, where any did lately.
    pub last_error_message: Option<String>,
}

/// Asks Telegram how it hands updates over.
///
/// # Errors
/// As Telegram answers.
pub async fn registered(telegram: &Telegram) -> Result<Registered, StartError> {
    telegram.call("GetWebhookInfo", &json!({}), CALL_TIMEOUT).await.map_err(StartError::from)
}

/// As [`register`], tried again until Telegram takes it, refuses it, or `shutdown`.
///
/// # Errors
/// What no other attempt would mend.
pub async fn register_at_last(telegram: &Telegram, url: &Url, shutdown: CancellationToken) -> Result<(), StartError> {
    let mut backoff = Backoff::default();
    loop {
        let failure = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            outcome = try_register(telegram, url) => match outcome {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
        };
        if !matches!(failure.error, StartError::Down(_)) {
            return Err(failure.error);
        }
        let wait = backoff.failed().max(failure.wait);
        tracing::warn!(error = %failure.error, failures = backoff.failures(), "the webhook is not registered yet");
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

struct Unregistered {
    error: StartError,
    wait: Duration,
}

async fn try_register(telegram: &Telegram, url: &Url) -> Result<(), Unregistered> {
    let Some(secret) = telegram.settings().secret() else {
        return Err(Unregistered { error: StartError::NoSecret, wait: Duration::ZERO });
    };
    // `drop_pending_updates` is left out: it would throw away what customers wrote during a restart.
    let parameters = json!({
        "url": url,
        "secret_token": secret.reveal(),
        "max_connections": MOST_CONNECTIONS,
        "allowed_updates": ALLOWED_UPDATES,
    });
    match telegram.call::<bool>("SetWebhook", &parameters, CALL_TIMEOUT).await {
        Ok(_) => {
            tracing::info!("the webhook is registered at Telegram");
            Ok(())
        }
        Err(error) => {
            let wait = match Fault::from(error.clone()) {
                Fault::Wait(span) => span.to_duration(),
                Fault::Refused(_) | Fault::Gone | Fault::Down(_) | Fault::Locked(_) => Duration::ZERO,
            };
            Err(Unregistered { error: error.into(), wait })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_secret_and_once() {
        let verify = |headers: &[&[u8]]| verify("Secret_42-x", headers.iter().copied());
        assert!(verify(&[b"Secret_42-x"]));
        for headers in [
            &[][..],
            &[b"".as_slice()],
            &[b"Secret_42-y"],
            &[b"secret_42-x"],
            &[b"Secret_42-"],
            &[b"Secret_42-xx"],
            &[b" Secret_42-x"],
            &[b"Secret_42-x,Secret_42-x"],
            &[b"\xff\xfe"],
            &[b"Secret_42-x", b"Secret_42-x"],
            &[b"wrong", b"Secret_42-x"],
            &[b"Secret_42-x", b"wrong"],
        ] {
            assert!(!verify(headers), "{headers:?}");
        }
        assert!(!super::verify("", [b"".as_slice()]), "an empty secret lets nobody in");
    }

    #[test]
    fn bodies_are_sorted() {
        let read = |body: &[u8]| read(&"pizzeria".parse().unwrap(), Moment(0), body);
        assert!(matches!(read(br#"{"update_id":1}"#), Posted::Update(parsed) if parsed.arrival.is_none()));
        assert!(matches!(read(b"{}"), Posted::Unreadable(ParseError::NoUpdateId)));
        assert!(matches!(read(b"hello"), Posted::Unreadable(ParseError::NotAnObject)));
        assert!(matches!(read(&vec![b' '; LONGEST_BODY + 1]), Posted::TooLong));
        assert_eq!(Answer::Taken.status(), 200);
        assert_eq!(Answer::Later.status(), 503);
    }
}
