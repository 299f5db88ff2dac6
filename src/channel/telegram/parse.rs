//! Reading one update. It promises an [`Arrival`] with the right [`Arrival::foreign_id`] for whatever has a chat, also
//! where Telegram has invented a kind of update, of chat or of message since, or where a field has another shape than
//! it is documented to have: only the fields that are used are read, and each on its own.
//!
//! So teloxide's `Update` is not used here. It reads an update whole or, where one field of it is new to it, not at all,
//! and keeps nothing of it then (`UpdateKind::Error`). Bytes are read by `from_slice` and never by way of a
//! `serde_json::Value`, whatever reads them: teloxide's types lose everything there.
//!
//! Texts are kept as they can be kept: half of a surrogate pair (`\ud800`) and bytes that are no UTF-8 become U+FFFD, and
//! NUL, which PostgreSQL refuses in a text, is left out.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::{
    channel::{Arrival, ChannelKind, Content, Medium, Peer},
    id::MerchantId,
    moment::Moment,
};

/// Longest name taken, in characters. Telegram allows 64 for the first name and 64 for the last.
const LONGEST_NAME: usize = 129;

/// Longest word that a link to the bot carries, in characters (deep links, Bot API 10.1: `[A-Za-z0-9_-]`, up to 64).
const LONGEST_PAYLOAD: usize = 64;

/// What a message may hold instead of words, the more telling first: an animation is a `document` too, a venue is a
/// `location` too. Names of fields as of Bot API 10.1.
const MEDIA: [(&str, Medium); 20] = [
    ("sticker", Medium::Sticker),
    ("animation", Medium::Sticker),
    ("dice", Medium::Sticker),
    ("voice", Medium::Voice),
    ("audio", Medium::Voice),
    ("video_note", Medium::Voice),
    ("photo", Medium::Picture),
    ("live_photo", Medium::Picture),
    ("video", Medium::Picture),
    ("paid_media", Medium::Picture),
    ("venue", Medium::Location),
    ("location", Medium::Location),
    ("contact", Medium::Contact),
    ("document", Medium::File),
    ("story", Medium::Other),
    ("poll", Medium::Other),
    ("game", Medium::Other),
    ("checklist", Medium::Other),
    ("rich_message", Medium::Other),
    ("invoice", Medium::Other),
];

/// Fields of messages that say what happened in a private chat and that nobody wrote: an answer would be odd.
const SERVICE: [&str; 22] = [
    "pinned_message",
    "message_auto_delete_timer_changed",
    "chat_background_set",
    "connected_website",
    "write_access_allowed",
    "proximity_alert_triggered",
    "successful_payment",
    "refunded_payment",
    "passport_data",
    "users_shared",
    "chat_shared",
    "gift",
    "unique_gift",
    "gift_upgrade_sent",
    "boost_added",
    "giveaway",
    "giveaway_winners",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "web_app_data",
];

/// An update as it was read.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Telegram's number of the update; polling confirms by it.
    pub update_id: i64,
    /// What to deliver; `None` where the update belongs to no chat.
    pub arrival: Option<Arrival>,
    /// The query to answer after the commit, or the pressed button goes on spinning.
    pub callback: Option<String>,
}

/// Why bytes are no update. Says nothing of what was in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not a JSON object.
    #[error("the update is not a JSON object")]
    NotAnObject,
    /// Without a number by which a repeat could be told.
    #[error("the update has no update_id that is a whole number")]
    NoUpdateId,
}

/// Reads the bytes of one update, as posted to a webhook or found in the result of `getUpdates`.
///
/// # Errors
/// Where the bytes are no JSON object with an `update_id`. Everything else is an update.
pub fn parse(merchant: &MerchantId, at: Moment, raw: &[u8]) -> Result<Parsed, ParseError> {
    let raw = String::from_utf8_lossy(raw);
    let update = Part::read(&raw).ok_or(ParseError::NotAnObject)?;
    let update_id = update.number("update_id").ok_or(ParseError::NoUpdateId)?;
    let (kind, body) = Kind::of(&update);
    let callback = (kind == Kind::Callback).then(|| body.text("id")).flatten();
    let arrival = chat_of(&body).and_then(|chat| {
        let peer = Peer::new(chat.number("id")?.to_string())?;
        let sender = body.part("from");
        Some(Arrival {
            merchant: merchant.clone(),
            channel: ChannelKind::Telegram,
            foreign_id: format!("u{update_id}"),
            peer,
            name: sender.as_ref().and_then(name_of),
            language: sender.as_ref().and_then(|from| from.text("language_code")?.parse().ok()),
            at,
            content: content_of(kind, &body, &chat),
            raw: raw.clone().into_owned(),
        })
    });
    Ok(Parsed { update_id, arrival, callback })
}

