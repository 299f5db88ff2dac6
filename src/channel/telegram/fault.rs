//! Reading Telegram's answers to calls, and sorting what went wrong by what to do next.
//!
//! A failed call is answered `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7",
//! "parameters":{"retry_after":7}}`. Where the code is missing it is read from the description's first words. A success
//! whose message has a shape that nobody expected is a success all the same: to take it for a failure would send the
//! same text again and again.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Fault, StartError};
use crate::moment::Span;

/// The wait where Telegram says "too many requests" and does not say for how long, which it always did so far.
const UNSTATED_WAIT: Span = Span::seconds(5);

/// Longest description that is kept of an error, in characters. Telegram's are below 200.
const LONGEST_DESCRIPTION: usize = 200;

/// In what a 400 says where it is about the chat and not about the message: nothing can be sent to that chat any more.
/// From the Bot API server's answers as teloxide-core 0.13 and python-telegram-bot list them.
const CHAT_IS_GONE: [&str; 7] = [
    "chat not found",
    "user not found",
    "PEER_ID_INVALID",
    "USER_IS_BLOCKED",
    "INPUT_USER_DEACTIVATED",
    "group is deactivated",
    "group chat was deleted",
];

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallError {
    /// No answer: what happened to the connection.
    Network(&'static str),
    /// An answer that is not the Bot API's, and its HTTP status.
    Unreadable(u16),
    /// Telegram said no.
    Said(Refusal),
}

/// What Telegram says with a no.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Refusal {
    /// As HTTP statuses are meant.
    pub(super) code: u16,
    /// In Telegram's words.
    pub(super) description: String,
    /// Seconds to wait.
    retry_after: Option<u32>,
    /// The chat has another id now.
    migrated: bool,
}

#[derive(Deserialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
    migrate_to_chat_id: Option<i64>,
}

/// A `sendMessage` that worked. The rest of the message, a copy of what was sent, is passed over.
#[derive(Deserialize)]
struct Sent {
    ok: bool,
    result: SentMessage,
}

#[derive(Deserialize)]
struct SentMessage {
    message_id: i64,
}

/// The result in the answer to a call.
pub(super) fn read_answer<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, CallError> {
    // Lossy: one broken byte in one customer's message must not make a whole batch of updates unreadable.
    let text = String::from_utf8_lossy(body);
    let result = read_result(status, &text)?;
    serde_json::from_slice(result.get().as_bytes()).map_err(|_| CallError::Unreadable(status))
}

/// The number of a message in the answer to `sendMessage`; `None` where it worked and tells no number.
pub(super) fn read_sent(status: u16, body: &[u8]) -> Result<Option<String>, CallError> {
    if let Ok(Sent { ok: true, result }) = serde_json::from_slice(body) {
        return Ok(Some(result.message_id.to_string()));
    }
    read_result(status, &String::from_utf8_lossy(body)).map(|_| None)
}

