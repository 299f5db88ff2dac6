//! Pickup and delivery, and the address within a message.

use super::{
    Reading,
    engine::Draft,
    lexicon::Role,
    text::{self, Kind},
};
use crate::order::Fulfilment;

/// Most characters of an address; longer ones are no address.
const LONGEST_ADDRESS: usize = 200;

/// Most letters of an abbreviation whose full stop ends no address: "St. 5".
const LONGEST_ABBREVIATION: usize = 3;

impl Draft<'_> {
    /// Pickup, delivery and an address, where they are said.
    pub(super) fn fulfilment(&mut self, reading: &mut Reading) {
        for at in 0..self.segments.len() {
            let roles = self.segments[at].roles;
            if self.segments[at].dead || self.segments[at].is_name() {
                continue;
            }
            let negated = at
                .checked_sub(1)
                .is_some_and(|b| self.segments[b].roles.any(&[Role::Without, Role::Not]) && !self.segments[b].dead);
            if roles.has(Role::Address) {
                let address = self.address(at);
                if address.is_some() {
                    reading.address = address;
                    reading.fulfilment = Some(Fulfilment::Delivery);
                    self.segments[at].dead = true;
                    continue;
                }
            }
            if roles.has(Role::Delivery)
                && let Some(last) = self.address_after(at)
                && let Some(address) = self.address(last)
            {
                reading.address = Some(address);
                reading.fulfilment = Some(Fulfilment::Delivery);
                self.spend_to(at, last);
                continue;
            }
            if roles.has(Role::WeakAddress) && reading.address.is_none() && self.is_corrected_address(at) {
                reading.address = self.address(at);
                reading.fulfilment = Some(Fulfilment::Delivery);
                self.spend_to(at, at);
                continue;
            }
            let way = if roles.has(Role::Pickup) {
                Fulfilment::Pickup
            } else if roles.has(Role::Delivery) {
                Fulfilment::Delivery
            } else {
                continue;
            };
            if !negated {
                reading.fulfilment = Some(way);
            }
            self.segments[at].dead = true;
        }
    }

    /// The address after the phrase at this segment, whose segments it uses up.
    pub(super) fn address(&mut self, at: usize) -> Option<String> {
        let mut end = at + 1;
        while end < self.segments.len() {
            let segment = &self.segments[end];
            let stops = segment.told
                || match segment.mark {
                    Some(Kind::Question | Kind::Sign) => true,
                    Some(Kind::Stop) => {
                        let word = &self.words[segment.from - 1].token;
                        let point = self.text[self.words[segment.from].token.from..].starts_with('.');
                        !(point && word.kind == Kind::Word && word.text.chars().count() <= LONGEST_ABBREVIATION)
                    }
                    Some(_) => false,
                    None => {
                        segment.roles.any(&[Role::Open, Role::Add, Role::Pickup, Role::Usual])
                            && segment.to - segment.from >= 1
                            && !segment.roles.any(&[Role::On, Role::Stop])
                            || (!segment.products.is_empty() && !segment.loose)
                            || (segment.roles.has(Role::Polite) && !segment.roles.has(Role::Stop))
                    }
                };
            if stops {
                break;
            }
            end += 1;
        }
        // Words that lead over to the next thing are no part of the address.
        while end > at + 1 && end < self.segments.len() {
            let segment = &self.segments[end - 1];
            let leads = segment.mark.is_some()
                || segment.roles.any(&[Role::And, Role::Article, Role::With, Role::Definite, Role::But])
                || (segment.number.is_some() && !self.segments[end].products.is_empty())
                || !segment.choices.is_empty();
            if !leads {
                break;
            }
            end -= 1;
        }
        let words = &self.words[self.segments[at].to..self.segments.get(end).map_or(self.words.len(), |s| s.from)];
        let telling = self.segments[at + 1..end].iter().any(|s| s.unknown || s.is_name() || s.number.is_some())
            || words.iter().any(|word| word.token.kind == Kind::Number);
        let (first, last) =
            (words.iter().find(|w| text::is_word(&w.token))?, words.iter().rfind(|w| text::is_word(&w.token))?);
        let address = self.text[first.token.from..last.token.to].trim();
        if !telling || address.chars().count() > LONGEST_ADDRESS {
            return None;
        }
        let address = address.to_owned();
        for segment in &mut self.segments[at + 1..end] {
            segment.dead = true;
        }
        Some(address)
    }
}
