//! The boundary to messaging channels. A channel turns what a vendor sends into [`Arrival`]s and puts [`Outgoing`]
//! messages on the wire; what it can show is stated in its [`Abilities`], and nothing inside asks which channel it is.
//!
//! An arrival is acknowledged to the vendor only after [`Inbox::deliver`] has answered `Ok`, that is, after its turn
//! was committed. A repeat of the same [`Arrival::foreign_id`] is delivered again without harm.

use std::{fmt, pin::Pin, str::FromStr, sync::Arc};

use crate::{id::MerchantId, language::Language, moment::Moment, moment::Span};

pub mod probe;
pub mod telegram;
pub mod web;

/// Longest text taken from one message, in characters. Telegram's and WhatsApp's own limit is 4,096; what is longer did
/// not come from a person's thumb.
pub const LONGEST_TEXT: usize = 8_192;

/// A future that a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// The shop's own page.
    Web,
    /// Telegram's Bot API.
    Telegram,
    /// `usual chat`.
    Terminal,
}

/// Whom a channel talks to: the vendor's id of a chat, at most 128 bytes, opaque here.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(String);

/// Something that a customer (or their messenger) sent.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// To which shop.
    pub merchant: MerchantId,
    /// Over which channel.
    pub channel: ChannelKind,
    /// Unique on that channel account for all that ever arrives: what comes twice counts once.
    pub foreign_id: String,
    /// From whom.
    pub peer: Peer,
    /// The name that the channel shows, where it shows one.
    pub name: Option<String>,
    /// The language that the messenger is set to, where it says.
    pub language: Option<Language>,
    /// When it reached this program.
    pub at: Moment,
    /// What it is.
    pub content: Content,
    /// The vendor's bytes, kept only where a turn fails on them.
    pub raw: String,
}

/// An arrival from the bytes that were kept of it; `None` where they can't be read any more.
pub fn again(merchant: &MerchantId, channel: ChannelKind, peer: Peer, raw: &str, at: Moment) -> Option<Arrival> {
    match channel {
        ChannelKind::Web => web::arrival(merchant.clone(), peer, None, raw.as_bytes(), at).ok(),
        ChannelKind::Telegram => telegram::parse(merchant, at, raw.as_bytes()).ok()?.arrival,
        ChannelKind::Terminal => None,
    }
}

/// What an arrival holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Words; not empty, at most [`LONGEST_TEXT`] characters.
    Text(String),
    /// More words than [`LONGEST_TEXT`]; cut there.
    TooLong(String),
    /// A button was pressed; the data that [`Button::data`] held.
    Press(String),
    /// The chat was opened, perhaps with the word that a link carried.
    Opened(Option<String>),
    /// Something without words that the bot cannot read.
    Medium(Medium),
    /// The customer blocked or left the chat: nothing can be sent any more.
    Left,
    /// The customer let the bot in again after [`Content::Left`].
    Back,
    /// A kind of update that needs no answer; its name, for the log.
    Ignored(&'static str),
}

/// Kinds of wordless messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// A voice note or another recording.
    Voice,
    /// A photo or video.
    Picture,
    /// A sticker, an animation, a die.
    Sticker,
    /// A pin on a map.
    Location,
    /// A contact card.
    Contact,
    /// A file.
    File,
    /// An earlier message, changed.
    Edit,
    /// Anything else.
    Other,
}

/// A message to a customer, rendered for its channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Outgoing {
    /// At most [`Abilities::text_length`] long.
    pub text: String,
    /// At most [`Abilities::buttons`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// A button below a message.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What comes back in [`Content::Press`]; at most 64 bytes (Telegram's limit for callback data).
    pub data: String,
}

/// What a channel can show. Lengths are in UTF-16 code units, as Telegram and WhatsApp count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Most buttons below one message; 0 where words must do.
    pub buttons: usize,
    /// Longest label of a button.
    pub button_length: usize,
    /// Longest text of one message.
    pub text_length: usize,
    /// Whether a choice of many can be shown as a list to pick from.
    pub list: bool,
    /// Whether pictures can be sent.
    pub media: bool,
    /// Whether the reader fetches messages (a page, a terminal). Then a stored message is a delivered one, and the
    /// outbox is not needed.
    pub fetched: bool,
}

/// So many messages in any stretch of time of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub most: usize,
    /// Within what time.
    pub within: Span,
}

/// What a vendor takes before it refuses for a while.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all.
    pub account: Rate,
    /// To one person.
    pub chat: Rate,
    /// To one group.
    pub group: Rate,
    /// Tells groups from people by their ids.
    pub is_group: fn(&Peer) -> bool,
}

