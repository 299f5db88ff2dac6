//! What a message says beside goods: when the order is wanted, what the customer is allergic to, who the customer is
//! and where to bring it. All of it is marked as told before the rest is read as goods, so that no hour, house number or
//! name becomes a quantity or a thing to buy.

use super::{Reading, engine::Draft, lexicon::Role, segment::Segment, text::Kind};

/// Most words of a name that is said within a longer message.
const LONGEST_NAME: usize = 3;

/// Most segments between the first word of an address and its house number.
const FARTHEST_NUMBER: usize = 5;

/// Most segments of a street with its number, postcode and town.
const LONGEST_STREET: usize = 8;

/// What the first word of a street may be beside unknown.
const STREET: [Role; 2] = [Role::Stop, Role::Chatter];

/// Fewest groups of digits, and digits in all, of a telephone number written with blanks.
const FEWEST_GROUPS_OF_TELEPHONE: usize = 3;
const FEWEST_DIGITS_OF_TELEPHONE: usize = 7;

/// Signs that make the number right behind them negative.
const MINUS: [char; 2] = ['-', '−'];

impl Draft<'_> {
    /// The text of these segments as written.
    fn written(&self, from: usize, to: usize) -> String {
        let (first, last) = (self.segments[from].from, self.segments[to - 1].to);
        self.text[self.words[first].token.from..self.words[last - 1].token.to].trim().to_owned()
    }

    /// Marks segments as told.
    fn tell(&mut self, from: usize, to: usize) {
        for segment in &mut self.segments[from..to] {
            segment.dead = true;
            segment.told = true;
        }
    }

    /// Whether the sentence of a segment is a question.
    fn asks(&self, at: usize) -> bool {
        self.segments[at..].iter().find(|s| s.ends_sentence()).is_some_and(|s| s.mark == Some(Kind::Question))
    }

    fn is_number(&self, at: usize) -> bool {
        self.segments.get(at).is_some_and(|s| {
            s.mark.is_none()
                && (s.number.is_some() || self.words[s.from].token.kind == Kind::Number && s.to == s.from + 1)
        })
    }

    /// Whether a segment is a word that begins with a capital letter.
    fn is_capital(&self, at: usize) -> bool {
        self.segments.get(at).is_some_and(|s| {
            let token = &self.words[s.from].token;
            token.kind == Kind::Word && self.text[token.from..].starts_with(char::is_uppercase)
        })
    }

    /// What the customer is allergic to: the clause that says so, which asks nothing.
    pub(super) fn allergies(&mut self, reading: &mut Reading) {
        let mut at = 0;
        while at < self.segments.len() {
            if !self.segments[at].roles.has(Role::Allergy) || self.segments[at].told || self.asks(at) {
                at += 1;
                continue;
            }
            // An emoji ends what it stands behind.
            let bounds = |s: &Segment| s.mark.is_some();
            // What is named right before the word is what it is about: "a nut allergy".
            let mut about = at;
            while about > 0
                && (self.segments[about - 1].is_name()
                    || self.segments[about - 1].roles.any(&[Role::And, Role::Or, Role::Definite, Role::Article]))
            {
                about -= 1;
            }
            let mut begin = self.segments[..about]
                .iter()
                .rposition(|s| bounds(s) || s.is_name() || s.told || s.roles.has(Role::But))
                .map_or(0, |before| before + 1);
            let question =
                self.segments[begin..at].iter().any(|s| s.roles.has(Role::Question) && !s.roles.has(Role::Stop));
            while begin < at
                && self.segments[begin].roles.any(&[Role::And, Role::Polite])
                && !self.segments[begin].is_name()
            {
                begin += 1;
            }
            let mut end = (at + 1..self.segments.len())
                .find(|&s| {
                    bounds(&self.segments[s]) || self.segments[s].roles.any(&[Role::Pickup, Role::Delivery, Role::But])
                })
                .unwrap_or(self.segments.len());
            while end > at + 1
                && self.segments[end - 1].roles.any(&[Role::And, Role::Polite])
                && !self.segments[end - 1].is_name()
            {
                end -= 1;
            }
            if question {
                at = end;
                continue;
            }
            reading.wishes.push(self.written(begin, end));
            // A phrase that is a "without" too leaves its option to the cart.
            let without = self.segments[at].roles.has(Role::Without)
                && self.segments[at + 1..end].iter().any(|s| !s.choices.is_empty());
            let (from, to) = (self.segments[begin].from, self.segments[end - 1].to);
            self.hits.retain(|hit| hit.to <= from || hit.from >= to);
            if !without {
                self.tell(begin, end);
            }
            at = end;
        }
    }

    /// Marks telephone numbers as told: three numbers or more in a row with as many digits as one has.
    pub(super) fn telephones(&mut self) {
        let mut at = 0;
        while at < self.segments.len() {
            let end = (at..self.segments.len()).find(|&s| !self.is_number(s)).unwrap_or(self.segments.len());
            let digits: usize = self.segments[at..end]
                .iter()
                .map(|s| self.words[s.from].token.text.chars().filter(char::is_ascii_digit).count())
                .sum();
            if end - at >= FEWEST_GROUPS_OF_TELEPHONE && digits >= FEWEST_DIGITS_OF_TELEPHONE {
                self.tell(at, end);
            }
            at = end.max(at + 1);
        }
    }

    /// Streets that stand by themselves: a clause of capitalised words and numbers that names nothing else, as "Bygdøy
    /// allé 5, 0257 Oslo" and "12 Main Road". All of it is marked as told, so that no house number is a quantity.
    pub(super) fn streets(&mut self, reading: &mut Reading) {
        let mut begin = 0;
        while begin < self.segments.len() {
            let end =
                (begin..self.segments.len()).find(|&s| self.segments[s].ends_sentence()).unwrap_or(self.segments.len());
            // "no, Bygdøy allé 7"
            let leads = |s: &&usize| {
                let segment = &self.segments[**s];
                segment.mark.is_some() || segment.roles.any(&[Role::No, Role::Correction, Role::Polite])
            };
            begin += (begin..end).collect::<Vec<_>>().iter().take_while(leads).count();
            if self.is_street(begin, end) {
                reading.address = Some(self.written(begin, end));
                self.tell(begin, end);
            }
            // "…, Main Road 12, …"
            let mut clause = begin;
            while clause < end {
                let comma = (clause..end).find(|&s| self.segments[s].mark == Some(Kind::Comma)).unwrap_or(end);
                if self.is_street(clause, comma) {
                    reading.address.get_or_insert(self.written(clause, comma));
                    self.tell(clause, comma);
                }
                clause = comma + 1;
            }
            begin = end + 1;
        }
    }

    /// Whether the message is a street and nothing else, perhaps behind a "no".
    pub(super) fn is_lone_street(&self) -> bool {
        let leads = |s: &&Segment| s.mark.is_some() || s.roles.any(&[Role::No, Role::Correction, Role::Polite]);
        self.is_street(self.segments.iter().take_while(leads).count(), self.segments.len())
    }

    /// Whether these segments are a street with its number, and nothing else.
    fn is_street(&self, begin: usize, end: usize) -> bool {
        let words: Vec<usize> = (begin..end).filter(|&s| self.segments[s].mark.is_none()).collect();
        let capital = |s: &usize| self.is_capital(*s);
        let named = |s: &usize| {
            let segment = &self.segments[*s];
            segment.is_name() && !segment.loose || !segment.class.is_empty() || segment.told || segment.dead
        };
        let digits = |s: &usize| self.is_number(*s) && self.words[self.segments[*s].from].token.kind == Kind::Number;
        let numbers = words.iter().filter(|s| digits(s)).count();
        let capitals = words.iter().filter(|s| capital(s)).count();
        let first = words.iter().find(|s| !digits(s));
        numbers > 0
            && words.len() <= LONGEST_STREET
            && first.is_some_and(|s| capital(s) && self.segments[*s].roles.only(&STREET))
            && capitals * 2 >= words.len() - numbers
            && !words.iter().any(named)
    }

    /// When the order is wanted: "tomorrow at 6", "kl 18". Words that a question has used up ask about the shop.
    pub(super) fn times(&mut self, reading: &mut Reading) {
        let mut at = 0;
        while at < self.segments.len() {
            match self.time_until(at) {
                Some(end) => {
                    reading.wishes.push(self.written(at, end));
                    self.tell(at, end);
                    at = end;
                }
                None => at += 1,
            }
        }
    }

    /// Where the time that begins at this segment ends.
    fn time_until(&self, at: usize) -> Option<usize> {
        let plain = |at: usize| {
            self.segments.get(at).is_some_and(|s| !s.dead && s.mark.is_none() && s.products.is_empty() && !s.unknown)
        };
        let has = |at: usize, role: Role| plain(at) && self.segments[at].roles.has(role);
        let clock = |at: usize| has(at, Role::Clock) && !self.is_number(at);
        let leads = |at: usize| {
            plain(at)
                && !self.is_number(at)
                && self.segments[at].choices.is_empty()
                && self.segments[at].roles.any(&[Role::On, Role::Into, Role::WeakAddress])
                && !self.segments[at].roles.any(&[Role::Delivery, Role::Pickup, Role::Called])
        };
        let number = |at: usize| plain(at) && self.is_number(at);
        let counts = |at: usize| {
            self.segments.get(at + 1).is_some_and(|s| {
                !s.dead && (s.is_name() || s.unknown || !s.class.is_empty() || s.roles.any(&[Role::Unit, Role::Times]))
            })
        };
        // A number that tells the hour at this place.
        let hour = |at: usize, led: bool| {
            number(at)
                && ((led && !counts(at)) || clock(at + 1) && !self.segments[at + 1].roles.any(&[Role::On, Role::Into]))
        };
        let mut place = at;
        if leads(at) && !has(at, Role::When) && !clock(at) {
            place += 1;
            if !(has(place, Role::When) || clock(place) || hour(place, false)) {
                return None;
            }
        }
        let begin = place;
        let mut told = false;
        let mut led = false;
        loop {
            if has(place, Role::When) {
                told = true;
                led = true;
                place += 1;
            } else if hour(place, led) {
                told = true;
                led = false;
                place += 1;
            } else if clock(place) {
                let after_number = place > begin && number(place - 1);
                let before =
                    hour(place + 1, true) || clock(place + 1) && hour(place + 2, true) || has(place + 1, Role::When);
                if !after_number && !before {
                    break;
                }
                led = true;
                place += 1;
            } else if place > begin && leads(place) && (hour(place + 1, led) || has(place + 1, Role::When)) {
                led = true;
                place += 1;
            } else {
                break;
            }
        }
        told.then_some(place)
    }

    /// Who the customer is: "my name is …" anywhere, "for …" right after pickup or delivery.
    pub(super) fn names(&mut self, reading: &mut Reading) {
        for at in 0..self.segments.len() {
            let segment = &self.segments[at];
            if segment.told || segment.is_name() || self.asks(at) {
                continue;
            }
            let called = segment.roles.has(Role::Called);
            let fetched = segment.roles.has(Role::Name)
                && at.checked_sub(1).is_some_and(|b| {
                    let before = self.segments[b].roles;
                    before.any(&[Role::Pickup, Role::Delivery]) && !self.segments[b].is_name()
                });
            if !called && !fetched {
                continue;
            }
            let strong = called && segment.to - segment.from >= 2;
            let mut begin = at + 1;
            if self.segments.get(begin).is_some_and(|s| s.mark == Some(Kind::Comma)) {
                begin += 1;
            }
            let mut end = begin;
            while end < self.segments.len() && end - begin < LONGEST_NAME {
                let s = &self.segments[end];
                let word = s.mark.is_none() && !s.told && self.words[s.from].token.kind == Kind::Word;
                let last = self.segments.get(end + 1).is_none_or(|s| s.mark.is_some());
                let named = self.is_capital(end)
                    || (s.unknown && (called || last))
                    || (strong && end == begin && last && !s.is_name() && !s.roles.has(Role::Polite));
                if !word || !named || (s.number.is_some() && !self.is_capital(end)) {
                    break;
                }
                end += 1;
            }
            if end == begin {
                continue;
            }
            reading.name.get_or_insert(self.written(begin, end));
            let (from, to) = (self.segments[at].from, self.segments[end - 1].to);
            self.hits.retain(|hit| hit.to <= from || hit.from >= to);
            self.tell(at, end);
        }
    }

    /// Whether an address stands after this segment, which says that the order is to be brought: a word that names
    /// nothing and a house number, or a number and a capitalised word. Says at which segment the phrase before it ends.
    pub(super) fn address_after(&self, at: usize) -> Option<usize> {
        let mut last = at;
        while let Some(s) = self.segments.get(last + 1) {
            let glue = s.mark == Some(Kind::Comma)
                || (s.mark.is_none()
                    && !s.unknown
                    && !s.is_name()
                    && s.class.is_empty()
                    && !self.is_number(last + 1)
                    && s.roles.any(&[Role::Polite, Role::Into, Role::WeakAddress, Role::On, Role::Address]));
            if !glue || s.told {
                break;
            }
            last += 1;
        }
        self.is_address(last + 1).then_some(last)
    }

    /// Whether an address begins at this segment.
    fn is_address(&self, at: usize) -> bool {
        let street = |at: usize| self.segments.get(at).is_some_and(|s| s.unknown && !s.told);
        if self.is_number(at) {
            return street(at + 1) && self.is_capital(at + 1);
        }
        street(at)
            && (at + 1..(at + FARTHEST_NUMBER).min(self.segments.len()))
                .take_while(|&b| {
                    !self.segments[b].told && !self.segments[b].ends_sentence() && self.segments[b].products.is_empty()
                })
                .any(|b| self.is_number(b) && self.segments.get(b + 1).is_none_or(|s| !s.is_name()))
    }

    /// Whether "its Storgata 7" or "to Storgata 7" stands here: an unknown word and a number that end their sentence.
    pub(super) fn is_corrected_address(&self, at: usize) -> bool {
        let mark = |s: &Segment| s.mark.is_some_and(|mark| mark != Kind::Sign);
        let end = (at + 1..self.segments.len()).find(|&b| mark(&self.segments[b])).unwrap_or(self.segments.len());
        end >= at + 3
            && self.segments[at + 1..end - 1].iter().all(|s| s.unknown && !s.told)
            && self.is_number(end - 1)
            && self.words[self.segments[end - 1].from].token.kind == Kind::Number
    }

    /// Numbers below zero and fractions right before a product: neither is ordered, both are told as not understood.
    pub(super) fn refuse_odd_numbers(&mut self) {
        for at in 0..self.segments.len() {
            let segment = &self.segments[at];
            let token = &self.words[segment.from].token;
            if segment.dead || token.kind != Kind::Number || segment.to != segment.from + 1 || segment.is_name() {
                continue;
            }
            let before = &self.text[..token.from];
            let minus =
                before.strip_suffix(MINUS).is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace));
            let fraction = token.text.contains(['.', ',']);
            let product = (at + 1..self.segments.len()).find(|&b| {
                let s = &self.segments[b];
                !s.products.is_empty() || s.dead || !s.roles.any(&[Role::Times, Role::Unit, Role::Of])
            });
            let Some(product) = product.filter(|&b| !self.segments[b].dead && !self.segments[b].products.is_empty())
            else {
                continue;
            };
            if !minus && !fraction {
                continue;
            }
            self.refuse(at, product);
            if minus && let Some(refused) = self.refused.last_mut() {
                refused.insert(0, '-');
            }
        }
    }

    /// "two (2)" says the number twice.
    pub(super) fn drop_echoes(&mut self) {
        let mut at = 1;
        while at < self.segments.len() {
            let (before, segment) = (&self.segments[at - 1], &self.segments[at]);
            let bracketed = self.text[..self.words[segment.from].token.from].ends_with('(');
            let live = !segment.dead && !segment.is_name() && segment.number.is_some();
            if live && bracketed && !before.dead && before.number == segment.number {
                let closed = |s: &Segment| self.text[self.words[s.from].token.from..].starts_with(')');
                let after = self.segments.get(at + 1).is_some_and(closed);
                self.segments.drain(at..at + 1 + usize::from(after));
            }
            at += 1;
        }
    }

    /// Says of segments, the last one within, that they can't be ordered so.
    pub(super) fn refuse(&mut self, from: usize, last: usize) {
        self.refused.push(self.written(from, last + 1).to_owned());
        self.spend_to(from, last);
    }
}
