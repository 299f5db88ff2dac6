//! The shop's own page as a channel: who a visitor is, and what their browser posts.
//!
//! Promises: a visitor's token never leaves this file but towards their own cookie. Elsewhere they are a [`Peer`], a
//! hash of token and shop, so that a database that leaks opens no conversation, and two shops of one deployment can't
//! tell that they share a visitor. What a visitor names an id is joined to their peer, so that nobody's message can be
//! mistaken for somebody else's.
//!
//! Races: the page posts a message again, under the same id, until it hears that it was taken. The inbox knows the id
//! and takes it once. The opening of a chat has the same id in every tab, so that a visitor is greeted once.

use std::fmt::Write as _;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Arrival, ChannelKind, Content, LONGEST_TEXT, Peer};
use crate::{id::MerchantId, language::Language, moment::Moment};

/// Largest body that the page may post, in bytes: [`LONGEST_TEXT`] characters of four bytes each, written as they are,
/// fill half of it.
pub const LARGEST_BODY: usize = 64 * 1024;

/// Longest data of a button, in bytes; see [`super::Button::data`].
const LONGEST_PRESS: usize = 64;

/// Length of a visitor's token in bytes: 128 bits can't be guessed.
pub const TOKEN_BYTES: usize = 16;

/// Length of a token as the cookie holds it.
const TOKEN_DIGITS: usize = TOKEN_BYTES * 2;

/// Length of an id that the page makes: a UUID.
const ID_LENGTH: usize = 36;

/// Whoever holds a cookie of the chat page.
#[derive(Clone, PartialEq, Eq)]
pub struct Visitor(String);

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// No JSON, or not of this form.
    #[error("write JSON such as {{\"id\": \"a UUID\", \"text\": \"2 margherita\"}}")]
    Form,
    /// The id is no UUID.
    #[error("\"id\" has to be a UUID")]
    Id,
    /// None or several of text, press and open.
    #[error("give one of \"text\", \"press\" and \"open\": true")]
    OneThing,
    /// A text of nothing but blanks.
    #[error("the message is empty")]
    Empty,
    /// A text beyond [`LONGEST_TEXT`].
    #[error("the message is too long; {LONGEST_TEXT} characters is the most")]
    TooLong,
    /// A button's data that no button has.
    #[error("no button is like this")]
    Press,
}

#[derive(Deserialize)]
struct Body {
    id: String,
    text: Option<String>,
    press: Option<String>,
    open: Option<bool>,
}

impl Visitor {
    /// A visitor that nobody has seen, of random bytes.
    pub fn of(random: [u8; TOKEN_BYTES]) -> Visitor {
        Visitor(hex(&random))
    }

    /// The visitor of a cookie; `None` where it was not made here.
    pub fn read(token: &str) -> Option<Visitor> {
        let good = token.len() == TOKEN_DIGITS && token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Visitor(token.to_owned()))
    }

    /// What their cookie holds. For that cookie only.
    pub fn token(&self) -> &str {
        &self.0
    }

    /// Whom the shop talks to: a hash that does not lead back to the token.
    pub fn peer(&self, merchant: &MerchantId) -> Option<Peer> {
        let mut hash = Sha256::new();
        hash.update(b"visitor\0");
        hash.update(merchant.as_str().as_bytes());
        hash.update(b"\0");
        hash.update(self.0.as_bytes());
        Peer::new(hex(&hash.finalize()))
    }
}

/// Shows nothing of the token.
impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Visitor")
    }
}

