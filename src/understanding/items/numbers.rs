//! Numbers in the walk over a message: quantities, counts of options, parts of an item, corrections.

use super::{
    Aim, Deed, Piece,
    counts::{head_after, is_with, numbered, option_or_part_follows, tens},
    heads::counts_group,
    is_change_word, is_filling, next, previous, previous_any,
    scan::Scan,
};
use crate::understanding::{lexicon::Role, segment::Segment, text::Kind};

impl Scan<'_> {
    /// Whether a number that is also the name of an option ("2" of nappies) counts items here: it does at the left edge
    /// of an item, and where the item has no such option.
    pub(super) fn counts(&self, at: usize) -> bool {
        let segment = &self.segments[at];
        let Some(now) = self.now.filter(|_| segment.number.is_some()) else { return false };
        let piece = &self.out.pieces[now];
        // "double" is two of what has no double.
        let doubles = segment.roles.has(Role::Extra);
        let edge = self.edge_passed && !self.head_passed && piece.from == at && piece.quantity.is_none();
        let last = self.out.pieces.iter().rev().find(|piece| !piece.products.is_empty());
        let products = last.map_or(&[][..], |piece| &piece.products);
        edge && !doubles || self.shop.fitting(products, &segment.choices).is_empty()
    }

    pub(super) fn number(&mut self, at: usize, number: u32) {
        // "twenty four", but not "20 4".
        let spelt = !self.segments[at].digits && !at.checked_sub(1).is_some_and(|b| self.segments[b].digits);
        // "three, not two": a number that is refused counts nothing.
        if self.negated && !self.option_is_next(at) && head_after(self.segments, self.heads, at).is_none() {
            self.negated = false;
            return;
        }
        // "a two topping pizza": the number counts options yet to come.
        if counts_group(self.segments, at, self.shop) {
            return;
        }
        let corrected = std::mem::take(&mut self.corrected);
        let before_head = self.edge_passed && !self.head_passed;
        let mut following = next(self.segments, at);
        while let Some(after) = following {
            let segment = &self.segments[after];
            if segment.is_name()
                || segment.number.is_some()
                || !segment.roles.any(&[Role::Times, Role::Unit, Role::Dose, Role::Of, Role::One, Role::On])
            {
                break;
            }
            following = next(self.segments, after);
        }
        let after = following.map(|after| &self.segments[after]);
        let option_next = following.is_some_and(|after| !self.heads[after] && !self.segments[after].choices.is_empty());
        if before_head {
            let now = self.now.unwrap_or(0);
            let piece = &mut self.out.pieces[now];
            if piece.quantity.is_none() || corrected {
                piece.quantity = Some(number);
            } else if option_next {
                self.count = Some(number);
            } else if at.checked_sub(1).is_some_and(|b| self.segments[b].number.is_some()) {
                piece.quantity = Some(tens(piece.quantity.filter(|_| spelt), number));
            }
            return;
        }
        // "one of them gluten free": a part of the line that is there.
        let of_them = self.segments.get(at + 1).is_some_and(|s| s.roles.has(Role::One) && s.number.is_none());
        if self.now.is_none() && of_them && (option_next || self.option_in_clause(at)) && !self.around.cart.is_empty() {
            let mut piece = Piece::new(at);
            piece.quantity = Some(number);
            piece.part = true;
            self.push(piece);
            self.head_passed = true;
            return;
        }
        // "with cheese on all, and two of them without": of the items named before.
        if of_them && self.now.is_some_and(|now| self.out.pieces[now].products.is_empty()) {
            let item = self.out.pieces.iter().rev().find(|p| !p.products.is_empty() && p.deed == Deed::Add);
            if let Some(item) = item.filter(|p| p.quantity.is_some_and(|whole| whole > number)) {
                let products = item.products.clone();
                self.push(Piece { products, aim: Aim::New, part: true, quantity: Some(number), ..Piece::new(at) });
                self.head_passed = true;
                self.calm();
                return;
            }
        }
        let exclusive = after.is_some_and(|after| option_next && self.shop.exclusive(&after.choices));
        let has_head = self.now.is_some_and(|now| !self.out.pieces[now].products.is_empty());
        // "two wraps, in one more meat": the number points at one of them.
        let pointed = previous_any(self.segments, at)
            .is_some_and(|b| self.segments[b].roles.any(&[Role::On, Role::Into]) && !self.segments[b].is_name());
        // "without feta on one": of so many of them.
        let several_told = self.now.is_some_and(|now| {
            let piece = &self.out.pieces[now];
            piece.quantity.is_some_and(|whole| whole > number)
                && self.part_of_one()
                && piece.wishes.len() > self.phrase.max(self.clause)
        });
        if pointed
            && several_told
            && !self.option_or_amount_is_next(at)
            && after.is_none_or(|s| s.mark.is_some() || s.is(Role::And))
        {
            let now = self.now.unwrap_or(0);
            let keep = self.phrase.max(self.clause);
            let wishes = self.out.pieces[now].wishes.split_off(keep);
            let part = Piece {
                products: self.out.pieces[now].products.clone(),
                aim: Aim::New,
                part: true,
                quantity: Some(number),
                wishes,
                ..Piece::new(at)
            };
            self.push(part);
            self.head_passed = true;
            self.calm();
            return;
        }
        // "two wraps. The one with olives"
        let the_one = number == 1
            && at.checked_sub(1).is_some_and(|b| {
                self.segments[b].roles.any(&[Role::Definite, Role::One]) && !self.segments[b].is_name()
            });
        // "two wraps, one spicy, …"
        let after_comma = at.checked_sub(1).is_some_and(|b| self.segments[b].mark == Some(Kind::Comma));
        let several = self.now.is_some_and(|now| self.out.pieces[now].quantity.is_some_and(|whole| whole > number));
        let begins_part = (option_next && exclusive && has_head)
            || after_comma && several && option_next
            || several
                && after.is_some_and(|after| after.roles.any(&[Role::Extra, Role::Light]))
                && self.option_or_amount_is_next(at)
            || (pointed || of_them || the_one) && several && self.option_or_amount_is_next(at)
            || after.is_some_and(|after| is_with(after) && after.mark.is_none() && !after.is_name());
        // "socks, four black": the number and the option are all of the item's.
        let whole = begins_part
            && option_next
            && self.now.is_some_and(|now| {
                let piece = &self.out.pieces[now];
                let bare =
                    piece.quantity.is_none() && piece.wishes.is_empty() && piece.deed == Deed::Add && !piece.part;
                bare && !self.segments[..at].iter().skip(piece.from).any(|s| s.roles.has(Role::Article))
            });
        if whole {
            self.piece(at).quantity = Some(number);
            return;
        }
        // "the two others": what the part before has left.
        let now_part = self.now.is_some_and(|now| self.out.pieces[now].part);
        if now_part
            && self.segments.get(at + 1).is_some_and(|s| s.roles.has(Role::Rest))
            && let Some(part) = self.half_or_rest(at + 1)
        {
            self.push(part);
            self.selected = at + 2;
            self.head_passed = true;
            self.calm();
            return;
        }
        // "pizza one, without …": a number right behind its name is the item's own.
        let own = self.now.is_some_and(|now| self.out.pieces[now].quantity.is_none())
            && at.checked_sub(1).is_some_and(|b| self.heads[b]);
        if begins_part && !own && self.now.is_some() && self.part_of_one() {
            let before = previous_any(self.segments, at).map(|b| &self.segments[b]);
            let joined = before.is_some_and(|b| b.roles.any(&[Role::And]));
            let parent = self.now.unwrap_or(0);
            let parts_before = self.out.pieces[parent].part;
            // "two with ham, one with cheese" is three: what was said of the two leaves nothing of them.
            let head = (self.out.pieces[parent].from..at).find(|&s| self.heads[s]).unwrap_or(0);
            let whole = self.out.pieces[parent].quantity.unwrap_or(1);
            let without = after.is_some_and(|after| after.roles.has(Role::Without));
            let told = !(parts_before || exclusive || of_them || without || self.parts_from(at) == whole)
                && self.out.pieces[parent]
                    .wishes
                    .iter()
                    .any(|w| w.at > head && !w.without && !self.shop.exclusive(&w.choices));
            let mut piece = Piece::new(at);
            piece.quantity = Some(number);
            piece.part = !told && (!joined || parts_before);
            piece.products = self.out.pieces[parent].products.clone();
            piece.aim = Aim::New;
            self.push(piece);
            self.head_passed = true;
            self.calm();
            return;
        }
        let dose = self.segments.get(at + 1).is_some_and(|s| s.is(Role::Dose) && !s.is_name());
        // "sugar, two spoons"
        if dose
            && !option_next
            && let Some(before) = previous(self.segments, at)
            && let Some(now) = self.now
            && let Some(wish) = self.out.pieces[now].wishes.last_mut().filter(|wish| wish.at == before && !wish.without)
        {
            wish.count = number;
            return;
        }
        if option_next && (has_head && !exclusive || dose) {
            self.count = Some(number);
            return;
        }
        if !self.may_count(at, corrected) {
            return;
        }
        let piece = self.piece(at);
        if piece.quantity.is_none() || corrected {
            piece.quantity = Some(number);
        } else {
            piece.quantity = Some(tens(piece.quantity.filter(|_| spelt), number));
        }
    }

    /// Whether the clause goes on to an option, over words that say what is to become of it, and to nothing else.
    fn option_in_clause(&self, at: usize) -> bool {
        const LEADING: [Role; 8] =
            [Role::One, Role::Unit, Role::Stop, Role::Chatter, Role::Make, Role::Correction, Role::With, Role::Polite];
        let leads = |s: &Segment| s.mark.is_none() && !s.is_name() && s.number.is_none() && s.roles.any(&LEADING);
        let after = self.segments[at + 1..].iter().position(|s| !leads(s)).map(|skip| at + 1 + skip);
        after.is_some_and(|after| !self.heads[after] && !self.segments[after].choices.is_empty())
    }

    /// Whether a number that no head follows is a quantity: right behind its item, after a word of change, or where the
    /// message says nothing else. Beside an unknown word it is a house number, an age or the like.
    pub(super) fn may_count(&self, at: usize, corrected: bool) -> bool {
        let lost = |s: &Segment| s.unknown || (s.told && s.mark.is_none());
        let beside = at.checked_sub(1).into_iter().chain(Some(at + 1));
        if beside.filter_map(|b| self.segments.get(b)).any(lost) {
            return false;
        }
        let before = at.checked_sub(1).map(|b| &self.segments[b]);
        if before.is_some_and(|b| b.roles.has(Role::Name) && !b.roles.any(&[Role::WeakAddress, Role::Into])) {
            return false;
        }
        // "do you have lasagne? then I'll take two"
        if self.now.is_none() && self.opened && self.around.mentions {
            return true;
        }
        if let Some(now) = self.now {
            let piece = &self.out.pieces[now];
            let changes = piece.deed != Deed::Add || piece.another || piece.same || piece.aim != Aim::Last;
            if piece.products.is_empty() && changes {
                return true;
            }
            if piece.deed != Deed::Add {
                return true;
            }
            if !piece.products.is_empty() {
                let continues = before.is_some_and(|b| b.number.is_some());
                let own = (0..at)
                    .rev()
                    .find(|&b| {
                        let s = &self.segments[b];
                        !(s.mark.is_some_and(|mark| mark == Kind::Comma)
                            || is_filling(s)
                            || (!s.is_name() && s.roles.any(&[Role::Times, Role::Unit])))
                    })
                    .is_some_and(|b| self.segments[b].is_name());
                return corrected || continues || (own && piece.quantity.is_none());
            }
        }
        // "I am 16" changes nothing: small words alone say nothing of an order.
        let mut others = self.segments.iter().filter(|s| !s.dead && s.mark.is_none() && s.number.is_none()).peekable();
        let says = others.peek().is_none() || others.any(|s| !s.roles.only(&[Role::Stop, Role::Chatter]));
        !self.around.choosing && says && self.segments.iter().all(|s| s.dead || s.mark.is_some() || is_change_word(s))
    }

    /// Whether a number is said of each item before it: "a tonno and a funghi, two of each".
    pub(super) fn each_of(&self, at: usize) -> bool {
        let each = |at: Option<usize>| {
            at.and_then(|at| self.segments.get(at)).is_some_and(|s| s.is(Role::Each) && !s.is_name())
        };
        let items = self.out.pieces.iter().filter(|p| p.deed == Deed::Add && p.aim == Aim::New);
        let counted = items
            .clone()
            .any(|piece| self.segments[piece.from..at].iter().take_while(|s| !s.is_name()).any(|s| s.number.is_some()));
        (each(at.checked_sub(1)) || each(Some(at + 1)))
            && items.count() > 1
            && !counted
            && head_after(self.segments, self.heads, at).is_none()
    }

    /// How many the parts from this number on are together: "one with ham and one without".
    pub(super) fn parts_from(&self, at: usize) -> u32 {
        let until = (at..self.segments.len()).find(|&s| self.heads[s]).unwrap_or(self.segments.len());
        (at..until)
            .filter(|&s| !self.segments[s].dead && option_or_part_follows(self.segments, self.heads, s))
            .filter_map(|s| self.segments[s].number)
            .fold(0, u32::saturating_add)
    }

    /// The choice of the item that a number names: "a pack of 20", "cream 20".
    pub(super) fn numbered(&self, at: usize, number: u32) -> Option<(usize, usize)> {
        let piece = &self.out.pieces[self.now?];
        debug_assert_eq!(self.segments[at].number, Some(number));
        // "… and …, both in packs of 20"
        if piece.aim == Aim::All && piece.is_idle() {
            let items = self.out.pieces.iter().flat_map(|piece| piece.products.iter().copied());
            return numbered(self.segments, self.shop, &items.collect::<Vec<_>>(), at);
        }
        if !self.head_passed || piece.deed != Deed::Add {
            return None;
        }
        numbered(self.segments, self.shop, &piece.products, at)
    }

    /// The number behind an option that drives out one which the item has already: "cat food salmon twelve and the chicken
    /// six" are two items.
    pub(super) fn sister(&self, at: usize, choices: &[(usize, usize)]) -> Option<usize> {
        let piece = self.now.map(|now| &self.out.pieces[now])?;
        let has = piece.wishes.iter().any(|wish| {
            !wish.without && wish.choices.iter().any(|(group, _)| choices.iter().any(|(own, _)| own == group))
        });
        let number = (at + 1..self.segments.len()).find(|&s| !is_filling(&self.segments[s]))?;
        let counts = !self.segments[number].dead
            && self.segments[number].number.is_some()
            && self.counted[number].is_none()
            && head_after(self.segments, self.heads, number).is_none();
        (has && !piece.products.is_empty()
            && piece.deed == Deed::Add
            && self.shop.exclusive(choices)
            && counts
            && !self.corrected)
            .then_some(number)
    }

    /// Whether an option behind "and" drives out one that the item has already: "gloves in medium and in small for my
    /// wife" are two pairs.
    pub(super) fn is_another_kind(&self, at: usize, choices: &[(usize, usize)]) -> bool {
        let Some(piece) = self.now.map(|now| &self.out.pieces[now]) else { return false };
        let had = piece.wishes.iter().rev().find(|wish| {
            !wish.without && wish.choices.iter().any(|(group, _)| choices.iter().any(|(own, _)| own == group))
        });
        let joined = had.is_some_and(|wish| {
            let between = &self.segments[wish.at + 1..at];
            between.iter().any(|s| s.is(Role::And) && !s.is_name()) && between.iter().all(|s| s.mark.is_none())
        });
        joined
            && !self.corrected
            && !self.negated
            && piece.deed == Deed::Add
            && piece.aim == Aim::New
            && !piece.products.is_empty()
            && !piece.part
            && self.shop.exclusive(choices)
    }

    /// Whether the piece being read is an item that "one with …" can be a part of or stand beside.
    pub(super) fn part_of_one(&self) -> bool {
        self.now.is_some_and(|now| {
            let piece = &self.out.pieces[now];
            !piece.products.is_empty() && matches!(piece.deed, Deed::Add)
        })
    }
}
