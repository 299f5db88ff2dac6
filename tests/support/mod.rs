//! What tests share: the program, its database and its visitors, and peers that speak a vendor's real wire format and
//! remember what they were told.
#![allow(dead_code, reason = "no test file uses all of it")]

pub mod command;
pub mod place;
pub mod replica;
pub mod sender;
pub mod shop;
pub mod telegram;