impl CallError {
    /// Of reqwest's error, whose own text holds the address and with it the token: none of that text is kept.
    pub(super) fn network(error: reqwest::Error) -> CallError {
        CallError::Network(word_of(&error))
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Fault {
        match error {
            CallError::Network(what) => Fault::Down(what.into()),
            CallError::Unreadable(status) => Fault::Down(format!("not an answer of the Bot API (status {status})")),
            CallError::Said(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        let Refusal { code, description, retry_after, migrated } = refusal;
        if migrated {
            return Fault::Gone;
        }
        let wait = retry_after.map(|seconds| Span::seconds(i64::from(seconds)));
        match (code, wait) {
            (429, wait) => Fault::Wait(wait.unwrap_or(UNSTATED_WAIT)),
            (_, Some(wait)) => Fault::Wait(wait),
            (401 | 404, None) => Fault::Locked(description),
            (403, None) => Fault::Gone,
            (400, None) if CHAT_IS_GONE.iter().any(|gone| description.contains(gone)) => Fault::Gone,
            (400 | 413, None) => Fault::Refused(description),
            (_, None) => Fault::Down(description),
        }
    }
}

impl From<CallError> for StartError {
    fn from(error: CallError) -> StartError {
        match Fault::from(error) {
            Fault::Locked(description) => StartError::Token(description),
            Fault::Refused(description) => StartError::Refused(description),
            Fault::Down(description) => StartError::Down(description),
            Fault::Gone => StartError::Refused("Forbidden".into()),
            Fault::Wait(span) => StartError::Down(format!("it asks to wait for {} s", span.0 / 1_000)),
        }
    }
}

fn read_result(status: u16, text: &str) -> Result<&RawValue, CallError> {
    let answer: Answer<'_> = serde_json::from_slice(text.as_bytes()).map_err(|_| CallError::Unreadable(status))?;
    match answer {
        Answer { ok: true, result: Some(result), .. } => Ok(result),
        Answer { ok: true, result: None, .. } => Err(CallError::Unreadable(status)),
        Answer { ok: false, error_code, description, parameters, .. } => {
            let description = shortened(description.unwrap_or_default());
            let code = error_code.unwrap_or_else(|| code_of(&description));
            let retry_after = parameters.as_ref().and_then(|parameters| parameters.retry_after);
            let migrated = parameters.is_some_and(|parameters| parameters.migrate_to_chat_id.is_some());
            Err(CallError::Said(Refusal { code, description, retry_after, migrated }))
        }
    }
}

/// The code that belongs beside a description. Telegram starts each description with the name of its status.
fn code_of(description: &str) -> u16 {
    let starts = |words: &str| description.starts_with(words);
    match description {
        "Unauthorized" | "Not Found" => 401,
        _ if starts("Bad Request") => 400,
        // "Unauthorized: bot was kicked from a chat": an older way to say 403.
        _ if starts("Forbidden") || starts("Unauthorized:") => 403,
        _ if starts("Conflict") || starts("can't use getUpdates") => 409,
        _ if starts("Request Entity Too Large") => 413,
        _ if starts("Too Many Requests") => 429,
        _ => 500,
    }
}

fn shortened(mut description: String) -> String {
    if let Some((end, _)) = description.char_indices().nth(LONGEST_DESCRIPTION) {
        description.truncate(end);
    }
    description
}

fn word_of(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the connection failed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(body: &str) -> Fault {
        read_answer::<bool>(200, body.as_bytes()).unwrap_err().into()
    }

    #[test]
    fn answers_are_sorted_by_what_to_do_next() {
        for (code, description, fault) in [
            (401, "Unauthorized", Fault::Locked("Unauthorized".into())),
            (404, "Not Found", Fault::Locked("Not Found".into())),
            (403, "Forbidden: bot was blocked by the user", Fault::Gone),
            (403, "Forbidden: user is deactivated", Fault::Gone),
            (400, "Bad Request: chat not found", Fault::Gone),
            (400, "Bad Request: PEER_ID_INVALID", Fault::Gone),
            (400, "Bad Request: message text is empty", Fault::Refused("Bad Request: message text is empty".into())),
            (413, "Request Entity Too Large", Fault::Refused("Request Entity Too Large".into())),
            (500, "Internal Server Error", Fault::Down("Internal Server Error".into())),
            (502, "Bad Gateway", Fault::Down("Bad Gateway".into())),
            (429, "Too Many Requests", Fault::Wait(UNSTATED_WAIT)),
        ] {
            let body = format!(r#"{{"ok":false,"error_code":{code},"description":"{description}"}}"#);
            assert_eq!(fault_of(&body), fault, "by the code of {body}");
            let body = format!(r#"{{"ok":false,"description":"{description}"}}"#);
            assert_eq!(fault_of(&body), fault, "by the words of {body}");
        }
    }

    #[test]
    fn a_wait_is_kept_in_full() {
        let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 6775",
            "parameters":{"retry_after":6775}}"#;
        assert_eq!(fault_of(body), Fault::Wait(Span::seconds(6_775)));
    }

    #[test]
    fn a_group_that_moved_is_gone() {
        let body = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup
            chat","parameters":{"migrate_to_chat_id":-1001234567890}}"#
            .replace('\n', "");
        assert_eq!(fault_of(&body), Fault::Gone);
    }

    #[test]
    fn what_is_no_answer_of_the_api_is_down_and_shows_nothing() {
        for body in ["", "<html>502</html>", "{}", "[]", r#"{"ok":true}"#, r#"{"ok":"yes"}"#] {
            let fault = Fault::from(read_answer::<bool>(502, body.as_bytes()).unwrap_err());
            assert_eq!(fault, Fault::Down("not an answer of the Bot API (status 502)".into()), "{body}");
        }
    }

    #[test]
    fn of_a_sent_message_the_number_is_read_and_nothing_else() {
        let odd = r#"{"ok":true,"result":{"message_id":77,"date":"today","chat":{"id":1,"type":"hologram"}}}"#;
        assert_eq!(read_sent(200, odd.as_bytes()), Ok(Some("77".into())));
        for numberless in [r#"{"ok":true,"result":{}}"#, r#"{"ok":true,"result":true}"#] {
            assert_eq!(read_sent(200, numberless.as_bytes()), Ok(None), "it went out all the same");
        }
        let broken = b"{\"ok\":true,\"result\":{\"text\":\"\xff\",\"message_id\":7}}";
        assert!(read_sent(200, broken).is_ok());
        let wait = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":3,"new":1}}"#;
        assert_eq!(Fault::from(read_sent(429, wait.as_bytes()).unwrap_err()), Fault::Wait(Span::seconds(3)));
        let none = Fault::from(read_sent(502, b"<html>").unwrap_err());
        assert_eq!(none, Fault::Down("not an answer of the Bot API (status 502)".into()));
    }

    #[test]
    fn a_bad_token_has_a_clear_error() {
        let said = CallError::Said(Refusal { code: 401, description: "Unauthorized".into(), ..Refusal::default() });
        assert_eq!(
            StartError::from(said).to_string(),
            "TELOXIDE_TOKEN is not accepted by Telegram (Unauthorized); get it from @BotFather"
        );
    }
}
