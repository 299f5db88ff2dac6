//! What a message names that the shop lacks: words that stand where goods would, and that nothing else explains.

use super::{engine::Draft, lexicon::Role, segment::Segment, text::Kind};

/// Most known words before an unknown one that say with it what the shop lacks: "pizza capricciosa".
const MOST_WORDS_OF_KIND: usize = 2;

impl Draft<'_> {
    /// Pieces of the text that seem to name something and name nothing that the shop has.
    pub(super) fn unmatched(&self, strays: &[usize], answering: bool, changed: bool) -> Vec<String> {
        let mut found = self.refused.clone();
        let mut begin = 0;
        while begin < self.segments.len() {
            let end = self.segments[begin..]
                .iter()
                .position(Segment::ends_sentence)
                .map_or(self.segments.len(), |stop| begin + stop);
            let sentence = &self.segments[begin..end];
            let orders = answering
                || (sentence.iter().any(|s| s.is(Role::Article)) && sentence.iter().any(|s| !s.dead && s.is_name()))
                || sentence.iter().any(|s| {
                    !s.dead
                        && (s.is_name() && changed
                            || s.number.is_some()
                            || s.roles.any(&[Role::Open, Role::Add, Role::Remove, Role::Another])
                                && !s.roles.has(Role::Polite))
                });
            let mut at = begin;
            while at < end {
                let lost = |s: usize| {
                    let segment = &self.segments[s];
                    // A word of everyday talk that happens to be an option too.
                    if segment.roles.any(&[Role::Chatter, Role::Stop, Role::Polite]) {
                        return false;
                    }
                    !segment.dead && ((segment.unknown && orders) || strays.contains(&s))
                };
                if !lost(at) {
                    at += 1;
                    continue;
                }
                let first = at;
                while at < end && lost(at) && strays.contains(&at) == strays.contains(&first) {
                    at += 1;
                }
                // "for John", "I'm John": a person, nothing to buy.
                let named = first
                    .checked_sub(1)
                    .is_some_and(|b| self.segments[b].roles.has(Role::Name) && !self.segments[b].roles.has(Role::With));
                if !named && (strays.contains(&first) || answering || self.is_goods(begin, first, at)) {
                    // "a pizza capricciosa", where the shop has no pizza at all.
                    let known = self.segments[begin..first].iter().rev().take_while(|s| s.is_silent()).count();
                    let goods = known <= MOST_WORDS_OF_KIND && !strays.contains(&first);
                    let begins = if goods { first - known } else { first };
                    let (from, to) = (self.segments[begins].from, self.segments[at - 1].to);
                    let piece = &self.text[self.words[from].token.from..self.words[to - 1].token.to];
                    found.push(piece.to_owned());
                }
            }
            begin = end + 1;
        }
        found
    }

    /// Whether unknown words stand where goods would: behind a number, an article, "with", "and" and their like, or as
    /// the whole of a sentence; and not as a person's name.
    pub(super) fn is_goods(&self, sentence: usize, from: usize, to: usize) -> bool {
        const BEFORE: [Role; 17] = [
            Role::Article,
            Role::And,
            Role::Or,
            Role::With,
            Role::Without,
            Role::Not,
            Role::Extra,
            Role::Light,
            Role::Only,
            Role::Remove,
            Role::Add,
            Role::Another,
            Role::SideOf,
            Role::Unit,
            Role::Of,
            Role::Times,
            Role::Open,
        ];
        let polite = |s: &Segment| s.mark == Some(Kind::Sign) || s.roles.has(Role::Polite) && !s.roles.any(&BEFORE);
        // "one of those bubbling chests", "a large sprite": what is before the words that describe the goods.
        let describes = |s: &Segment| {
            s.products.is_empty() && !s.choices.is_empty()
                || !s.is_name() && s.roles.any(&[Role::Definite, Role::One])
                || s.is_silent()
        };
        let mut edge = from;
        while edge > sentence && describes(&self.segments[edge - 1]) && self.segments[edge - 1].number.is_none() {
            edge -= 1;
        }
        let points = self.segments[edge..from].iter().all(|s| !s.is_name());
        let before = self.segments[sentence..edge].iter().rev().find(|s| !polite(s));
        let counts = self.segments.get(to).is_some_and(|s| s.number.is_some());
        let counted =
            before.is_some_and(|s| s.number.is_some() || s.roles.any(&[Role::Article, Role::Times, Role::Unit]));
        if self.words[self.segments[from].from].capital && from > sentence && !counted {
            return false;
        }
        // "Elm Grove"
        if to - from > 1 && self.segments[from..to].iter().all(|s| self.words[s.from].capital) && !counted {
            return false;
        }
        match before {
            None if edge < from => !points,
            None if self.segments.get(to).is_some_and(|s| !goes_on(s)) => false,
            None => !counts || self.segments[to..].iter().all(|s| s.number.is_none() || !s.is_name()),
            Some(s) if edge < from && points => {
                let silent = self.segments[edge..from].iter().all(Segment::is_silent);
                counted || s.roles.has(Role::Of) || silent && s.roles.any(&[Role::Open, Role::Add])
            }
            Some(s) => counted || s.mark.is_some() || s.unknown || s.roles.any(&BEFORE),
        }
    }
}

/// Whether what follows goods at the beginning of a sentence may follow goods: "lobster and chips", "lobster please".
fn goes_on(segment: &Segment) -> bool {
    const JOINING: [Role; 12] = [
        Role::And,
        Role::Or,
        Role::With,
        Role::Without,
        Role::Polite,
        Role::Unit,
        Role::Times,
        Role::Instead,
        Role::Remove,
        Role::Light,
        Role::Extra,
        Role::Of,
    ];
    segment.mark.is_some()
        || segment.is_name()
        || segment.number.is_some()
        || segment.dead
        || segment.roles.any(&JOINING)
}
