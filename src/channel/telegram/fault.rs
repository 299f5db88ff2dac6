//! Reading Telegram's answers to calls, and sorting what went wrong by what to do next.
//!
//! A failed call is answered `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7",
//! "parameters":{"retry_after":7}}`. teloxide keeps the description and drops the code, so that a 500 and a 400 that it
//! has no word for look alike (`ApiError::Unknown`); the code is read back from the description's first words. An answer
//! that teloxide can't read is `InvalidJson`, and that holds a success too whose message has a field of a kind that
//! teloxide does not know: what is in it decides, or the same text would be sent again and again.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use teloxide_core::{ApiError, RequestError};

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
    /// An answer that is not the Bot API's, and its HTTP status; teloxide does not tell the status.
    Unreadable(Option<u16>),
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

#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

/// The result in the answer to a call.
pub(super) fn read_answer<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, CallError> {
    // Lossy: one broken byte in one customer's message must not make a whole batch of updates unreadable.
    let text = String::from_utf8_lossy(body);
    let result = read_result(Some(status), &text)?;
    serde_json::from_slice(result.get().as_bytes()).map_err(|_| CallError::Unreadable(Some(status)))
}

/// What a failed `sendMessage` of teloxide's means; it may have worked all the same.
pub(super) fn of_send(error: RequestError) -> Result<Option<String>, Fault> {
    match error {
        RequestError::RetryAfter(seconds) => Err(Fault::Wait(Span::seconds(i64::from(seconds.seconds())))),
        // Only groups move, and a group is no customer.
        RequestError::MigrateToChatId(_) => Err(Fault::Gone),
        RequestError::Api(error) => {
            let description = description_of(error);
            Err(Refusal { code: code_of(&description), description, ..Refusal::default() }.into())
        }
        RequestError::Network(error) => Err(CallError::Network(word_of(&error)).into()),
        RequestError::InvalidJson { raw, .. } => match read_result(None, &raw) {
            Ok(message) => {
                let id = serde_json::from_slice::<Sent>(message.get().as_bytes()).ok();
                Ok(id.map(|sent| sent.message_id.to_string()))
            }
            Err(error) => Err(error.into()),
        },
        RequestError::Io(_) => Err(Fault::Down("a file could not be read".into())),
    }
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
            CallError::Unreadable(Some(status)) => {
                Fault::Down(format!("not an answer of the Bot API (status {status})"))
            }
            CallError::Unreadable(None) => Fault::Down("not an answer of the Bot API".into()),
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

fn read_result(status: Option<u16>, text: &str) -> Result<&RawValue, CallError> {
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

fn description_of(error: ApiError) -> String {
    shortened(match error {
        ApiError::Unknown(description) => description,
        ApiError::InvalidToken => "Unauthorized".into(),
        known => known.to_string(),
    })
}

/// The code that stood beside a description. Telegram starts each description with the name of its status.
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
    use std::sync::Arc;

    use super::*;

    fn fault_of(body: &str) -> Fault {
        read_answer::<bool>(200, body.as_bytes()).unwrap_err().into()
    }

    /// As teloxide would hand an answer over that it can't read.
    fn invalid(raw: &str) -> RequestError {
        let source = Arc::new(serde_json::from_str::<bool>("no").unwrap_err());
        RequestError::InvalidJson { source, raw: raw.into() }
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
    fn a_success_that_teloxide_cannot_read_is_a_success() {
        let raw = r#"{"ok":true,"result":{"message_id":77,"date":1,"chat":{"id":1,"type":"hologram"}}}"#;
        assert_eq!(of_send(invalid(raw)), Ok(Some("77".into())));
        assert_eq!(of_send(invalid(r#"{"ok":true,"result":{}}"#)), Ok(None));
        let raw = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":3,"new":1}}"#;
        assert_eq!(of_send(invalid(raw)), Err(Fault::Wait(Span::seconds(3))));
        assert!(matches!(of_send(invalid("<html>")), Err(Fault::Down(_))));
    }

    #[test]
    fn teloxides_errors_are_sorted_too() {
        let api = |error: ApiError| of_send(RequestError::Api(error)).unwrap_err();
        assert_eq!(api(ApiError::BotBlocked), Fault::Gone);
        assert_eq!(api(ApiError::UserDeactivated), Fault::Gone);
        assert_eq!(api(ApiError::ChatNotFound), Fault::Gone);
        assert_eq!(api(ApiError::CantInitiateConversation), Fault::Gone);
        assert!(matches!(api(ApiError::InvalidToken), Fault::Locked(_)));
        assert!(matches!(api(ApiError::MessageIsTooLong), Fault::Refused(_)));
        assert!(matches!(api(ApiError::Unknown("Bad Request: new kind".into())), Fault::Refused(_)));
        assert_eq!(api(ApiError::Unknown("Internal Server Error".into())), Fault::Down("Internal Server Error".into()));
        assert_eq!(api(ApiError::Unknown(String::new())), Fault::Down(String::new()));
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
