//! What the pieces of a message make of the cart. New lines are kept apart until the end, so that "the last one" and
//! "both" mean what was just said, and a change of a line that was there is a change of that line alone.

use super::{
    items::{Aim, Deed, Piece, Wish},
    shop::Shop,
};
use crate::{
    cart::{Amount, Cart, Chosen, Line, Pick},
    catalog::HALVES,
    id::ChoiceId,
};

/// Most of one thing that a message can ask for; a larger number is taken for a slip of the finger. A wedding's worth.
pub const MOST_OF_A_LINE: u32 = 99_999;

/// Most products that an order of options alone may mean: beyond, it says too little to ask about.
const MOST_INFERRED: usize = 8;

/// The cart after a message, and how it was come by.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The cart.
    pub cart: Cart,
    /// Whether any piece did something.
    pub acted: bool,
    /// Whether a product was inferred from its options alone.
    pub inferred: bool,
    /// Segments whose wishes found no line to go to.
    pub homeless: Vec<usize>,
}

struct Work<'a> {
    shop: &'a Shop,
    old: Vec<Line>,
    fresh: Vec<Line>,
    /// The line named last, where it is one of the old ones.
    last_old: Option<usize>,
    /// The fresh line that "one with …" is a part of.
    parent: Option<usize>,
    /// Whether parts of it were told already.
    parted: bool,
    /// Quantity of the line that a change or an "instead" took away.
    freed: Option<Line>,
    old_wishes: Vec<Wish>,
    acted: bool,
    inferred: bool,
    homeless: Vec<usize>,
    mentioned: &'a [usize],
    /// Whether a line was taken out.
    removed: bool,
}

/// Applies the pieces to a cart. What the message merely mentioned ("is the bolognese nice?") is what an order of
/// options alone is of.
pub fn apply(pieces: &[Piece], cart: &Cart, usual: &Cart, mentioned: &[usize], shop: &Shop) -> Outcome {
    let mut work = Work {
        shop,
        old: cart.lines.clone(),
        fresh: Vec::new(),
        last_old: None,
        parent: None,
        parted: false,
        freed: None,
        old_wishes: Vec::new(),
        acted: false,
        inferred: false,
        homeless: Vec::new(),
        mentioned,
        removed: false,
    };
    for piece in pieces {
        work.piece(piece, usual);
    }
    let mut cart = Cart { lines: work.old }.joined();
    for line in work.fresh.into_iter().filter(|line| line.quantity > 0) {
        cart.add(line);
    }
    // "make the cola 0" takes it out.
    cart.lines.retain(|line| line.quantity > 0);
    for line in &mut cart.lines {
        line.quantity = line.quantity.min(MOST_OF_A_LINE);
    }
    Outcome { cart, acted: work.acted, inferred: work.inferred, homeless: work.homeless }
}

