//! The walk over the segments of a message: each does something to the piece being read, or begins another.

use super::{
    Aim, Around, Deed, Piece, Pieces, Wish,
    counts::{head_after, numbered, option_or_part_follows},
    heads::{is_in, is_said_of_all, was_named},
    is_filling, next, previous, previous_any,
};
use crate::{
    cart::Amount,
    understanding::{lexicon::Role, segment::Segment, shop::Shop, text::Kind},
};

pub(super) struct Scan<'a> {
    pub(super) segments: &'a [Segment],
    /// For each number that counts a head before it that head.
    pub(super) counted: &'a [Option<usize>],
    pub(super) shop: &'a Shop,
    pub(super) around: Around<'a>,
    pub(super) heads: &'a [bool],
    pub(super) out: Pieces,
    /// The piece being read.
    pub(super) now: Option<usize>,
    /// Whether the head's own item has begun, and whether its head has been read.
    pub(super) edge_passed: bool,
    pub(super) head_passed: bool,
    pub(super) negated: bool,
    pub(super) removing: bool,
    /// Whether a negation may go on over "and" or "or".
    pub(super) carried: bool,
    pub(super) amount: Amount,
    pub(super) count: Option<u32>,
    /// The first wish of the present clause within its piece, and within the piece before an item that has just begun.
    pub(super) clause: usize,
    pub(super) clause_before: usize,
    /// The first wish behind the last "with" or "without" within its piece.
    pub(super) phrase: usize,
    pub(super) corrected: bool,
    pub(super) opened: bool,
    pub(super) changing: bool,
    pub(super) instead: bool,
    /// Whether "on" was read just before.
    pub(super) pointing: bool,
    /// Until where words that tell one line from others have been read.
    pub(super) selected: usize,
    /// The "one" of "an oreo one", which stands for the product named last.
    pub(super) one: usize,
}

