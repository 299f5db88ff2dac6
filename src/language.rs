//! Language tags (BCP 47), as catalogues, customers and texts carry them. Which languages the program speaks is
//! data, not code: a folder below `config/locales`.

use std::{fmt, str::FromStr};

/// Longest tag kept, in bytes; `zh-Hant` and its like fit.
const MOST_BYTES: usize = 11;

/// A BCP 47 tag such as `en` or `nb`, at most 11 bytes, compared as written in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language {
    bytes: [u8; MOST_BYTES],
    length: u8,
}

/// Why a text is no language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotALanguage;

impl Language {
    /// English, the language of last resort.
    pub const ENGLISH: Language = Language { bytes: *b"en\0\0\0\0\0\0\0\0\0", length: 2 };

    /// The tag.
    pub fn tag(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("en")
    }

    /// The tag without region and script: `pt` of `pt-br`. Norwegian `no` and `nn` are read as `nb`.
    pub fn base(&self) -> Language {
        let base = self.tag().split('-').next().unwrap_or("en");
        match base {
            "no" | "nn" => "nb".parse().unwrap_or(*self),
            _ => base.parse().unwrap_or(*self),
        }
    }
}

impl FromStr for Language {
    type Err = NotALanguage;

    fn from_str(text: &str) -> Result<Language, NotALanguage> {
        let text = text.trim().replace('_', "-").to_ascii_lowercase();
        let first = text.split('-').next().unwrap_or("");
        let good = (2..=3).contains(&first.len())
            && first.bytes().all(|b| b.is_ascii_lowercase())
            && text.len() <= MOST_BYTES
            && text.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !good {
            return Err(NotALanguage);
        }
        let mut bytes = [0; MOST_BYTES];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Language { bytes, length: text.len() as u8 })
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl fmt::Display for NotALanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a language tag; write a BCP 47 tag such as \"en\" or \"nb\"")
    }
}

impl std::error::Error for NotALanguage {}

impl serde::Serialize for Language {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.tag())
    }
}

impl<'de> serde::Deserialize<'de> for Language {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Language, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_folded() {
        for (text, tag, base) in
            [("en", "en", "en"), ("pt_BR", "pt-br", "pt"), ("NO", "no", "nb"), ("zh-Hant", "zh-hant", "zh")]
        {
            let language: Language = text.parse().unwrap();
            assert_eq!((language.tag(), language.base().tag()), (tag, base));
        }
        for text in ["", "e", "english language", "12", "en-", "норв"] {
            assert_eq!(text.parse::<Language>(), Err(NotALanguage), "{text}");
        }
        assert_eq!(Language::ENGLISH, "en".parse().unwrap());
    }
}