impl Work<'_> {
    fn piece(&mut self, piece: &Piece, usual: &Cart) {
        match piece.deed {
            Deed::Clear => {
                self.old.clear();
                self.fresh.clear();
                self.last_old = None;
                self.parent = None;
                self.parted = false;
                self.acted = true;
            }
            Deed::Usual => {
                self.fresh.extend(usual.lines.iter().cloned());
                self.parent = None;
                self.acted = true;
            }
            Deed::Remove if !piece.products.is_empty() => self.remove(piece),
            Deed::Remove => self.remove_aimed(piece),
            Deed::Instead => self.instead(piece),
            Deed::Old => self.take_old(piece),
            Deed::New => self.put_new(piece),
            Deed::Make => self.make(piece),
            // "same again" where nothing is in the cart: the last order.
            Deed::Add if piece.same && piece.wishes.is_empty() && self.all().is_empty() && !usual.is_empty() => {
                self.fresh.extend(usual.lines.iter().cloned());
                self.acted = true;
            }
            Deed::Add if piece.same => self.same(piece),
            Deed::Add if piece.aim == Aim::Named && piece.part => self.split_off(piece),
            Deed::Add if piece.aim == Aim::Named => {
                self.change_lines(&self.lines_of(&piece.products), piece, false);
            }
            Deed::Add if !piece.products.is_empty() => self.item(piece),
            Deed::Add if piece.another => self.one_more(piece),
            Deed::Add => self.edit(piece),
        }
    }

    /// A new line, or a part of the one before.
    fn item(&mut self, piece: &Piece) {
        self.acted = true;
        let quantity = piece.quantity.unwrap_or(1).min(MOST_OF_A_LINE);
        if quantity == 0 {
            return;
        }
        if piece.rest
            && let Some(parent) = self.parent.filter(|&parent| self.fresh[parent].quantity > 0)
        {
            let mut line = self.fresh[parent].clone();
            self.wish_all(&mut line, &piece.wishes);
            self.fresh[parent] = line;
            return;
        }
        if piece.part
            && let Some(parent) = self.parent
            && self.fresh[parent].quantity >= quantity
            && (self.fresh[parent].quantity > 1 || self.parted)
        {
            self.parted = true;
            let mut line = self.fresh[parent].clone();
            self.fresh[parent].quantity -= quantity;
            line.quantity = quantity;
            self.wish_all(&mut line, &piece.wishes);
            self.fresh.push(line);
            return;
        }
        if piece.another && piece.wishes.is_empty() {
            let lines = self.lines_of(&piece.products);
            if let [one] = lines[..] {
                let line = self.line(one);
                line.quantity = line.quantity.saturating_add(quantity);
                self.name(one);
                return;
            }
        }
        let mut line = Line { product: self.shop.product_pick(&piece.products), quantity, options: Vec::new() };
        self.wish_all(&mut line, &piece.wishes);
        if let Some(freed) = self.freed.take()
            && piece.quantity.is_none()
        {
            line.quantity = freed.quantity;
        }
        self.fresh.push(line);
        self.parent = Some(self.fresh.len() - 1);
        self.parted = false;
        self.last_old = None;
    }

    /// "one more", "another with ham": of the line named last.
    fn one_more(&mut self, piece: &Piece) {
        let Some(&last) = self.aimed(piece).first() else { return };
        self.acted = true;
        let quantity = piece.quantity.unwrap_or(1).min(MOST_OF_A_LINE);
        if piece.wishes.is_empty() {
            let line = self.line(last);
            line.quantity = line.quantity.saturating_add(quantity);
            return;
        }
        let mut line = Line { quantity, ..self.line(last).clone() };
        line.options.clear();
        self.wish_all(&mut line, &piece.wishes);
        self.fresh.push(line);
        self.last_old = None;
    }

    /// "the same", "the same but small".
    fn same(&mut self, piece: &Piece) {
        let Some(last) = self.last() else { return };
        self.acted = true;
        let quantity = piece.quantity.unwrap_or(1).min(MOST_OF_A_LINE);
        if piece.wishes.is_empty() {
            let line = self.line(last);
            line.quantity = line.quantity.saturating_add(quantity);
            return;
        }
        let mut line = Line { quantity, ..self.line(last).clone() };
        self.wish_all(&mut line, &piece.wishes);
        self.fresh.push(line);
        self.last_old = None;
    }

    /// What has no head: options and numbers for lines that are there, or an order of options alone.
    fn edit(&mut self, piece: &Piece) {
        let lines = match piece.aim {
            Aim::Nth(_) | Aim::All | Aim::Rest | Aim::Having => self.aimed(piece),
            Aim::Last | Aim::New | Aim::Named if piece.part => {
                self.split_off(piece);
                return;
            }
            Aim::Last | Aim::New | Aim::Named => {
                let nothing_named = self.fresh.is_empty() && self.last_old.is_none();
                let begins = self.all().is_empty() || (nothing_named && piece.opened && piece.quantity.is_some());
                if begins {
                    self.infer(piece);
                    return;
                }
                self.last().into_iter().collect()
            }
        };
        if let (Aim::Nth(n), [], [only]) = (piece.aim, &lines[..], &self.all()[..])
            && self.get(*only).quantity >= n
            && !piece.wishes.is_empty()
        {
            // "no onions on the second", of two of one line.
            self.split_off(&Piece { aim: Aim::Last, quantity: Some(1), ..piece.clone() });
            return;
        }
        if lines.is_empty() {
            self.homeless.extend(piece.wishes.iter().map(|wish| wish.at));
            return;
        }
        if let [one] = lines[..]
            && self.is_of_several(one, piece)
        {
            self.split_off(piece);
            return;
        }
        if let Aim::Nth(_) = piece.aim
            && let [one] = lines[..]
        {
            self.name(one);
        }
        self.change_lines(&lines, piece, piece.aim == Aim::Last);
    }

    /// The lines that a piece is about.
    fn aimed(&self, piece: &Piece) -> Vec<usize> {
        match piece.aim {
            Aim::Nth(n) => self.nth(n),
            Aim::All => self.all(),
            Aim::Named if !piece.products.is_empty() => self.lines_of(&piece.products),
            Aim::Rest => {
                let last = self.last();
                self.all().into_iter().filter(|at| Some(*at) != last).collect()
            }
            Aim::Having => {
                let has = |at: &usize| piece.having.iter().all(|choices| self.has(*at, choices));
                (0..self.old.len() + self.fresh.len()).rev().find(has).into_iter().collect()
            }
            Aim::Last | Aim::New | Aim::Named => self.last().into_iter().collect(),
        }
    }

    /// Whether a number with options is said of fewer than a line has: "one with mushrooms", of three.
    fn is_of_several(&self, at: usize, piece: &Piece) -> bool {
        !piece.wishes.is_empty() && piece.quantity.is_some_and(|n| (1..self.get(at).quantity).contains(&n))
    }

    /// "one of them gluten free": so many of the line become a line of their own.
    fn split_off(&mut self, piece: &Piece) {
        let quantity = piece.quantity.unwrap_or(1);
        let Some(&at) = self.aimed(piece).last() else { return };
        self.acted = true;
        let mut line = self.get(at).clone();
        if quantity >= line.quantity {
            self.change_lines(&[at], &Piece { quantity: None, ..piece.clone() }, false);
            return;
        }
        self.line(at).quantity -= quantity;
        line.quantity = quantity;
        self.wish_all(&mut line, &piece.wishes);
        self.fresh.push(line);
    }

    /// Changes lines; a wish that none of them can have goes, where `stray` allows, to the last line that can.
    fn change_lines(&mut self, lines: &[usize], piece: &Piece, stray: bool) {
        if let Some(quantity) = piece.quantity
            && quantity > 0
        {
            for &at in lines {
                self.line(at).quantity = quantity.min(MOST_OF_A_LINE);
                self.acted = true;
            }
        }
        for wish in &piece.wishes {
            let mut fitting: Vec<usize> = lines.iter().copied().filter(|&at| self.fits(at, wish)).collect();
            // "without olives", said of several: of those that have them.
            if wish.without && fitting.len() > 1 {
                let having: Vec<usize> = fitting.iter().copied().filter(|&at| self.has(at, &wish.choices)).collect();
                if !having.is_empty() {
                    fitting = having;
                }
            }
            if fitting.is_empty() && stray {
                fitting.extend(self.all().into_iter().rev().find(|&at| self.fits(at, wish)));
            }
            if fitting.is_empty() {
                self.homeless.push(wish.at);
            }
            for at in fitting {
                let mut line = self.line(at).clone();
                self.wish(&mut line, wish);
                *self.line(at) = line;
                self.acted = true;
            }
        }
    }

    /// "two large with ham": the products that can have all of it.
    fn infer(&mut self, piece: &Piece) {
        if let ([product], true, true) = (self.mentioned, piece.wishes.is_empty(), piece.opened) {
            self.item(&Piece { products: vec![*product], ..piece.clone() });
            return;
        }
        let told = piece.wishes.iter().any(|wish| !wish.without);
        let mut products: Vec<usize> = (0..self.shop.products.len())
            .filter(|&product| piece.wishes.iter().all(|wish| !self.shop.fitting(&[product], &wish.choices).is_empty()))
            .collect();
        if products.iter().any(|product| self.mentioned.contains(product)) {
            products.retain(|product| self.mentioned.contains(product));
        }
        let meant = piece.opened || piece.wishes.len() >= 2;
        if !told || products.is_empty() || products.len() > MOST_INFERRED || (products.len() > 1 && !meant) {
            self.homeless.extend(piece.wishes.iter().map(|wish| wish.at));
            return;
        }
        self.inferred = true;
        self.item(&Piece { products, another: false, ..piece.clone() });
    }

    fn remove(&mut self, piece: &Piece) {
        self.acted = true;
        self.removed = true;
        let mut lines = self.lines_of(&piece.products);
        if !piece.wishes.is_empty() {
            lines.retain(|&at| piece.wishes.iter().all(|wish| self.has(at, &wish.choices)));
        }
        if lines.len() > 1 {
            lines = lines.split_off(lines.len() - 1);
        }
        for at in lines {
            self.take_out(at, piece.quantity);
        }
    }

    fn remove_aimed(&mut self, piece: &Piece) {
        let lines = self.aimed(piece);
        if !piece.wishes.is_empty() {
            self.change_lines(&lines, piece, false);
            return;
        }
        for at in lines.into_iter().rev() {
            self.acted = true;
            self.take_out(at, piece.quantity);
        }
    }

    /// "a fanta instead of the cola": the cola goes, the fanta is as many.
    fn instead(&mut self, piece: &Piece) {
        self.acted = true;
        let before = self.fresh.len().checked_sub(1);
        let old: Vec<usize> = self
            .lines_of(&piece.products)
            .into_iter()
            .filter(|&at| Some(at) != before.map(|b| self.old.len() + b))
            .collect();
        if let Some(&at) = old.last() {
            let line = self.line(at).clone();
            self.take_out(at, None);
            match self.fresh.last_mut() {
                Some(new) if new.quantity == 1 => new.quantity = line.quantity,
                Some(_) => {}
                None => self.freed = Some(line),
            }
        }
    }

    fn take_old(&mut self, piece: &Piece) {
        self.acted = true;
        if piece.products.is_empty() {
            self.old_wishes = piece.wishes.clone();
            return;
        }
        if let Some(&at) = self.lines_of(&piece.products).last() {
            self.freed = Some(self.line(at).clone());
            self.name(at);
        }
        self.old_wishes = piece.wishes.clone();
    }

    fn put_new(&mut self, piece: &Piece) {
        self.acted = true;
        let named = self.last();
        match self.freed.take() {
            // "change the margherita to a pepperoni": the line keeps its number and what the new one can have too.
            Some(old) if !piece.products.is_empty() => {
                let mut line = Line {
                    product: self.shop.product_pick(&piece.products),
                    quantity: piece.quantity.unwrap_or(old.quantity).min(MOST_OF_A_LINE),
                    options: Vec::new(),
                };
                line.options = self.kept(&old, &piece.products);
                self.wish_all(&mut line, &piece.wishes);
                if let Some(at) = named {
                    *self.line(at) = line;
                }
            }
            _ if !piece.products.is_empty() => self.item(piece),
            _ => {
                let old = std::mem::take(&mut self.old_wishes);
                let lines: Vec<usize> = named.into_iter().collect();
                let mut change = piece.clone();
                change.wishes.splice(
                    0..0,
                    old.into_iter().map(|mut wish| {
                        wish.without = true;
                        wish.removed = true;
                        wish
                    }),
                );
                self.change_lines(&lines, &change, true);
            }
        }
    }

    /// "make that three", "make the margherita large", "make it a pepperoni".
    fn make(&mut self, piece: &Piece) {
        // "drop the beer, make it a lemonade": what it is to replace is gone already.
        if self.removed && !piece.products.is_empty() && matches!(piece.aim, Aim::Last | Aim::New) {
            self.item(piece);
            return;
        }
        let lines = self.aimed(piece);
        if let [one] = lines[..]
            && piece.products.is_empty()
            && self.is_of_several(one, piece)
        {
            self.split_off(piece);
            return;
        }
        if lines.is_empty() {
            match piece.products.is_empty() {
                true => self.infer(&Piece { opened: true, ..piece.clone() }),
                false => self.item(piece),
            }
            return;
        }
        if !piece.products.is_empty() && piece.aim != Aim::Named {
            self.acted = true;
            for at in lines {
                let old = self.line(at).clone();
                let same = self.shop.products_of(&old) == piece.products;
                let mut line = Line {
                    product: self.shop.product_pick(&piece.products),
                    quantity: piece.quantity.unwrap_or(old.quantity).min(MOST_OF_A_LINE),
                    options: if same { old.options } else { self.kept(&old, &piece.products) },
                };
                self.wish_all(&mut line, &piece.wishes);
                *self.line(at) = line;
            }
            return;
        }
        self.change_lines(&lines, piece, true);
    }

    /// Options of a line that another product can have too.
    fn kept(&self, line: &Line, products: &[usize]) -> Vec<Chosen> {
        line.options
            .iter()
            .filter(|option| {
                self.shop
                    .group(&option.group)
                    .is_some_and(|g| products.iter().any(|&p| self.shop.groups_of[p].contains(&g)))
            })
            .cloned()
            .collect()
    }

    fn wish_all(&self, line: &mut Line, wishes: &[Wish]) {
        for wish in wishes {
            self.wish(line, wish);
        }
    }

    fn wish(&self, line: &mut Line, wish: &Wish) {
        let fitting = self.shop.fitting(&self.shop.products_of(line), &wish.choices);
        let Some((group, choice)) = self.shop.choice_pick(&fitting) else { return };
        let exclusive = self.shop.exclusive(&fitting);
        let half = wish.half.and_then(|(group, at)| self.shop.half_of(group, at));
        let chosen = Chosen { group, choice, amount: wish.amount, without: wish.without, count: wish.count, half };
        let had = line.options.iter().position(|option| same_choice(option, &chosen));
        if let Some(had) = had {
            let old = line.options.remove(had);
            let given_up = wish.removed || wish.replaced && exclusive;
            if chosen.without && given_up && !old.without {
                return;
            }
        }
        if exclusive && !chosen.without {
            line.options.retain(|option| option.group != chosen.group || option.without);
        }
        // Two halves are a whole: the one from before makes room.
        if self.shop.group(&chosen.group).is_some_and(|group| self.shop.makes(group).is_some()) {
            let of_group = |option: &Chosen| option.group == chosen.group;
            if line.options.iter().filter(|option| of_group(option)).count() >= HALVES as usize {
                let first = line.options.iter().position(of_group).map(|first| line.options.remove(first));
                // What was wished for it alone goes with it.
                let gone = first.and_then(|first| Some(first.choice.settled()?.as_str().to_owned()));
                line.options
                    .retain(|option| option.half.as_ref().is_none_or(|half| Some(half.as_str()) != gone.as_deref()));
            }
        }
        line.options.push(chosen);
        // "blue, not red": where one choice drives out another, what was chosen says it all.
        if exclusive && !wish.replaced {
            let group = line.options[line.options.len() - 1].group.clone();
            if line.options.iter().any(|option| option.group == group && !option.without) {
                line.options.retain(|option| option.group != group || !option.without);
            }
        }
    }

    fn fits(&mut self, at: usize, wish: &Wish) -> bool {
        let line = self.line(at).clone();
        !self.shop.fitting(&self.shop.products_of(&line), &wish.choices).is_empty()
    }

    /// Whether a line has one of these choices.
    fn has(&self, at: usize, choices: &[(usize, usize)]) -> bool {
        let ids: Vec<&ChoiceId> =
            choices.iter().map(|&(group, choice)| &self.shop.groups[group].choices[choice]).collect();
        self.get(at).options.iter().any(|option| option.choice.settled().is_some_and(|id| ids.contains(&id)))
    }

    fn take_out(&mut self, at: usize, quantity: Option<u32>) {
        if let Some(quantity) = quantity
            && self.line(at).quantity > quantity
        {
            self.line(at).quantity -= quantity;
            return;
        }
        if at < self.old.len() {
            self.old.remove(at);
            self.last_old = None;
        } else {
            // Places of fresh lines stay what they are; a line of none is dropped at the end.
            self.line(at).quantity = 0;
        }
    }

    /// A line by place.
    fn get(&self, at: usize) -> &Line {
        let old = self.old.len();
        if at < old { &self.old[at] } else { &self.fresh[at - old] }
    }

    /// Lines by place: the old ones, then the fresh.
    fn line(&mut self, at: usize) -> &mut Line {
        let old = self.old.len();
        if at < old { &mut self.old[at] } else { &mut self.fresh[at - old] }
    }

    fn all(&self) -> Vec<usize> {
        let live = |at: &usize| *at < self.old.len() || self.fresh[at - self.old.len()].quantity > 0;
        let all = 0..self.old.len() + self.fresh.len();
        // What was just said comes before what was there.
        let fresh: Vec<usize> = (self.old.len()..all.end).filter(live).collect();
        if fresh.is_empty() { all.filter(live).collect() } else { fresh }
    }

    fn last(&self) -> Option<usize> {
        match (self.fresh.iter().rposition(|line| line.quantity > 0), self.last_old) {
            (Some(at), _) => Some(self.old.len() + at),
            (None, Some(at)) if at < self.old.len() => Some(at),
            (None, _) => self.old.len().checked_sub(1),
        }
    }

    fn nth(&self, n: u32) -> Vec<usize> {
        let live: Vec<usize> = (0..self.old.len() + self.fresh.len())
            .filter(|&at| at < self.old.len() || self.fresh[at - self.old.len()].quantity > 0)
            .collect();
        (n as usize).checked_sub(1).and_then(|at| live.get(at)).copied().into_iter().collect()
    }

    fn name(&mut self, at: usize) {
        if at < self.old.len() {
            self.last_old = Some(at);
        }
    }

    fn lines_of(&self, products: &[usize]) -> Vec<usize> {
        let of = |line: &Line| self.shop.products_of(line).iter().any(|p| products.contains(p));
        let old = (0..self.old.len()).filter(|&at| of(&self.old[at]));
        let fresh = (0..self.fresh.len()).filter(|&at| of(&self.fresh[at]) && self.fresh[at].quantity > 0);
        old.chain(fresh.map(|at| at + self.old.len())).collect()
    }
}

/// Whether two options are about the same choice, whatever they wish of it. Only "no extra" leaves the plain one be.
fn same_choice(a: &Chosen, b: &Chosen) -> bool {
    let no_extra = |o: &Chosen| o.without && o.amount != Amount::Normal;
    let settled = match (&a.choice, &b.choice) {
        (Pick::One(a), Pick::One(b)) => a == b,
        (a, b) => a == b,
    };
    a.group == b.group && settled && a.half == b.half && no_extra(a) == no_extra(b)
}
