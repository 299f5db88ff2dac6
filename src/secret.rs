//! Texts that are shown nowhere: tokens, keys.

use std::fmt;

/// A text that is shown nowhere: its `Debug` hides it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn of(text: String) -> Secret {
        Secret(text)
    }

    /// The text itself, for the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text is this one, found out in a time that does not tell how much of it was right.
    pub fn is(&self, text: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
