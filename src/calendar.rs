//! When a shop is open.
//!
//! Hours are kept as the merchant writes them, in the shop's own zone, and turned into moments only when asked about
//! one, so that a day of 23 or 25 hours comes out right.

/// Opening hours by weekday, with exceptions by date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {}