/// A channel that messages are pushed to.
pub trait Channel: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> ChannelKind;

    /// What it can show.
    fn abilities(&self) -> Abilities {
        self.kind().abilities()
    }

    /// Puts one message on the wire, where it may `leave` then. `Ok` means that the vendor took it; its id of the message,
    /// where it gives one.
    fn send<'a>(
        &'a self,
        to: &'a Peer,
        message: &'a Outgoing,
        leave: Option<Leave>,
    ) -> Pending<'a, Result<Option<String>, Fault>>;

    /// The vendor's limits; `None` where there are none, or where they are not to be kept.
    fn limits(&self) -> Option<Limits> {
        None
    }

    /// Shows the customer that an answer is being written, where the channel can. A failure does not matter.
    fn typing<'a>(&'a self, to: &'a Peer) -> Pending<'a, ()>;
}

/// Where arrivals go.
pub trait Inbox: Send + Sync {
    /// Runs the turn of an arrival. `Ok` only after its commit; then, and only then, the vendor may be told.
    fn deliver<'a>(&'a self, arrival: Arrival) -> Pending<'a, Result<(), NotTaken>>;
}

/// The arrival is not stored; the vendor has to send it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTaken;

/// Why a message could not be sent, by what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The vendor asks to wait at least so long, this chat or the whole account.
    Wait(Span),
    /// The vendor will never take this message; why, in the vendor's words without anything secret.
    Refused(String),
    /// This customer can't be reached on this channel any more.
    Gone,
    /// The vendor could not be reached or failed; try again later. What happened, without anything secret.
    Down(String),
    /// The account's key is not accepted: no message of the account will go out until somebody mends it.
    Locked(String),
}

/// Asked as a message leaves, and not before: whether this process may still send it. One that was stopped in between has
/// lost the right to another.
pub type Leave = Arc<dyn Fn() -> bool + Send + Sync>;

impl ChannelKind {
    /// Every kind.
    pub const ALL: [ChannelKind; 3] = [ChannelKind::Web, ChannelKind::Telegram, ChannelKind::Terminal];

    /// As addresses and the database have it.
    pub fn word(self) -> &'static str {
        match self {
            ChannelKind::Web => "web",
            ChannelKind::Telegram => "telegram",
            ChannelKind::Terminal => "terminal",
        }
    }

    /// What channels of this kind can show.
    pub fn abilities(self) -> Abilities {
        match self {
            ChannelKind::Web => {
                Abilities { buttons: 12, button_length: 60, text_length: 4_096, list: true, media: true, fetched: true }
            }
            // Bot API 10.1: text 1-4096, at most 100 buttons; a phone shows about 30 letters of a full-width one.
            ChannelKind::Telegram => Abilities {
                buttons: 12,
                button_length: 30,
                text_length: 4_096,
                list: false,
                media: true,
                fetched: false,
            },
            ChannelKind::Terminal => {
                Abilities { buttons: 0, button_length: 0, text_length: 4_096, list: false, media: false, fetched: true }
            }
        }
    }
}

impl FromStr for ChannelKind {
    type Err = ();

    fn from_str(word: &str) -> Result<ChannelKind, ()> {
        ChannelKind::ALL.into_iter().find(|kind| kind.word() == word).ok_or(())
    }
}

impl Peer {
    /// Longest id of a chat, in bytes; the longest known, WhatsApp's business-scoped ids, have 131 digits at most by
    /// their documentation and about 20 in practice.
    const LONGEST: usize = 160;

    /// The vendor's id of a chat; `None` where it is empty or absurdly long.
    pub fn new(id: impl Into<String>) -> Option<Peer> {
        let id = id.into();
        (!id.is_empty() && id.len() <= Peer::LONGEST).then_some(Peer(id))
    }

    /// As the vendor wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows only how long it is: a peer's id is personal data and has no place in a log.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({} bytes)", self.0.len())
    }
}

impl Content {
    /// Words as content: trimmed, cut where too long; `None` where nothing is left.
    pub fn words(text: &str) -> Option<Content> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match text.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => Some(Content::TooLong(text[..end].to_owned())),
            None => Some(Content::Text(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_at_a_character() {
        assert_eq!(Content::words("  \n"), None);
        assert_eq!(Content::words(" hi "), Some(Content::Text("hi".into())));
        let long = "ж".repeat(LONGEST_TEXT + 1);
        assert_eq!(Content::words(&long), Some(Content::TooLong("ж".repeat(LONGEST_TEXT))));
    }

    #[test]
    fn kinds_survive_their_words_and_a_peer_is_not_logged() {
        for kind in ChannelKind::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        assert_eq!(format!("{:?}", Peer::new("4242424242").unwrap()), "Peer(10 bytes)");
        assert!(Peer::new("").is_none());
    }
}
