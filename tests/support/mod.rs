//! What tests share: peers that speak a vendor's real wire format and remember what they were told.
#![allow(dead_code, reason = "no test file uses all of it")]

pub mod place;
pub mod shop;
pub mod telegram;