impl Scan<'_> {
    pub(super) fn start_item(&mut self, at: usize, head: usize) {
        let continues = self.carried && self.removing && !self.segments[at].roles.has(Role::Article);
        if self.corrected
            && let Some(now) = self.now
            && self.out.pieces[now].deed == Deed::Add
        {
            self.out.pieces.remove(now);
            self.now = None;
        }
        self.corrected = false;
        let make = self.now.filter(|&now| {
            let piece = &self.out.pieces[now];
            piece.deed == Deed::Make && piece.is_idle() || piece.deed == Deed::New && piece.is_idle()
        });
        let mut piece = Piece::new(at);
        piece.opened = self.opened;
        piece.products = self.segments[head].products.clone();
        piece.phantom = self.segments[head].unknown;
        piece.aim = Aim::New;
        let mut numbers = (0..self.counted.len()).filter(|&at| self.counted[at] == Some(head));
        let counts = |at: &usize| numbered(self.segments, self.shop, &self.segments[head].products, *at).is_none();
        piece.quantity = numbers.find(counts).and_then(|number| self.segments[number].number);
        // "make the drink a tea", behind a sandwich, asks for a tea.
        let other = make.is_some_and(|make| {
            let last = self.out.pieces[..make].iter().rev().find(|p| !p.products.is_empty());
            self.segments[self.out.pieces[make].from..at].iter().any(|s| {
                !s.class.is_empty() && last.is_some_and(|p| !p.products.iter().any(|product| s.class.contains(product)))
            })
        });
        // "make me two wraps", where there is nothing to be made so.
        let nothing = make.is_some_and(|make| make == 0) && self.around.cart.is_empty();
        if other || nothing {
            self.out.pieces.pop();
        } else if let Some(make) = make {
            piece.deed = self.out.pieces[make].deed;
            piece.aim = self.out.pieces[make].aim;
            self.out.pieces.pop();
        } else if self.changing {
            piece.deed = Deed::Old;
        }
        // "the same flat white again": one more of that line.
        let again = self.out.pieces.last().filter(|last| {
            let joined = self.segments[last.from..at].iter().all(|s| s.mark.is_none());
            last.same && last.another && last.products.is_empty() && last.wishes.is_empty() && joined
        });
        if again.is_some_and(|_| is_in(self.around.cart, &piece.products)) {
            self.out.pieces.pop();
            piece.another = true;
        }
        self.clause_before = self.clause;
        self.push(piece);
        self.edge_passed = true;
        self.head_passed = false;
        if !continues {
            self.negated = false;
            self.removing = false;
        }
        self.carried = false;
        self.amount = Amount::Normal;
        self.count = None;
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.out.pieces.push(piece);
        self.now = Some(self.out.pieces.len() - 1);
        self.clause = 0;
        self.phrase = 0;
    }

    /// The piece being read; one without a head where there is none.
    pub(super) fn piece(&mut self, at: usize) -> &mut Piece {
        if self.now.is_none() {
            let mut piece = Piece::new(at);
            piece.opened = self.opened;
            self.push(piece);
        }
        let now = self.now.unwrap_or(0);
        &mut self.out.pieces[now]
    }

    pub(super) fn calm(&mut self) {
        self.negated = false;
        self.removing = false;
        self.carried = false;
        self.amount = Amount::Normal;
        self.count = None;
    }

    pub(super) fn step(&mut self, at: usize) {
        let segment = &self.segments[at];
        let roles = segment.roles;
        if let Some(mark) = segment.mark {
            match mark {
                Kind::Stop | Kind::Question | Kind::Dots => {
                    self.calm();
                    self.clause = self.now.map_or(0, |now| self.out.pieces[now].wishes.len());
                    self.changing = false;
                    self.instead = false;
                    self.pointing = false;
                }
                Kind::Comma => {
                    self.calm();
                    self.clause = self.now.map_or(0, |now| self.out.pieces[now].wishes.len());
                    // A change that names nothing behind it is done.
                    if self.changing
                        && self.now.is_some_and(|now| self.out.pieces[now].deed == Deed::Old && self.now_is_idle())
                    {
                        self.changing = false;
                        self.out.pieces.pop();
                        self.now = self.out.pieces.len().checked_sub(1);
                    }
                }
                _ => {}
            }
            return;
        }
        if at < self.selected {
            return;
        }
        if self.heads[at] {
            self.head(at);
            self.pointing = false;
            return;
        }
        if let Some(until) = self.selection(at) {
            self.select(at, until);
            return;
        }
        if is_said_of_all(self.segments, at)
            && (was_named(self.segments, self.heads, at) || is_in(self.around.cart, &segment.products))
        {
            self.all_of(at);
            return;
        }
        if !segment.choices.is_empty() && !self.counts(at) {
            self.option(at);
            self.pointing = false;
            return;
        }
        let pointing = std::mem::take(&mut self.pointing);
        if roles.has(Role::Clear) {
            let mut piece = Piece::new(at);
            piece.deed = Deed::Clear;
            self.push(piece);
            self.now = None;
            return;
        }
        if roles.has(Role::Usual) {
            let mut piece = Piece::new(at);
            piece.deed = Deed::Usual;
            self.push(piece);
            let mut edit = Piece::new(at);
            edit.aim = Aim::All;
            self.push(edit);
            self.head_passed = true;
            return;
        }
        if let Some(part) = self.half_or_rest(at) {
            self.push(part);
            self.head_passed = true;
            self.calm();
            return;
        }
        // "one more of the first"
        if let Some(ordinal) = segment.ordinal
            && let Some(now) = self.now.filter(|&now| self.out.pieces[now].another)
            && self.out.pieces[now].products.is_empty()
            && self.out.pieces[now].wishes.is_empty()
        {
            self.out.pieces[now].aim = Aim::Nth(ordinal);
            return;
        }
        if let Some(ordinal) = segment.ordinal
            && (!self.edge_passed || self.head_passed)
        {
            self.aim(at, Aim::Nth(ordinal));
            return;
        }
        if roles.has(Role::Instead) {
            self.instead = true;
            self.negated = false;
            return;
        }
        if roles.any(&[Role::Remove, Role::Without]) && self.refuses_before(at) {
            return;
        }
        if roles.any(&[Role::Correction, Role::No]) && self.is_correction(at) {
            self.corrected = true;
            self.calm();
            if !roles.has(Role::Make) {
                return;
            }
        }
        if let Some(number) = segment.number
            && let Some(choice) = self.numbered(at, number)
        {
            let wish = Wish {
                choices: vec![choice],
                without: false,
                removed: false,
                replaced: false,
                amount: Amount::Normal,
                count: 1,
                half: None,
                at,
            };
            self.piece(at).wishes.push(wish);
            return;
        }
        if self.counted[at].is_some() && !self.each_of(at) {
            self.corrected = false;
            return;
        }
        if segment.number.is_some() && self.each_of(at) {
            for piece in self.out.pieces.iter_mut().filter(|p| p.deed == Deed::Add && p.aim == Aim::New) {
                piece.quantity = segment.number;
            }
            return;
        }
        if roles.has(Role::Article)
            && let Some(one) = self.one_of_options(at)
            && let Some(now) = self.now.filter(|_| self.part_of_one())
        {
            // "a milkshake, a medium one": no second one.
            let apart =
                (0..at).rev().find(|&b| self.segments[b].mark != Some(Kind::Comma) && !is_filling(&self.segments[b]));
            if apart.is_some_and(|b| self.heads[b]) {
                self.one = one;
                return;
            }
            let mut piece = Piece::new(at);
            piece.products = self.out.pieces[now].products.clone();
            piece.aim = Aim::New;
            piece.quantity = segment.number;
            self.push(piece);
            self.head_passed = true;
            self.calm();
            self.one = one;
            return;
        }
        if self.one == at && at > 0 {
            return;
        }
        // "two more" in two words that mean nothing else.
        if segment.number.is_some() && roles.has(Role::Another) && segment.to - segment.from > 1 {
            self.another(at);
            return;
        }
        if let Some(number) = segment.number
            && !(roles.has(Role::Extra) && self.option_is_next(at))
            && !(roles.has(Role::Without) && self.option_is_next(at))
        {
            self.number(at, number);
            return;
        }
        if roles.any(&[Role::Again, Role::Another, Role::Same]) && self.says_again(at) {
            return;
        }
        if roles.has(Role::Again) {
            let mut piece = Piece::new(at);
            piece.same = true;
            piece.another = true;
            self.push(piece);
            return;
        }
        if roles.has(Role::Another) && !(roles.has(Role::Extra) && self.option_is_next(at)) {
            self.another(at);
            return;
        }
        if roles.has(Role::Same) && self.same_option(at) {
            return;
        }
        if roles.has(Role::Same) {
            let mut piece = Piece::new(at);
            piece.same = true;
            self.push(piece);
            self.head_passed = true;
            return;
        }
        if roles.has(Role::Remove)
            && let Some(now) = self.now
            && self.out.pieces[now].is_idle()
            && (matches!(self.out.pieces[now].aim, Aim::Having | Aim::Nth(_)) || self.points_at_last(at))
        {
            self.out.pieces[now].deed = Deed::Remove;
            return;
        }
        if roles.has(Role::Make) {
            // "the tea make a green one": the first gives way to the second.
            if self.gives_way(at) && self.changes_before(at) {
                return;
            }
            if let Some(now) = self.bare_mention(at) {
                let piece = &mut self.out.pieces[now];
                piece.deed = Deed::Make;
                piece.aim = Aim::Named;
                self.calm();
                return;
            }
            // "one of them should be small"
            if self.now.is_some_and(|now| self.out.pieces[now].part && self.out.pieces[now].products.is_empty())
                && self.now.is_some_and(|now| self.out.pieces[now].wishes.is_empty())
            {
                return;
            }
            if let Some(now) = self.fewer_mention(at) {
                let piece = &mut self.out.pieces[now];
                piece.part = true;
                piece.aim = Aim::Named;
                self.calm();
                return;
            }
            // "two lattes, make one decaf": a part of what was said.
            let number = self.segments.get(at + 1).filter(|s| !s.dead && !s.is_name()).and_then(|s| s.number);
            if let (Some(number), Some(now)) = (number, self.now.filter(|_| self.part_of_one()))
                && self.out.pieces[now].quantity.is_some_and(|whole| whole > number)
                && option_or_part_follows(self.segments, self.heads, at + 1)
            {
                let mut part = Piece::new(at);
                part.products = self.out.pieces[now].products.clone();
                part.aim = Aim::New;
                part.part = true;
                part.quantity = Some(number);
                self.push(part);
                self.head_passed = true;
                self.calm();
                self.selected = at + 2;
                return;
            }
            // "with ranch, oh wait, make that mayonnaise"
            if self.corrected
                && self.option_is_next(at)
                && let Some(now) = self.now.filter(|_| self.part_of_one())
                && !self.out.pieces[now].wishes.is_empty()
            {
                return;
            }
            // "both make large": what was pointed at is made so.
            if let Some(now) = self.now
                && matches!(self.out.pieces[now].aim, Aim::All | Aim::Nth(_) | Aim::Having | Aim::Rest)
                && self.out.pieces[now].is_idle()
            {
                self.out.pieces[now].deed = Deed::Make;
                self.calm();
                return;
            }
            let mut piece = Piece::new(at);
            piece.deed = Deed::Make;
            self.push(piece);
            self.head_passed = true;
            self.calm();
            return;
        }
        if roles.has(Role::Change) {
            if self.changes_before(at) {
                return;
            }
            self.changing = true;
            self.calm();
            let mut piece = Piece::new(at);
            piece.deed = Deed::Old;
            self.push(piece);
            self.head_passed = true;
            return;
        }
        if self.changing && roles.has(Role::Into) {
            self.changing = false;
            let mut piece = Piece::new(at);
            piece.deed = Deed::New;
            self.push(piece);
            self.head_passed = true;
            self.calm();
            return;
        }
        if roles.any(&[Role::All, Role::Both, Role::Each]) {
            self.everyone(at);
            return;
        }
        if roles.has(Role::Last) && (pointing || self.now.is_none() || !self.option_is_next(at)) {
            self.aim(at, Aim::Last);
            return;
        }
        if roles.has(Role::Rest) && !self.option_is_next(at) {
            self.aim(at, Aim::Rest);
            return;
        }
        if roles.any(&[Role::With, Role::Without]) {
            self.phrase = self.now.map_or(0, |now| self.out.pieces[now].wishes.len());
        }
        if roles.any(&[Role::Without, Role::Remove, Role::Not]) {
            self.negated = true;
            self.removing = roles.has(Role::Remove) && !roles.has(Role::Without)
                || roles.has(Role::Remove) && self.out.pieces.is_empty();
            self.carried = false;
            self.amount = Amount::Normal;
            return;
        }
        // "one pie fewer"
        let counted = |b: usize| self.heads[b] || self.segments[b].number.is_some() && !self.segments[b].is_name();
        if roles.has(Role::Fewer)
            && at.checked_sub(1).is_some_and(counted)
            && self.ends_here(at)
            && let Some(now) = self.now
        {
            let bare = self.out.pieces[now].is_bare_number() && !self.around.cart.is_empty();
            let there = bare || is_in(self.around.cart, &self.out.pieces[now].products);
            let piece = &mut self.out.pieces[now];
            if there && piece.quantity.is_some() && piece.wishes.is_empty() && piece.deed == Deed::Add {
                piece.deed = Deed::Remove;
                self.calm();
                return;
            }
        }
        if roles.any(&[Role::Extra, Role::Light]) && self.amount_follows(at) {
            return;
        }
        if roles.has(Role::Extra) {
            self.amount = Amount::Extra;
        } else if roles.has(Role::Light) {
            self.amount = Amount::Light;
        } else if roles.has(Role::Neutral) {
            self.amount = Amount::Normal;
        }
        if roles.any(&[Role::And, Role::Or]) {
            if !self.carried {
                self.negated = false;
            }
            if roles.has(Role::And) && !self.carried {
                self.clause = self.now.map_or(0, |now| self.out.pieces[now].wishes.len());
            }
        } else if roles.any(&[Role::With, Role::Add, Role::But, Role::Open]) {
            // "do not add": the refusal goes on.
            let more = self.segments.get(at + 1).filter(|s| roles.has(Role::Add) && !s.dead && !s.is_name());
            if let Some(number) = more.and_then(|s| s.number)
                && head_after(self.segments, self.heads, at + 1).is_none()
                && let Some(now) = self.bare_mention(at)
            {
                let piece = &mut self.out.pieces[now];
                piece.another = true;
                piece.quantity = Some(number);
                self.selected = at + 2;
                return;
            }
            let refused = roles.has(Role::Add)
                && at.checked_sub(1).is_some_and(|b| self.segments[b].roles.any(&[Role::Without, Role::Not, Role::No]));
            if !refused {
                self.calm();
            }
            self.opened |= roles.has(Role::Open);
            if roles.has(Role::But) && !roles.has(Role::Only) {
                self.clause = self.now.map_or(0, |now| self.out.pieces[now].wishes.len());
            }
        }
        if roles.has(Role::On) {
            self.pointing = true;
        }
        if segment.unknown {
            self.calm();
        }
    }

    pub(super) fn head(&mut self, at: usize) {
        let negated = self.negated && !self.head_passed;
        let instead = std::mem::take(&mut self.instead);
        let products = self.segments[at].products.clone();
        // "extra cheese on the margherita": the wishes before belong to a line that is there already.
        let known = is_in(self.around.cart, &products)
            || self.out.pieces.iter().rev().skip(1).any(|piece| piece.products.iter().any(|p| products.contains(p)));
        let now = self.now.unwrap_or(0);
        if self.pointing && known && !negated && !self.out.pieces[now].another {
            let clause = self.out.pieces[..now]
                .last_mut()
                .map(|before| {
                    let keep = before.wishes.len().min(self.clause_before);
                    before.wishes.split_off(keep)
                })
                .unwrap_or_default();
            let piece = &mut self.out.pieces[now];
            piece.aim = Aim::Named;
            piece.wishes.extend(clause);
        }
        let piece = &mut self.out.pieces[now];
        if instead {
            piece.deed = Deed::Instead;
        } else if negated {
            piece.deed = Deed::Remove;
        }
        self.head_passed = true;
        self.carried = negated;
        self.negated = negated && self.removing;
        self.amount = Amount::Normal;
        self.count = None;
        // "the margherita with olives, please" after "change" or "make": the line is named, not added.
        let piece = &mut self.out.pieces[now];
        if piece.deed == Deed::Make && known && !piece.opened {
            let definite = previous_any(self.segments, at)
                .is_some_and(|b| self.segments[b].roles.any(&[Role::Definite, Role::On]));
            if definite {
                piece.aim = Aim::Named;
            }
        }
    }

    pub(super) fn option(&mut self, at: usize) {
        let segment = &self.segments[at];
        // "extra cheese on the Diavola half", behind a cola.
        if let Some(whole) = segment.half.and_then(|(group, _)| self.shop.makes(group))
            && self.now.is_none_or(|now| !self.out.pieces[now].products.contains(&whole))
        {
            self.push(Piece { products: vec![whole], aim: Aim::Named, ..Piece::new(at) });
            self.head_passed = true;
        }
        // "instead of regular fries" is about the fries.
        let before_head = self.edge_passed && !self.head_passed;
        let instead = !before_head && std::mem::take(&mut self.instead);
        // Within "change X to", an option is the old one.
        let products = self.now.map(|now| self.out.pieces[now].products.clone()).unwrap_or_default();
        let fitting =
            if products.is_empty() { segment.choices.clone() } else { self.shop.fitting(&products, &segment.choices) };
        if fitting.is_empty() {
            self.out.stray.push(at);
            self.calm();
            return;
        }
        if let Some(number) = self.sister(at, &fitting) {
            let mut piece = Piece::new(at);
            piece.products = products;
            piece.aim = Aim::New;
            piece.quantity = self.segments[number].number;
            self.push(piece);
            self.head_passed = true;
            self.calm();
            self.selected = number + 1;
        } else if self.is_another_kind(at, &fitting) {
            let whole = self.now.and_then(|now| self.out.pieces[now].quantity).unwrap_or(1);
            let part = Piece { part: whole > 1, quantity: Some(1), ..Piece::new(at) };
            self.push(Piece { products, aim: Aim::New, ..part });
            self.head_passed = true;
            self.calm();
        }
        let wish = Wish {
            choices: fitting,
            without: self.negated || instead,
            removed: self.removing,
            replaced: instead,
            amount: self.amount,
            count: self.count.take().unwrap_or(1),
            half: segment.half,
            at,
        };
        let exclusive = self.shop.exclusive(&wish.choices);
        let corrected = std::mem::take(&mut self.corrected);
        self.carried = self.negated;
        if !self.carry_goes_on(at) {
            self.negated = false;
            self.removing = false;
        }
        self.amount = Amount::Normal;
        let piece = self.piece(at);
        if corrected && !exclusive {
            piece.wishes.pop();
        }
        piece.wishes.push(wish);
    }

    /// Whether a negation goes on after this option: "no onions or mushrooms".
    pub(super) fn carry_goes_on(&self, at: usize) -> bool {
        self.negated
            && self.segments.get(at + 1).is_some_and(|s| s.is(Role::And) || s.is(Role::Or))
            && self.segments.get(at + 2).is_some_and(|s| !s.dead && !s.choices.is_empty() && !self.heads[at + 2])
            && !self.segments.get(at + 3).is_some_and(|s| s.is(Role::Instead))
    }

    /// Whether nothing follows within the clause.
    fn ends_here(&self, at: usize) -> bool {
        self.segments[at + 1..].iter().find(|s| s.mark.is_some() || !is_filling(s)).is_none_or(|s| s.mark.is_some())
    }

    /// "cheese extra": an amount right after its option, and before no other, is that option's.
    pub(super) fn amount_follows(&mut self, at: usize) -> bool {
        let roles = self.segments[at].roles;
        let ends = self
            .segments
            .get(at + 1)
            .is_none_or(|s| s.mark.is_some() || s.roles.any(&[Role::And, Role::But, Role::Polite]));
        let over = at.checked_sub(2).is_some_and(|b| self.segments[b].roles.any(&[Role::And, Role::Or]));
        let before = previous(self.segments, at);
        let last = self.now.and_then(|now| self.out.pieces[now].wishes.last_mut());
        match last {
            // "no onions and mayonnaise a little": the refusal went no further than the onions.
            Some(wish) if ends && wish.at + 1 == at && wish.without && over => {
                wish.without = false;
                wish.removed = false;
                wish.amount = if roles.has(Role::Extra) { Amount::Extra } else { Amount::Light };
                true
            }
            Some(wish) if ends && Some(wish.at) == before && !wish.without => {
                wish.amount = if roles.has(Role::Extra) { Amount::Extra } else { Amount::Light };
                true
            }
            _ => false,
        }
    }

    pub(super) fn option_or_amount_is_next(&self, at: usize) -> bool {
        let glue = |s: &Segment| !s.is_name() && s.roles.any(&[Role::One, Role::Of, Role::On]);
        let after = (at + 1..self.segments.len())
            .find(|&b| !self.segments[b].dead && !is_filling(&self.segments[b]) && !glue(&self.segments[b]));
        after.is_some_and(|after| !self.heads[after] && !self.segments[after].choices.is_empty())
            || after.is_some_and(|after| {
                self.segments[after].roles.any(&[Role::Extra, Role::Light]) && self.option_is_next(after)
            })
    }

    pub(super) fn option_is_next(&self, at: usize) -> bool {
        next(self.segments, at).is_some_and(|after| !self.heads[after] && !self.segments[after].choices.is_empty())
    }

    /// "no" and its like correct only in the middle of something: after an item, between marks.
    pub(super) fn is_correction(&self, at: usize) -> bool {
        let segment = &self.segments[at];
        if self.out.pieces.is_empty() {
            return false;
        }
        // "no" may refuse what follows; "no sorry" does not.
        let lone = segment.roles.has(Role::No) && segment.to - segment.from == 1;
        if lone || segment.roles.any(&[Role::Without, Role::Remove]) {
            let after = self.segments.get(at + 1).is_some_and(|s| s.mark == Some(Kind::Comma));
            return after;
        }
        true
    }
}