/// Kinds of updates that differ to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Edited,
    Callback,
    Membership,
    Other,
}

/// The fields of a JSON object, none of them read yet. Of a field that comes twice the last one counts.
#[derive(Default)]
struct Part<'a>(BTreeMap<String, &'a RawValue>);

/// A text that survives half surrogate pairs.
struct Lossy(String);

impl Kind {
    /// The kind of an update, and the object that tells of it.
    fn of<'a>(update: &Part<'a>) -> (Kind, Part<'a>) {
        let known = [
            ("message", Kind::Message),
            ("edited_message", Kind::Edited),
            ("callback_query", Kind::Callback),
            ("my_chat_member", Kind::Membership),
        ];
        for (name, kind) in known {
            if let Some(body) = update.part(name) {
                return (kind, body);
            }
        }
        // Exactly one other field is documented; whichever knows a chat will do.
        let body = update.0.values().filter_map(|value| Part::read(value.get())).find(|body| chat_of(body).is_some());
        (Kind::Other, body.unwrap_or_default())
    }
}

impl<'a> Part<'a> {
    fn read(json: &'a str) -> Option<Part<'a>> {
        serde_json::from_slice(json.as_bytes()).ok().map(Part)
    }

    fn part(&self, field: &str) -> Option<Part<'a>> {
        Part::read(self.0.get(field)?.get())
    }

    fn number(&self, field: &str) -> Option<i64> {
        serde_json::from_slice(self.0.get(field)?.get().as_bytes()).ok()
    }

    fn text(&self, field: &str) -> Option<String> {
        let text: Lossy = serde_json::from_slice(self.0.get(field)?.get().as_bytes()).ok()?;
        Some(text.0)
    }

    /// Whether the field is there and says something.
    fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !matches!(value.get(), "null" | "false"))
    }
}

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lossy, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Lossy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).replace('\0', "")))
            }
        }
        // As bytes: serde_json then lets a lone surrogate pass, which it refuses in a `String`.
        deserializer.deserialize_bytes(Visitor)
    }
}

/// The chat that an update's object is about. A callback query has it in the message with the button.
fn chat_of<'a>(body: &Part<'a>) -> Option<Part<'a>> {
    let chat = body.part("chat").or_else(|| body.part("message")?.part("chat"))?;
    chat.number("id").is_some().then_some(chat)
}

