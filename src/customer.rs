//! A customer: an id of the program's own, and what they have told. A name or number shown by a channel is optional.

use crate::{id::CustomerId, language::Language};

/// Longest name kept, in characters.
pub const LONGEST_NAME: usize = 80;

/// Longest address kept, in characters: a street, a postcode, a door and a word to the courier.
pub const LONGEST_ADDRESS: usize = 300;

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The program's own.
    pub id: CustomerId,
    /// As they want to be called; else as the channel shows it.
    pub name: Option<String>,
    /// The language that they write in.
    pub language: Option<Language>,
    /// Where the last delivery went.
    pub address: Option<String>,
    /// Whether they want offers; `None` where they never said.
    pub offers: Option<bool>,
}