/// What a page has posted, as an arrival from `peer`.
pub fn arrival(
    merchant: MerchantId,
    peer: Peer,
    language: Option<Language>,
    body: &[u8],
    at: Moment,
) -> Result<Arrival, NotRead> {
    let read: Body = serde_json::from_slice(body).map_err(|_| NotRead::Form)?;
    if !is_uuid(&read.id) {
        return Err(NotRead::Id);
    }
    let content = match (read.text, read.press, read.open) {
        (Some(text), None, None) => match Content::words(&text) {
            Some(Content::TooLong(_)) => return Err(NotRead::TooLong),
            Some(words) => words,
            None => return Err(NotRead::Empty),
        },
        (None, Some(data), None) if data.is_empty() || data.len() > LONGEST_PRESS => return Err(NotRead::Press),
        (None, Some(data), None) => Content::Press(data),
        (None, None, Some(true)) => Content::Opened(None),
        _ => return Err(NotRead::OneThing),
    };
    Ok(Arrival {
        foreign_id: format!("{}:{}", peer.as_str(), read.id.to_ascii_lowercase()),
        merchant,
        channel: ChannelKind::Web,
        peer,
        name: None,
        language,
        at,
        content,
        raw: String::from_utf8_lossy(body).into_owned(),
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == ID_LENGTH
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f506";

    fn read(body: &str) -> Result<Arrival, NotRead> {
        let merchant: MerchantId = "pizzeria".parse().unwrap();
        let peer = Visitor::of([7; 16]).peer(&merchant).unwrap();
        arrival(merchant, peer, None, body.as_bytes(), Moment(0))
    }

    #[test]
    fn a_peer_is_no_token_and_differs_by_shop() {
        let visitor = Visitor::of([0xab; 16]);
        assert_eq!(Visitor::read(visitor.token()), Some(visitor.clone()));
        let (one, two) = ("pizzeria".parse().unwrap(), "petshop".parse().unwrap());
        let peer = visitor.peer(&one).unwrap();
        assert!(!peer.as_str().contains(visitor.token()));
        assert_ne!(visitor.peer(&two).unwrap(), peer);
        assert_eq!(format!("{visitor:?}"), "Visitor");
        for token in ["", "ab", &"AB".repeat(16), &"zz".repeat(16), &"ab".repeat(17)] {
            assert_eq!(Visitor::read(token), None, "{token}");
        }
    }

    #[test]
    fn bodies_become_arrivals() {
        let text = read(&format!(r#"{{"id":"{ID}","text":" 2 margherita\n"}}"#)).unwrap();
        assert_eq!(text.content, Content::Text("2 margherita".into()));
        assert!(text.foreign_id.starts_with(text.peer.as_str()) && text.foreign_id.ends_with(ID));
        let press = read(&format!(r#"{{"id":"{ID}","press":"7:yes","text":null}}"#)).unwrap();
        assert_eq!(press.content, Content::Press("7:yes".into()));
        let open = read(&format!(r#"{{"id":"{ID}","open":true}}"#)).unwrap();
        assert_eq!(open.content, Content::Opened(None));
    }

    #[test]
    fn depth_numbers_and_twins_are_refused_where_they_are_read_and_left_aside_elsewhere() {
        const DEPTH: usize = 10_000;
        let deep = format!("{}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        let many: String = (0..100_000).map(|n| format!(r#""k{n}":0,"#)).collect();
        let aside = [
            format!(r#""z":{deep},"#),
            r#""z":1e400,"#.to_owned(),
            r#""z":18446744073709551616,"#.to_owned(),
            r#""z":1,"z":2,"#.to_owned(),
            many,
        ];
        for fields in aside {
            let arrival = read(&format!(r#"{{{fields}"id":"{ID}","text":"a"}}"#)).unwrap();
            assert_eq!(arrival.content, Content::Text("a".into()));
        }
        let refused = [
            format!(r#""text":{deep}"#),
            format!(r#""open":{deep}"#),
            r#""open":1e400"#.to_owned(),
            r#""text":9223372036854775808"#.to_owned(),
            r#""text":"a","text":"b""#.to_owned(),
            r#""text":"a\udc00b""#.to_owned(),
            "\"text\":\"a\0b\"".to_owned(),
        ];
        for fields in refused {
            let content = read(&format!(r#"{{"id":"{ID}",{fields}}}"#)).map(|arrival| arrival.content);
            assert_eq!(content, Err(NotRead::Form), "{}", &fields[..fields.len().min(60)]);
        }
        let (merchant, peer): (MerchantId, _) = ("pizzeria".parse().unwrap(), Peer::new("visitor").unwrap());
        let mut body = format!(r#"{{"id":"{ID}","text":"caf#"}}"#).into_bytes();
        let at = body.iter().position(|&b| b == b'#').unwrap();
        body[at] = 0xe9;
        assert_eq!(arrival(merchant, peer, None, &body, Moment(0)).map(|a| a.content), Err(NotRead::Form));
    }

    #[test]
    fn marks_families_and_signs_of_direction_come_through_whole() {
        let marked = format!("a{}", "\u{301}".repeat(1_000));
        let families = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(100);
        let longest = "🍕".repeat(LONGEST_TEXT);
        for text in [marked.as_str(), families.as_str(), "\u{202e}2 margherita\u{202c}", longest.as_str()] {
            let arrival = read(&format!(r#"{{"id":"{ID}","text":"{text}"}}"#)).unwrap();
            assert_eq!(arrival.content, Content::Text(text.into()));
        }
    }

    #[test]
    fn other_bodies_are_refused_by_name() {
        let long = "ж".repeat(LONGEST_TEXT + 1);
        let press = "x".repeat(LONGEST_PRESS + 1);
        for (body, why) in [
            ("", NotRead::Form),
            ("[]", NotRead::Form),
            (&format!(r#"{{"id":"{ID}","text":7}}"#), NotRead::Form),
            (&format!(r#"{{"id":"{ID}","text":{{"$ne":""}}}}"#), NotRead::Form),
            (&format!(r#"{{"id":"{ID}","text":"\ud800"}}"#), NotRead::Form),
            (&"[".repeat(10_000), NotRead::Form),
            (r#"{"id":"1","text":"a"}"#, NotRead::Id),
            (&format!(r#"{{"id":"{ID}"}}"#), NotRead::OneThing),
            (&format!(r#"{{"id":"{ID}","open":false}}"#), NotRead::OneThing),
            (&format!(r#"{{"id":"{ID}","text":"a","press":"b"}}"#), NotRead::OneThing),
            (&format!(r#"{{"id":"{ID}","text":" \n "}}"#), NotRead::Empty),
            (&format!(r#"{{"id":"{ID}","text":"{long}"}}"#), NotRead::TooLong),
            (&format!(r#"{{"id":"{ID}","press":""}}"#), NotRead::Press),
            (&format!(r#"{{"id":"{ID}","press":"{press}"}}"#), NotRead::Press),
        ] {
            assert_eq!(read(body).map(|a| a.content), Err(why), "{}", &body[..body.len().min(60)]);
        }
    }
}