fn name_of(sender: &Part<'_>) -> Option<String> {
    let names = [sender.text("first_name"), sender.text("last_name")];
    let words: Vec<String> = names
        .into_iter()
        .flatten()
        .map(|name| name.split(char::is_control).collect::<String>().trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let name: String = words.join(" ").chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

fn content_of(kind: Kind, body: &Part<'_>, chat: &Part<'_>) -> Content {
    if chat.text("type").as_deref() != Some("private") {
        return Content::Ignored("not a private chat");
    }
    match kind {
        // A bot that talks to a bot would never end.
        Kind::Message | Kind::Edited if body.part("from").is_some_and(|from| from.has("is_bot")) => {
            Content::Ignored("from a bot")
        }
        Kind::Message => message(body),
        // A live location sends an edit every few seconds.
        Kind::Edited if body.has("location") => Content::Ignored("live location"),
        Kind::Edited => Content::Medium(Medium::Edit),
        Kind::Callback => body.text("data").map_or(Content::Ignored("game"), Content::Press),
        Kind::Membership => match body.part("new_chat_member").and_then(|member| member.text("status")).as_deref() {
            Some("kicked" | "left") => Content::Left,
            Some("member") => Content::Back,
            _ => Content::Ignored("membership"),
        },
        Kind::Other => Content::Ignored("unknown kind"),
    }
}

fn message(message: &Part<'_>) -> Content {
    if let Some(content) = message.text("text").as_deref().and_then(words) {
        return content;
    }
    if let Some(content) = message.text("caption").as_deref().and_then(Content::words) {
        return content;
    }
    match MEDIA.iter().find(|(field, _)| message.has(field)) {
        Some((_, medium)) => Content::Medium(*medium),
        None if SERVICE.iter().any(|field| message.has(field)) => Content::Ignored("service message"),
        None => Content::Medium(Medium::Other),
    }
}

/// `/start` opens the chat, with the word that a link carried; any other command is the word that it is.
fn words(text: &str) -> Option<Content> {
    let Some((command, rest)) = command(text.trim()) else {
        return Content::words(text);
    };
    if !command.eq_ignore_ascii_case("start") {
        return Content::words(&format!("{command} {rest}"));
    }
    match rest {
        "" => Some(Content::Opened(None)),
        word if is_payload(word) => Some(Content::Opened(Some(word.to_owned()))),
        // Typed by hand: the words are what matters.
        words => Content::words(words),
    }
}

/// `/name@bot the rest`, as `name` and `the rest`.
fn command(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('/')?;
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = first.split('@').next().unwrap_or(first);
    let good = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    good.then(|| (name, rest.trim()))
}

fn is_payload(word: &str) -> bool {
    word.len() <= LONGEST_PAYLOAD && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::channel::LONGEST_TEXT;

    const AT: Moment = Moment(1_700_000_000_000);

    fn read(raw: &str) -> Parsed {
        parse(&"pizzeria".parse().unwrap(), AT, raw.as_bytes()).unwrap()
    }

    fn arrival(raw: &Value) -> Arrival {
        read(&raw.to_string()).arrival.unwrap()
    }

    /// A message as Telegram sends it, with what is special about it.
    fn message_with(special: Value) -> Value {
        let mut message = json!({
            "message_id": 365,
            "from": {"id": 1_111_111, "is_bot": false, "first_name": "Test", "last_name": "Lastname",
                "username": "Testusername", "language_code": "pt-br"},
            "chat": {"id": 1_111_111, "first_name": "Test", "last_name": "Lastname", "username": "Testusername",
                "type": "private"},
            "date": 1_441_645_532
        });
        for (field, value) in special.as_object().unwrap() {
            message[field] = value.clone();
        }
        json!({"update_id": 10_000, "message": message})
    }

    fn content(special: Value) -> Content {
        arrival(&message_with(special)).content
    }

    #[test]
    fn a_text_with_all_that_comes_with_it() {
        let update = message_with(json!({"text": " two margherita 🍕🍕 "}));
        let parsed = read(&update.to_string());
        assert_eq!((parsed.update_id, parsed.callback), (10_000, None));
        let arrival = parsed.arrival.unwrap();
        assert_eq!(arrival.content, Content::Text("two margherita 🍕🍕".into()));
        assert_eq!(arrival.merchant.as_str(), "pizzeria");
        assert_eq!(arrival.channel, ChannelKind::Telegram);
        assert_eq!(arrival.foreign_id, "u10000");
        assert_eq!(arrival.peer.as_str(), "1111111");
        assert_eq!(arrival.name.as_deref(), Some("Test Lastname"));
        assert_eq!(arrival.language.unwrap().tag(), "pt-br");
        assert_eq!(arrival.at, AT);
        assert_eq!(arrival.raw, update.to_string());
    }

    #[test]
    fn commands() {
        let opened = |word: Option<&str>| Content::Opened(word.map(str::to_owned));
        for (text, wanted) in [
            ("/start", opened(None)),
            ("/start@the_usual_bot", opened(None)),
            ("/START", opened(None)),
            ("/start table_7-b", opened(Some("table_7-b"))),
            ("/start 2 margherita, please", Content::Text("2 margherita, please".into())),
            ("/starters", Content::Text("starters".into())),
            ("/menu", Content::Text("menu".into())),
            ("/menu@the_usual_bot drinks", Content::Text("menu drinks".into())),
            ("/", Content::Text("/".into())),
            ("/ menu", Content::Text("/ menu".into())),
            ("1/2 pizza", Content::Text("1/2 pizza".into())),
            ("/меню", Content::Text("меню".into())),
        ] {
            assert_eq!(content(json!({"text": text})), wanted, "{text}");
        }
        let long = format!("/start {}", "x".repeat(65));
        assert!(matches!(content(json!({"text": long})), Content::Text(_)));
    }

    #[test]
    fn media() {
        let file = json!({"file_id": "AgAD", "file_unique_id": "u", "duration": 3});
        let place = json!({"latitude": 59.9, "longitude": 10.7});
        for (special, medium) in [
            (json!({"voice": file}), Medium::Voice),
            (json!({"audio": file}), Medium::Voice),
            (json!({"video_note": file}), Medium::Voice),
            (json!({"photo": [file], "media_group_id": "1"}), Medium::Picture),
            (json!({"video": file}), Medium::Picture),
            (json!({"sticker": file}), Medium::Sticker),
            (json!({"dice": {"emoji": "🎲", "value": 4}}), Medium::Sticker),
            (json!({"animation": file, "document": file}), Medium::Sticker),
            (json!({"location": place}), Medium::Location),
            (json!({"location": place, "venue": {"location": place, "title": "t", "address": "a"}}), Medium::Location),
            (json!({"contact": {"phone_number": "+0", "first_name": "Test"}}), Medium::Contact),
            (json!({"document": file}), Medium::File),
            (json!({"poll": {"id": "1"}}), Medium::Other),
            (json!({"hologram": {"of": "a pizza"}}), Medium::Other),
            (json!({"text": 17}), Medium::Other),
            (json!({"text": null, "caption": {}}), Medium::Other),
        ] {
            assert_eq!(content(special.clone()), Content::Medium(medium), "{special}");
        }
        let captioned = json!({"photo": [file], "caption": "this one, twice"});
        assert_eq!(content(captioned), Content::Text("this one, twice".into()));
        assert_eq!(content(json!({"pinned_message": {"message_id": 1}})), Content::Ignored("service message"));
        assert_eq!(content(json!({"delete_chat_photo": false, "voice": file})), Content::Medium(Medium::Voice));
    }

    #[test]
    fn a_press_remembers_its_query() {
        let update = json!({"update_id": 5, "callback_query": {
            "id": "4382bfdwdsb323b2d9", "chat_instance": "7", "data": "t3:yes",
            "from": {"id": 7, "is_bot": false, "first_name": "Test"},
            "message": {"message_id": 9, "date": 0, "chat": {"id": 7, "type": "private"}}}});
        let parsed = read(&update.to_string());
        assert_eq!(parsed.callback.as_deref(), Some("4382bfdwdsb323b2d9"));
        let arrival = parsed.arrival.unwrap();
        assert_eq!(arrival.content, Content::Press("t3:yes".into()));
        assert_eq!((arrival.foreign_id.as_str(), arrival.peer.as_str()), ("u5", "7"));
        assert_eq!(arrival.name.as_deref(), Some("Test"));

        let inline = json!({"update_id": 6, "callback_query": {"id": "q", "inline_message_id": "i", "data": "d",
            "from": {"id": 7, "is_bot": false, "first_name": "Test"}}});
        let parsed = read(&inline.to_string());
        assert!(parsed.arrival.is_none());
        assert_eq!(parsed.callback.as_deref(), Some("q"));
    }

    #[test]
    fn edits_blocks_and_unblocks() {
        let edited = |special| {
            let mut update = message_with(special);
            let message = update.as_object_mut().unwrap().remove("message").unwrap();
            update["edited_message"] = message;
            arrival(&update).content
        };
        assert_eq!(edited(json!({"text": "three"})), Content::Medium(Medium::Edit));
        assert_eq!(edited(json!({"location": {"latitude": 1.0}})), Content::Ignored("live location"));

        let member = |status: &str| {
            arrival(&json!({"update_id": 1, "my_chat_member": {
                "chat": {"id": 7, "type": "private"}, "from": {"id": 7, "is_bot": false, "first_name": "T"}, "date": 1,
                "old_chat_member": {"status": "member"}, "new_chat_member": {"status": status, "until_date": 0}}}))
            .content
        };
        assert_eq!(member("kicked"), Content::Left);
        assert_eq!(member("member"), Content::Back);
    }

    #[test]
    fn only_private_chats_of_people_count() {
        for chat in [
            json!({"id": -100, "type": "group", "title": "T"}),
            json!({"id": -1_001_234_567_890_i64, "type": "supergroup", "title": "T", "is_forum": true}),
            json!({"id": -100, "type": "hologram"}),
            json!({"id": -100}),
        ] {
            let arrival = arrival(&message_with(json!({"chat": chat, "text": "hi"})));
            assert_eq!(arrival.content, Content::Ignored("not a private chat"), "{chat}");
            assert_eq!(arrival.foreign_id, "u10000");
        }
        let bot = json!({"from": {"id": 1, "is_bot": true, "first_name": "B"}, "text": "hi"});
        assert_eq!(content(bot), Content::Ignored("from a bot"));
        let post = json!({"update_id": 1, "channel_post": {"message_id": 1, "date": 1, "text": "x",
            "chat": {"id": -5, "type": "channel", "title": "T"}}});
        assert_eq!(arrival(&post).content, Content::Ignored("not a private chat"));
    }

    #[test]
    fn unknown_kinds_and_broken_shapes_keep_their_number() {
        let unknown = json!({"update_id": 11, "telepathy": {"chat": {"id": 7, "type": "private"}, "thought": "pizza"}});
        let got = arrival(&unknown);
        assert_eq!((got.foreign_id.as_str(), got.content), ("u11", Content::Ignored("unknown kind")));

        for broken in [
            json!({"update_id": 12, "message": 5}),
            json!({"update_id": 12, "message": {"text": "no chat"}}),
            json!({"update_id": 12, "message": {"chat": "private", "text": "x"}}),
            json!({"update_id": 12, "message": {"chat": {"id": "seven", "type": "private"}, "text": "x"}}),
            json!({"update_id": 12, "inline_query": {"id": "1", "query": "", "from": {"id": 7}}}),
            json!({"update_id": 12, "poll": null}),
            json!({"update_id": 12}),
        ] {
            let parsed = read(&broken.to_string());
            assert!(parsed.arrival.is_none() && parsed.update_id == 12, "{broken}");
        }

        // A field that we do not use may look as it likes.
        let odd = message_with(json!({"text": "hi", "entities": 3, "date": "today", "message_id": {}, "from": []}));
        assert_eq!(arrival(&odd).content, Content::Text("hi".into()));
    }

    #[test]
    fn huge_numbers() {
        let raw = |update_id: &str, chat: &str| {
            format!(r#"{{"update_id":{update_id},"message":{{"chat":{{"id":{chat},"type":"private"}},"text":"x"}}}}"#)
        };
        // 52 bits are documented for chats; teloxide takes 32 for updates.
        let parsed = read(&raw("9007199254740993", "4503599627370497"));
        assert_eq!(parsed.arrival.unwrap().peer.as_str(), "4503599627370497");
        assert_eq!(parsed.update_id, 9_007_199_254_740_993);
        assert!(read(&raw("1", "1e30")).arrival.is_none());
        for id in ["99999999999999999999999999", "1e30", "1.5", "\"1\"", "null"] {
            let error = parse(&"m".parse().unwrap(), AT, raw(id, "1").as_bytes()).unwrap_err();
            assert_eq!(error, ParseError::NoUpdateId, "{id}");
        }
    }

    #[test]
    fn texts_of_any_kind_and_length() {
        let long = "ж".repeat(500_000);
        assert_eq!(content(json!({"text": long})), Content::TooLong("ж".repeat(LONGEST_TEXT)));

        let raw = |text: &str| {
            format!(r#"{{"update_id":1,"message":{{"chat":{{"id":1,"type":"private"}},"text":"{text}"}}}}"#)
        };
        let text_of = |text: &str| match read(&raw(text)).arrival.unwrap().content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text_of(r"\ud83c\udf55 and \u00e9"), "🍕 and é");
        for lone in [r"a\ud800b", r"a\udc00b", r"a\ud800\ud800b", r"a\ud800\u0041b"] {
            let text = text_of(lone);
            assert!(text.starts_with('a') && text.ends_with('b') && text.contains('\u{fffd}'), "{lone}: {text:?}");
            assert!(read(&raw(lone)).arrival.unwrap().raw.contains(lone), "the raw text is as it came");
        }
        assert_eq!(text_of(r"nul\u0000l"), "null");

        let mut bytes = raw("caf#").into_bytes();
        let at = bytes.iter().position(|&b| b == b'#').unwrap();
        bytes[at] = 0xe9;
        let parsed = parse(&"m".parse().unwrap(), AT, &bytes).unwrap();
        assert_eq!(parsed.arrival.unwrap().content, Content::Text("caf\u{fffd}".into()));
    }

    #[test]
    fn numbers_that_nobody_counts_to_are_none() {
        let raw = |update_id: &str, chat: &str| {
            let chat = format!(r#""chat":{{"id":{chat},"type":"private"}}"#);
            format!(r#"{{"update_id":{update_id},"message":{{{chat},"text":"x","z":1e400}}}}"#)
        };
        for number in ["9223372036854775807", "-9223372036854775808"] {
            let parsed = read(&raw(number, number));
            assert_eq!(parsed.update_id.to_string(), number);
            let arrival = parsed.arrival.unwrap();
            assert_eq!((arrival.peer.as_str(), arrival.content), (number, Content::Text("x".into())));
        }
        // 2^63, 2^64 and one less than -2^63; more than any number that there is; and one that is not whole.
        for number in ["9223372036854775808", "18446744073709551616", "-9223372036854775809", "1e400", "7.0"] {
            let error = parse(&"m".parse().unwrap(), AT, raw(number, "1").as_bytes()).unwrap_err();
            assert_eq!(error, ParseError::NoUpdateId, "{number}");
            // It has its number, so that it is acknowledged and does not come for ever; nobody could be answered.
            let parsed = read(&raw("1", number));
            assert!(parsed.update_id == 1 && parsed.arrival.is_none(), "{number}");
        }
    }

    #[test]
    fn fields_ten_thousand_deep_say_nothing() {
        const DEPTH: usize = 10_000;
        let arrays = format!("{}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
        for deep in [arrays, objects] {
            // Of a field that comes twice the last one counts.
            let with = |special: &str| {
                let chat = r#""chat":{"id":1,"type":"private"}"#;
                read(&format!(r#"{{"update_id":3,"message":{{{chat},"text":"x",{special}}}}}"#)).arrival
            };
            let content = |special: &str| with(special).unwrap().content;
            let text = Content::Text("x".into());
            assert_eq!(content(&format!(r#""z":{deep}"#)), text, "one that is not read");
            assert_eq!(content(&format!(r#""text":{deep}"#)), Content::Medium(Medium::Other));
            assert_eq!(content(&format!(r#""caption":{deep},"text":null"#)), Content::Medium(Medium::Other));
            for from in [deep.clone(), format!(r#"{{"first_name":{deep},"is_bot":false}}"#)] {
                let arrival = with(&format!(r#""from":{from}"#)).unwrap();
                assert_eq!((arrival.name, arrival.content), (None, text.clone()));
            }
            let odd = content(&format!(r#""chat":{{"id":1,"type":{deep}}}"#));
            assert_eq!(odd, Content::Ignored("not a private chat"));
            assert!(with(&format!(r#""chat":{deep}"#)).is_none());
            assert!(with(&format!(r#""chat":{{"id":{deep},"type":"private"}}"#)).is_none());

            let parsed = read(&format!(r#"{{"update_id":3,"message":{deep}}}"#));
            assert!(parsed.update_id == 3 && parsed.arrival.is_none());
            let under = r#""message":{"chat":{"id":7,"type":"private"}}"#;
            let press = format!(r#"{{"id":{deep},"data":{deep},{under}}}"#);
            let parsed = read(&format!(r#"{{"update_id":3,"callback_query":{press}}}"#));
            assert_eq!(parsed.callback, None);
            assert_eq!(parsed.arrival.unwrap().content, Content::Ignored("game"));

            for none in [deep.clone(), format!(r#"{{"update_id":{deep}}}"#)] {
                assert!(parse(&"m".parse().unwrap(), AT, none.as_bytes()).is_err());
            }
        }
    }

    #[test]
    fn of_a_million_fields_those_that_count_are_found_and_of_twins_the_last() {
        const FIELDS: usize = 1_000_000;
        let others: String = (0..FIELDS).map(|n| format!(r#""k{n}":0,"#)).collect();
        let twins = r#""text":"first","#.repeat(FIELDS);
        for fields in [others, twins] {
            let chat = r#""chat":{"id":1,"type":"private"}"#;
            let parsed = read(&format!(r#"{{"update_id":1,"message":{{{chat},{fields}"text":"last"}}}}"#));
            assert_eq!(parsed.arrival.unwrap().content, Content::Text("last".into()));
        }
        let message =
            |chat: i64, text: &str| format!(r#""message":{{"chat":{{"id":{chat},"type":"private"}},"text":"{text}"}}"#);
        let (first, last) = (message(1, "first"), message(2, "last"));
        let parsed = read(&format!(r#"{{"update_id":1,{first},"update_id":2,{last}}}"#));
        let arrival = parsed.arrival.unwrap();
        assert_eq!((parsed.update_id, arrival.foreign_id.as_str(), arrival.peer.as_str()), (2, "u2", "2"));
        assert_eq!(arrival.content, Content::Text("last".into()));
    }

    #[test]
    fn marks_families_and_signs_of_direction_come_through_whole() {
        let marked = format!("a{}", "\u{301}".repeat(1_000));
        let families = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}".repeat(100);
        let signs = "\u{202e}2 margherita\u{202c}, \u{2066}cola\u{2069}\u{200b}\u{feff}";
        for text in [marked.as_str(), families.as_str(), signs] {
            assert_eq!(content(json!({"text": text})), Content::Text(text.into()));
        }
        // Telegram's longest is 4,096 UTF-16 units, of which a pizza has two; what is taken is counted in characters.
        for letter in ["x", "🍕"] {
            for length in [2_048, 2_049, 4_096, 4_097, LONGEST_TEXT] {
                let text = letter.repeat(length);
                assert_eq!(content(json!({"text": text})), Content::Text(text), "{length}");
            }
            let long = letter.repeat(LONGEST_TEXT + 1);
            assert_eq!(content(json!({"text": long})), Content::TooLong(letter.repeat(LONGEST_TEXT)));
        }
    }

    #[test]
    fn names_are_one_line() {
        let name = |from: Value| arrival(&message_with(json!({"from": from, "text": "x"}))).name;
        assert_eq!(name(json!({"first_name": "A\nB", "last_name": " "})).as_deref(), Some("AB"));
        assert_eq!(name(json!({"first_name": "", "last_name": "C"})).as_deref(), Some("C"));
        assert_eq!(name(json!({"first_name": 3})), None);
        assert_eq!(name(json!({"first_name": "x".repeat(1_000)})).unwrap().len(), LONGEST_NAME);
        let language =
            |code: &str| arrival(&message_with(json!({"from": {"language_code": code}, "text": "x"}))).language;
        assert_eq!(language("nb").unwrap().tag(), "nb");
        assert_eq!(language("klingon!"), None);
    }

    #[test]
    fn what_is_no_update() {
        let deep = format!(
            r#"{{"update_id":3,"message":{{"chat":{{"id":1,"type":"private"}},"text":"x","z":{}1{}}}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(read(&deep).arrival.unwrap().content, Content::Text("x".into()));
        for (raw, error) in [
            ("", ParseError::NotAnObject),
            ("hello", ParseError::NotAnObject),
            ("[]", ParseError::NotAnObject),
            ("{", ParseError::NotAnObject),
            (r#"{"update_id":1} trailing"#, ParseError::NotAnObject),
            ("{}", ParseError::NoUpdateId),
            (r#"{"message":{}}"#, ParseError::NoUpdateId),
        ] {
            assert_eq!(parse(&"m".parse().unwrap(), AT, raw.as_bytes()).unwrap_err(), error, "{raw}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(parse(&"m".parse().unwrap(), AT, deep.as_bytes()).is_err());
    }

    proptest::proptest! {
        /// Whatever comes, nothing panics.
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse(&"m".parse().unwrap(), AT, &bytes);
        }

        /// Any text at all comes through as `Content::words` has it, if it is no command.
        #[test]
        fn any_text_arrives(text in "\\PC{1,40}") {
            proptest::prop_assume!(!text.trim().starts_with('/') && !text.trim().is_empty());
            proptest::prop_assert_eq!(Some(content(json!({"text": text}))), Content::words(&text));
        }
    }
}
