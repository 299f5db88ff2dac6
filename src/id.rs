//! Identifiers. Those of things in a shop's files are the merchant's own words; those of things that happen are
//! made by the program (UUID version 7, in the shells: nothing in here draws a random number).

use std::{fmt, str::FromStr, sync::Arc};

/// Longest identifier in a merchant's file, in bytes. Long enough for a path-like SKU, short enough for a key.
pub const LONGEST_NAME: usize = 80;

/// Why a text is no identifier of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

/// Identifiers that a merchant chose, each with the test that it must pass.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident: $test:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// As the merchant wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<$name, NotAnId> {
                if $test(text) { Ok($name(text.into())) } else { Err(NotAnId) }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<$name, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// Identifiers that the program makes: 128 bits, written as a UUID.
macro_rules! made {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u128);

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<$name, NotAnId> {
                read_uuid(text).map($name)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let n = self.0;
                write!(f, "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", n >> 96, (n >> 80) & 0xffff, (n >> 64) & 0xffff,
                    (n >> 48) & 0xffff, n & 0xffff_ffff_ffff)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<$name, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

named! {
    /// A merchant, as in the address of its webhooks: `pizzeria`. Letters of English, digits and `_ - / . :`.
    MerchantId: is_slug;
    /// A product of a catalogue.
    ProductId: is_name;
    /// A group of options of a catalogue.
    GroupId: is_name;
    /// A choice within its group.
    ChoiceId: is_name;
    /// A delivery zone of a catalogue.
    ZoneId: is_name;
    /// A category of a catalogue.
    CategoryId: is_name;
    /// A topic of a shop's frequently asked questions.
    TopicId: is_name;
}

made! {
    /// A customer; the program's own, whatever numbers and names the channels show.
    CustomerId;
    /// A conversation: one customer on one channel account.
    ConversationId;
    /// An order that was placed.
    OrderId;
    /// A member of the staff who may sign in.
    StaffId;
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an id; write at most {LONGEST_NAME} bytes without line breaks or blanks at the ends")
    }
}

impl std::error::Error for NotAnId {}

/// Whatever a merchant's own lists use, in any script: "brød", "Pizza & co".
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_NAME && text.trim() == text && !text.chars().any(char::is_control)
}

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b':'))
}

fn read_uuid(text: &str) -> Result<u128, NotAnId> {
    let bytes = text.as_bytes();
    let dashes = [8, 13, 18, 23];
    if bytes.len() != 36 || dashes.iter().any(|&at| bytes[at] != b'-') {
        return Err(NotAnId);
    }
    let mut value: u128 = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if dashes.contains(&at) {
            continue;
        }
        let digit = char::from(*byte).to_digit(16).ok_or(NotAnId)?;
        value = (value << 4) | u128::from(digit);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_survive_writing_and_reading() {
        for n in [0, 1, u128::MAX, 0x0192_f3a4_b5c6_7d8e_9fa0_b1c2_d3e4_f506] {
            assert_eq!(OrderId(n).to_string().parse(), Ok(OrderId(n)));
        }
        for text in ["", "0192f3a4b5c67d8e9fa0b1c2d3e4f506", "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f50g"] {
            assert_eq!(text.parse::<OrderId>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn named_ids_are_plain_words() {
        assert_eq!("drink/seven_up".parse::<ProductId>().unwrap().as_str(), "drink/seven_up");
        assert_eq!("Brød & kaker".parse::<CategoryId>().unwrap().as_str(), "Brød & kaker");
        for text in ["", " blank", "a\nb", &"x".repeat(81)] {
            assert_eq!(text.parse::<ProductId>(), Err(NotAnId), "{text}");
        }
        for text in ["", "two words", "naïve"] {
            assert_eq!(text.parse::<MerchantId>(), Err(NotAnId), "{text}");
        }
    }
}
