//! Words that point: at lines by place, by name or by what they have; at all, both or the rest; at what was just said,
//! to be made, changed, refused or had once more.

use super::{Aim, Deed, Piece, Wish, counts::option_or_part_follows, heads::is_in, is_filling, previous, scan::Scan};
use crate::understanding::{lexicon::Role, segment::Segment, shop::Shop, text::Kind};

impl Scan<'_> {
    /// Whether another product follows in the clause.
    pub(super) fn gives_way(&self, at: usize) -> bool {
        let Some(now) = self.now else { return false };
        let follows = (at + 1..self.segments.len()).take_while(|&s| self.segments[s].mark.is_none()).find(|&s| {
            self.heads[s] || self.segments[s].roles.any(&[Role::And, Role::With]) && !self.segments[s].is_name()
        });
        follows.is_some_and(|s| self.heads[s] && self.segments[s].products != self.out.pieces[now].products)
    }

    /// Whether "the last" stands right before: "the last item away".
    pub(super) fn points_at_last(&self, at: usize) -> bool {
        let filling = |s: &&Segment| is_filling(s) || !s.is_name() && s.roles.has(Role::One);
        self.segments[..at]
            .iter()
            .rev()
            .find(|s| s.roles.has(Role::Last) || !filling(s))
            .is_some_and(|s| s.is(Role::Last))
    }

    /// "repeat the same": two ways in one breath to say that the last is wanted once more.
    pub(super) fn says_again(&mut self, at: usize) -> bool {
        let Some(now) = self.now else { return false };
        let same = self.segments[at].roles.has(Role::Same);
        let joined =
            self.segments[..at].iter().skip(self.out.pieces[now].from).all(|s| s.mark.is_none() && !s.is_name());
        let piece = &mut self.out.pieces[now];
        let again = (piece.another || piece.same) && piece.products.is_empty() && piece.wishes.is_empty();
        if again && joined {
            piece.same |= same;
        }
        if same && piece.another && piece.wishes.is_empty() && joined {
            piece.products.clear();
            piece.same = true;
            return true;
        }
        again && joined
    }

    /// "the same size": what an item before has of that group. Says whether it was said.
    pub(super) fn same_option(&mut self, at: usize) -> bool {
        let groups = match self.segments.get(at + 1) {
            Some(next) if !next.dead => next.groups.clone(),
            _ => return false,
        };
        if groups.is_empty() {
            return false;
        }
        let theirs = self.out.pieces.iter().rev().skip(1).flat_map(|piece| piece.wishes.iter().rev());
        let same = theirs.clone().find(|wish| wish.choices.iter().any(|(group, _)| groups.contains(group)));
        if let (Some(wish), Some(now)) = (same.cloned(), self.now) {
            self.out.pieces[now].wishes.push(Wish { at, ..wish });
        }
        true
    }

    /// The "one" behind an article and options, as in "an oreo one".
    pub(super) fn one_of_options(&self, at: usize) -> Option<usize> {
        let option =
            |at: usize| self.segments.get(at).is_some_and(|s| !s.dead && !self.heads[at] && !s.choices.is_empty());
        let mut end = at + 1;
        while option(end) {
            end += 1;
        }
        // "one rare one well done": that one begins the next.
        let one = self
            .segments
            .get(end)
            .filter(|one| one.number.is_none() || self.segments[at].number.is_none() || !option(end + 1))?;
        (end > at + 1 && !one.dead && !one.is_name() && one.roles.has(Role::One)).then_some(end)
    }

    /// "half of them with ham", and after a part "the other well done": the piece of which the item named last is parted.
    pub(super) fn half_or_rest(&self, at: usize) -> Option<Piece> {
        let roles = self.segments[at].roles;
        let now = &self.out.pieces[self.now?];
        let item = now.deed == Deed::Add && !now.products.is_empty();
        let mut part = Piece { products: now.products.clone(), aim: Aim::New, part: true, ..Piece::new(at) };
        if item && roles.has(Role::Rest) && now.part {
            part.rest = true;
            return Some(part);
        }
        let several = now.part || now.quantity.is_some_and(|n| n > 1);
        let ordinal = several && self.segments[at].ordinal.is_some() && self.around.cart.is_empty();
        if item && (now.part && roles.has(Role::Another) || ordinal) && !roles.has(Role::Again) {
            part.quantity = Some(1);
            return option_or_part_follows(self.segments, self.heads, at).then_some(part);
        }
        // "half with mint, half with tamarind"
        if item && roles.has(Role::Half) && now.part && option_or_part_follows(self.segments, self.heads, at) {
            part.rest = true;
            return Some(part);
        }
        let whole = now.quantity.filter(|n| n.is_multiple_of(2));
        if item && roles.has(Role::Half) && option_or_part_follows(self.segments, self.heads, at) {
            part.quantity = Some(whole? / 2);
            return Some(part);
        }
        None
    }

    /// Where the words end that tell a line of the cart by its options: "the one with olives", and after "remove" "with
    /// olives" alone.
    pub(super) fn selection(&self, at: usize) -> Option<usize> {
        if self.around.cart.is_empty() || self.head_passed && !self.now_is_idle() {
            return None;
        }
        let roles = |at: usize, roles: &[Role]| {
            self.segments.get(at).is_some_and(|s| !s.dead && !s.is_name() && s.mark.is_none() && s.roles.any(roles))
        };
        let mut place = at;
        while roles(place, &[Role::Definite, Role::On]) && !roles(place, &[Role::One, Role::With]) {
            place += 1;
        }
        let one = roles(place, &[Role::One, Role::Last]) && (place > at || self.segments[place].number.is_none());
        if one {
            place += 1;
        } else if !self.removing {
            return None;
        }
        let option =
            |at: usize| self.segments.get(at).is_some_and(|s| !s.dead && !self.heads[at] && !s.choices.is_empty());
        let removes = self.removing
            || self.segments[at..].iter().take_while(|s| s.mark.is_none()).any(|s| s.is(Role::Remove) && !s.is_name());
        let bare = option(place) && removes && (one || self.one_of_options(place.wrapping_sub(1)).is_some());
        if !bare && (!roles(place, &[Role::With]) || roles(place, &[Role::Add]) && !one) {
            return None;
        }
        let first = (place..self.segments.len()).find(|&s| !roles(s, &[Role::With, Role::Definite, Role::Extra]))?;
        let option =
            |at: usize| self.segments.get(at).is_some_and(|s| !s.dead && !self.heads[at] && !s.choices.is_empty());
        let mut end = first;
        while option(end) || end > first && roles(end, &[Role::And]) && option(end + 1) {
            end += 1;
        }
        (end > first).then_some(end)
    }

    /// Points at the line that has the options told before `until`.
    pub(super) fn select(&mut self, at: usize, until: usize) {
        let having: Vec<Vec<(usize, usize)>> =
            self.segments[at..until].iter().filter(|s| !s.choices.is_empty()).map(|s| s.choices.clone()).collect();
        self.aim(at, Aim::Having);
        if let Some(now) = self.now {
            self.out.pieces[now].having = having;
        }
        self.selected = until;
    }

    /// The piece that is nothing but the name right before, where the cart has it or the message named it earlier: "the
    /// cola" of "the cola should be large".
    pub(super) fn bare_mention(&self, at: usize) -> Option<usize> {
        let now = self.now?;
        let piece = &self.out.pieces[now];
        let polite = |s: &Segment| is_filling(s) || !s.is_name() && s.roles.has(Role::Polite);
        let before = (0..at).rev().find(|&b| !self.segments[b].dead && !polite(&self.segments[b]))?;
        let usual = self.out.pieces.iter().any(|piece| piece.deed == Deed::Usual);
        let bare = piece.deed == Deed::Add
            && piece.aim == Aim::New
            && piece.quantity.is_none()
            && piece.wishes.is_empty()
            && !(piece.another || piece.same || piece.part || piece.phantom);
        let joined = (before + 1..at).all(|b| self.segments[b].mark.is_none());
        let marked = self.segments[..=before].iter().skip(piece.from).any(|s| s.roles.has(Role::Article));
        let known = is_in(self.around.cart, &piece.products)
            || usual && is_in(self.around.usual, &piece.products)
            || self.out.pieces[..now].iter().any(|p| p.products.iter().any(|at| piece.products.contains(at)));
        (bare && joined && !marked && known && self.heads[before]).then_some(now)
    }

    /// The piece that names fewer than a line of the cart has: "one of the wraps" of "one of the wraps make spicy".
    pub(super) fn fewer_mention(&self, at: usize) -> Option<usize> {
        let now = self.now?;
        let piece = &self.out.pieces[now];
        let counted = piece.quantity.filter(|_| piece.deed == Deed::Add && piece.wishes.is_empty() && !piece.opened)?;
        let plain = matches!(piece.aim, Aim::New | Aim::Named) && !(piece.another || piece.same || piece.phantom);
        let mut lines = self.around.cart.iter().filter(|line| line.products.iter().any(|p| piece.products.contains(p)));
        let fewer = matches!((lines.next(), lines.next()), (Some(line), None) if counted < line.quantity);
        let joined = self.segments[piece.from..at].iter().all(|s| s.mark.is_none());
        (plain && fewer && joined).then_some(now)
    }

    /// "the olives away", "onions not": a refusal behind the name that it is about, where nothing follows that it could
    /// be about. Says whether it was one.
    pub(super) fn refuses_before(&mut self, at: usize) -> bool {
        let removes = self.segments[at].roles.has(Role::Remove);
        // "the cola, take one off": so many of it.
        let fewer = self.segments.get(at + 1).filter(|s| removes && !s.dead && !s.is_name()).and_then(|s| s.number);
        let ends = self.segments[at + 1..]
            .iter()
            .skip(usize::from(fewer.is_some()))
            .find(|s| s.dead || s.mark.is_some() || !is_filling(s) || !s.class.is_empty())
            .is_none_or(|s| {
                s.told || s.mark.is_some() || !s.dead && s.roles.any(&[Role::And, Role::But, Role::Open, Role::Add])
            });
        let Some(before) = previous(self.segments, at).filter(|_| ends) else { return false };
        // "one with cream and one without"
        if self.segments[before].number.is_some()
            && let Some(now) = self.now.filter(|&now| now > 0)
            && self.out.pieces[now].wishes.is_empty()
            && let Some(wish) = self.out.pieces[now - 1].wishes.last().filter(|wish| !wish.without)
        {
            let wish = Wish { without: true, at, ..wish.clone() };
            self.out.pieces[now].wishes.push(wish);
            return true;
        }
        if (before + 1..at).any(|b| self.segments[b].mark.is_some()) {
            return false;
        }
        let Some(now) = self.now else { return false };
        let mentioned = self.bare_mention(at).is_some();
        let piece = &mut self.out.pieces[now];
        if let Some(wish) = piece.wishes.last_mut().filter(|wish| wish.at == before) {
            wish.without = true;
            wish.removed = removes;
            return true;
        }
        // "take one lasagne away"
        let there = removes && !piece.opened && is_in(self.around.cart, &piece.products);
        let unsaid = removes && piece.deed == Deed::Add && (piece.quantity.is_none() || there);
        if self.heads[before] && (mentioned || unsaid) {
            piece.deed = Deed::Remove;
            if fewer.is_some() {
                piece.quantity = fewer;
                self.selected = at + 2;
            }
            self.calm();
            return true;
        }
        let pointing = matches!(piece.aim, Aim::Nth(_) | Aim::All | Aim::Rest);
        let idle = piece.deed == Deed::Add && piece.products.is_empty() && piece.wishes.is_empty();
        if removes && pointing && idle {
            piece.deed = Deed::Remove;
            self.calm();
            return true;
        }
        false
    }

    /// "the cola change to lemonade", "the ham swap for prawns": a change behind the name of the old. Says whether it
    /// was one.
    pub(super) fn changes_before(&mut self, at: usize) -> bool {
        let follows = self.segments[at + 1..].iter().find(|s| s.mark.is_some() || s.is_name());
        if follows.is_none_or(|s| s.mark.is_some_and(|mark| mark != Kind::Sign)) {
            return false;
        }
        if let Some(now) = self.bare_mention(at) {
            self.out.pieces[now].deed = Deed::Old;
            let mut piece = Piece::new(at);
            piece.deed = Deed::New;
            self.push(piece);
            self.head_passed = true;
            self.calm();
            return true;
        }
        let before = previous(self.segments, at);
        let Some(now) = self.now else { return false };
        let exclusive = |shop: &Shop, wish: &Wish| shop.exclusive(&wish.choices);
        let shop = self.shop;
        let piece = &mut self.out.pieces[now];
        let Some(wish) = piece.wishes.last_mut().filter(|wish| Some(wish.at) == before) else { return false };
        let joined = (wish.at + 1..at).all(|b| self.segments[b].mark.is_none());
        if !joined {
            return false;
        }
        wish.without = true;
        wish.removed = piece.products.is_empty();
        if exclusive(shop, wish) {
            piece.wishes.pop();
        }
        self.calm();
        true
    }

    pub(super) fn another(&mut self, at: usize) {
        // "and a toy mouse too": behind its name and before nothing it says no more than "also".
        let ends = self.segments[at + 1..].iter().find(|s| !is_filling(s) || s.mark.is_some());
        let also = at.checked_sub(1).is_some_and(|b| self.heads[b]) && self.segments[at].number.is_none();
        // "no olives any more"
        let refused = self
            .now
            .and_then(|now| self.out.pieces[now].wishes.last())
            .is_some_and(|wish| wish.without && Some(wish.at) == previous(self.segments, at));
        if refused {
            return;
        }
        if also && ends.is_none_or(|s| s.mark.is_some() || s.roles.has(Role::And)) {
            if let Some(now) = self.now.filter(|&now| is_in(self.around.cart, &self.out.pieces[now].products)) {
                self.out.pieces[now].another = true;
            }
            return;
        }
        let before_head = self.edge_passed && !self.head_passed;
        if before_head {
            let now = self.now.unwrap_or(0);
            self.out.pieces[now].another = true;
            return;
        }
        let parent = self.now.filter(|_| self.part_of_one());
        // "the lasagne was good, one more": the name alone was no order.
        let mention = self.now.filter(|&now| {
            let piece = &self.out.pieces[now];
            let bare = piece.quantity.is_none() && piece.wishes.is_empty() && piece.aim == Aim::New;
            bare && !piece.opened
                && piece.deed == Deed::Add
                && is_in(self.around.cart, &piece.products)
                && !self.segments[..at].iter().skip(piece.from).any(|s| s.roles.has(Role::Article))
        });
        let mut piece = Piece::new(at);
        piece.another = true;
        // "two more" said the number before.
        if let Some(now) = self.now
            && self.out.pieces[now].is_bare_number()
        {
            piece.quantity = self.out.pieces[now].quantity;
            self.out.pieces.pop();
        }
        piece.quantity = piece.quantity.or(self.segments[at].number);
        if piece.quantity.is_none() {
            let told = |s: &&Segment| !(is_filling(s) || !s.is_name() && s.roles.has(Role::Unit));
            piece.quantity = self.segments[..at].iter().rev().find(told).and_then(|s| s.number);
        }
        if let Some(parent) = parent {
            piece.products = self.out.pieces[parent].products.clone();
            piece.aim = Aim::New;
        }
        if let Some(mention) = mention {
            self.out.pieces.remove(mention);
        }
        self.push(piece);
        self.head_passed = true;
    }

    pub(super) fn everyone(&mut self, at: usize) {
        let items = self.out.pieces.iter().filter(|p| p.aim == Aim::New && p.deed == Deed::Add).count();
        let quantity = self.now.and_then(|now| self.out.pieces[now].quantity).unwrap_or(1);
        if self.edge_passed && !self.head_passed {
            return;
        }
        // "two colas and two pizzas both with olives" says it of the pizzas, "three funghi, two hawaii, all large" of
        // every one.
        let theirs = match self.segments[at].roles {
            roles if roles.has(Role::All) => false,
            roles if roles.has(Role::Both) => quantity == 2,
            _ => quantity > 1,
        };
        if items == 1 || items > 1 && theirs {
            return;
        }
        self.aim(at, Aim::All);
    }

    /// "both pizzas": the lines of those products.
    pub(super) fn all_of(&mut self, at: usize) {
        self.aim(at, Aim::Named);
        let products = self.segments[at].products.clone();
        if let Some(now) = self.now {
            let piece = &mut self.out.pieces[now];
            piece.aim = Aim::Named;
            piece.products = products;
            if self.changing {
                piece.deed = Deed::Old;
            }
        }
    }

    /// The present clause is about a line that is there: its wishes move to a piece of their own.
    pub(super) fn aim(&mut self, at: usize, aim: Aim) {
        if let Some(now) = self.now {
            let piece = &mut self.out.pieces[now];
            if piece.products.is_empty() && piece.aim == Aim::Last && !piece.same {
                piece.aim = aim;
                if self.negated && piece.wishes.is_empty() {
                    piece.deed = Deed::Remove;
                    self.calm();
                }
                return;
            }
            // "both with olives" says it of what follows, "with olives on both" of what stands before.
            let follows = option_or_part_follows(self.segments, self.heads, at);
            let keep = if follows { piece.wishes.len() } else { self.clause.max(self.phrase).min(piece.wishes.len()) };
            let wishes = piece.wishes.split_off(keep);
            let mut edit = Piece::new(at);
            edit.aim = aim;
            edit.wishes = wishes;
            self.push(edit);
        } else {
            let mut edit = Piece::new(at);
            edit.aim = aim;
            if self.negated {
                edit.deed = Deed::Remove;
                self.calm();
            }
            self.push(edit);
        }
        self.head_passed = true;
    }

    pub(super) fn now_is_idle(&self) -> bool {
        self.now.is_none_or(|now| self.out.pieces[now].is_idle())
    }
}
