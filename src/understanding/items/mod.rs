//! From segments to pieces: what each part of a message does to the cart. A product's name is the head of an item; its
//! number, article and the options before it belong to it back to the item's left edge, and what follows belongs to it
//! up to the next item's. What has no head changes a line that was named before.

mod counts;
mod heads;
mod numbers;
mod pointing;
mod scan;

use self::{
    counts::trailing,
    heads::{edges, heads},
    scan::Scan,
};
use super::{
    edits::{self, Known},
    lexicon::Role,
    segment::Segment,
    shop::Shop,
    text::Kind,
};
use crate::cart::Amount;

/// What a piece of a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Adds a line, or changes the line that [`Piece::aim`] points at where no product is named.
    Add,
    /// Takes the product out, or leaves it out where it is not in.
    Remove,
    /// The product named gives way to the piece before.
    Instead,
    /// The line last named becomes this.
    Make,
    /// The old part of a change.
    Old,
    /// The new part of a change.
    New,
    /// The customer's last order is added.
    Usual,
    /// The cart is emptied.
    Clear,
}

/// Which line a piece is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// The one named last.
    Last,
    /// The first, second and so on.
    Nth(u32),
    /// Every line.
    All,
    /// Every line but the one named last.
    Rest,
    /// The last line that has the options of [`Piece::having`].
    Having,
    /// The line of [`Piece::products`].
    Named,
    /// A line of its own.
    New,
}

/// An option as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What the name may mean.
    pub choices: Vec<(usize, usize)>,
    /// To be left out.
    pub without: bool,
    /// Said with "remove": one that was chosen before is merely dropped.
    pub removed: bool,
    /// Said with "instead of".
    pub replaced: bool,
    /// How much.
    pub amount: Amount,
    /// How many.
    pub count: u32,
    /// The half that alone it is meant for.
    pub half: Option<(usize, usize)>,
    /// Its segment.
    pub at: usize,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it does.
    pub deed: Deed,
    /// Which line it is about.
    pub aim: Aim,
    /// What the head may mean; empty without a head.
    pub products: Vec<usize>,
    /// How many.
    pub quantity: Option<u32>,
    /// The options.
    pub wishes: Vec<Wish>,
    /// The options by which a line is told from others: "the one with olives".
    pub having: Vec<Vec<(usize, usize)>>,
    /// "another", "one more".
    pub another: bool,
    /// "the same": a copy of the line last named.
    pub same: bool,
    /// "one with …" after "two": so many of the piece before, not more.
    pub part: bool,
    /// "the other …" after such a part: what the piece before has left.
    pub rest: bool,
    /// Its head is a word that the shop does not know: it does nothing, but keeps its options from others.
    pub phantom: bool,
    /// Whether an order was opened before it ("I want"), so that it is no change.
    pub opened: bool,
    /// First segment.
    pub from: usize,
}

/// The pieces of a message and what could not be placed.
#[derive(Debug, Default)]
pub struct Pieces {
    /// In the order of the text.
    pub pieces: Vec<Piece>,
    /// Segments that name options which their product cannot have.
    pub stray: Vec<usize>,
}

/// What the reading knows around the message.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The cart's lines, in order.
    pub cart: &'a [Known],
    /// Those of the customer's last order.
    pub usual: &'a [Known],
    /// Whether the message asks about one product without ordering it.
    pub mentions: bool,
    /// Whether the customer was asked to choose, so that a bare number is an answer and no quantity.
    pub choosing: bool,
}

impl Piece {
    pub(super) fn new(from: usize) -> Piece {
        Piece {
            deed: Deed::Add,
            aim: Aim::Last,
            products: Vec::new(),
            quantity: None,
            wishes: Vec::new(),
            having: Vec::new(),
            another: false,
            same: false,
            part: false,
            rest: false,
            phantom: false,
            opened: false,
            from,
        }
    }

    /// Whether it says nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.products.is_empty()
            && self.quantity.is_none()
            && self.wishes.is_empty()
            && !self.another
            && !self.same
            && !matches!(self.deed, Deed::Usual | Deed::Clear | Deed::Remove)
    }
}

/// Reads the pieces of a message.
pub fn pieces(segments: &[Segment], shop: &Shop, around: Around<'_>) -> Pieces {
    let heads = heads(segments, shop, around);
    let counted = trailing(segments, &heads, shop);
    let edges = edges(segments, &heads, &counted, shop);
    let mut scan = Scan {
        segments,
        counted: &counted,
        shop,
        around,
        heads: &heads,
        out: Pieces::default(),
        now: None,
        edge_passed: false,
        head_passed: false,
        negated: false,
        removing: false,
        carried: false,
        amount: Amount::Normal,
        count: None,
        clause: 0,
        clause_before: 0,
        phrase: 0,
        corrected: false,
        opened: false,
        changing: false,
        instead: false,
        pointing: false,
        selected: 0,
        one: 0,
    };
    for (at, segment) in segments.iter().enumerate() {
        if segment.dead {
            continue;
        }
        if let Some(head) = edges.iter().position(|edge| *edge == Some(at)) {
            scan.start_item(at, head);
        }
        scan.step(at);
    }
    let mut out = scan.out;
    // What an unknown thing was to replace stays.
    for at in 1..out.pieces.len() {
        if out.pieces[at - 1].phantom && matches!(out.pieces[at].deed, Deed::Instead) {
            out.pieces[at].phantom = true;
        }
        if out.pieces[at].phantom && matches!(out.pieces[at - 1].deed, Deed::Old) {
            out.pieces[at - 1].phantom = true;
        }
    }
    out.pieces.retain(|piece| !piece.phantom && !piece.is_idle());
    share_names(&mut out.pieces, segments, shop);
    merge_opening(&mut out.pieces, segments, shop, around);
    for piece in &mut out.pieces {
        settle_early(piece, segments);
    }
    drop_headings(&mut out.pieces, segments);
    part_kinds(&mut out.pieces);
    edits::settle(&mut out.pieces, segments, shop, around.cart, around.usual);
    out
}

impl Piece {
    pub(super) fn is_bare_number(&self) -> bool {
        self.quantity.is_some() && self.products.is_empty() && self.wishes.is_empty() && !self.another && !self.same
    }
}

/// "pancakes: two with jam, one with honey": a bare name before a mark, of which as many follow as their numbers say.
fn drop_headings(pieces: &mut Vec<Piece>, segments: &[Segment]) {
    let mut at = 0;
    while at + 1 < pieces.len() {
        let (heading, next) = (&pieces[at], &pieces[at + 1]);
        let plain = |piece: &Piece| piece.deed == Deed::Add && piece.aim == Aim::New && !piece.another && !piece.same;
        let bare = plain(heading) && heading.quantity.is_none() && heading.wishes.is_empty() && !heading.part;
        let counted =
            plain(next) && next.quantity.is_some() && !next.wishes.is_empty() && next.products == heading.products;
        let between = &segments[heading.from..next.from];
        let marked = between.last().is_some_and(|s| s.mark == Some(Kind::Comma));
        let article = between.iter().any(|s| s.roles.has(Role::Article));
        if bare && counted && marked && !article {
            let heading = pieces.remove(at);
            pieces[at..].iter_mut().take_while(|piece| piece.products == heading.products).for_each(|p| p.part = false);
        } else {
            at += 1;
        }
    }
}

/// "three shakes, two chocolate and one vanilla": what is one of several is what the items behind it say, where they are
/// as many.
fn part_kinds(pieces: &mut Vec<Piece>) {
    let mut at = 0;
    while at < pieces.len() {
        let whole = &pieces[at];
        let (deed, aim, of, quantity) = (whole.deed, whole.aim, whole.products.clone(), whole.quantity);
        let kinds: Vec<usize> = (at + 1..pieces.len())
            .take_while(|&next| {
                let kind = &pieces[next];
                kind.deed == Deed::Add
                    && kind.aim == Aim::New
                    && kind.products.len() < of.len()
                    && !kind.products.is_empty()
                    && kind.products.iter().all(|product| of.contains(product))
            })
            .collect();
        let sum = kinds.iter().map(|&kind| pieces[kind].quantity.unwrap_or(1)).fold(0, u32::saturating_add);
        if deed == Deed::Add && aim == Aim::New && of.len() > 1 && quantity.is_some_and(|n| n > 1 && n == sum) {
            let wishes = pieces.remove(at).wishes;
            for kind in kinds {
                pieces[kind - 1].wishes.splice(0..0, wishes.iter().cloned());
            }
        } else {
            at += 1;
        }
    }
}

/// "a large and a small coke": what has but a number or an article and options is one of what follows.
fn share_names(pieces: &mut [Piece], segments: &[Segment], shop: &Shop) {
    for at in 1..pieces.len() {
        let (before, after) = pieces.split_at_mut(at);
        let (first, second) = (&mut before[at - 1], &after[0]);
        let bare = first.deed == Deed::Add && first.aim == Aim::Last && first.products.is_empty() && !first.part;
        let counted = first.from.checked_sub(1).map_or(first.from, |b| b);
        let counts =
            first.quantity.is_some() || segments[counted..=first.from].iter().any(|s| s.roles.has(Role::Article));
        let joined = second.from.checked_sub(1).is_some_and(|b| segments[b].roles.has(Role::And));
        let item = second.deed == Deed::Add && second.aim == Aim::New && !second.products.is_empty();
        let fits = !first.wishes.is_empty()
            && first.wishes.iter().all(|wish| shop.exclusive(&shop.fitting(&second.products, &wish.choices)))
            && first.wishes.iter().all(|wish| !shop.fitting(&second.products, &wish.choices).is_empty());
        if bare && counts && joined && item && fits && !first.same && !first.another {
            first.products = second.products.clone();
            first.aim = Aim::New;
        }
    }
}

/// "olives and ham in a small pizza": options before a head that has neither number nor article belong to it.
fn merge_opening(pieces: &mut Vec<Piece>, segments: &[Segment], shop: &Shop, around: Around<'_>) {
    let [first, second, ..] = pieces.as_mut_slice() else { return };
    let bare = first.deed == Deed::Add && first.aim == Aim::Last && first.products.is_empty() && !first.another;
    let joins = second.deed == Deed::Add && second.aim == Aim::New && second.quantity.is_none() && !second.part;
    // "add bacon to a patty melt"
    let led = |at: usize| segments[at].roles.any(&[Role::On, Role::Into]) && !segments[at].is_name();
    let onto = led(second.from) || second.from.checked_sub(1).is_some_and(led);
    let marked = segments[second.from].roles.any(&[Role::Article, Role::Another]) && !onto;
    let fits = !first.wishes.is_empty()
        && first.wishes.iter().all(|wish| !shop.fitting(&second.products, &wish.choices).is_empty());
    if around.cart.is_empty() && bare && !first.same && joins && !marked && fits {
        let first = pieces.remove(0);
        let second = &mut pieces[0];
        second.quantity = first.quantity;
        for mut wish in first.wishes.into_iter().rev() {
            wish.choices = shop.fitting(&second.products, &wish.choices);
            second.wishes.insert(0, wish);
        }
    }
}

/// "a bean burrito with black beans": what the head's own description left open, its list settles.
fn settle_early(piece: &mut Piece, segments: &[Segment]) {
    let Some(head) = (piece.from..segments.len()).find(|&at| segments[at].products == piece.products) else { return };
    let settled: Vec<(usize, usize)> = piece
        .wishes
        .iter()
        .filter(|wish| wish.at > head && !wish.without)
        .filter_map(|wish| match wish.choices[..] {
            [one] => Some(one),
            _ => None,
        })
        .collect();
    piece.wishes.retain(|wish| {
        wish.at > head || wish.choices.len() < 2 || !wish.choices.iter().any(|choice| settled.contains(choice))
    });
}

/// The nearest segment before that is neither used up nor mere courtesy.
fn previous(segments: &[Segment], at: usize) -> Option<usize> {
    (0..at).rev().find(|&b| !segments[b].dead && !is_filling(&segments[b]))
}

/// The nearest segment after that is neither used up nor mere courtesy.
fn next(segments: &[Segment], at: usize) -> Option<usize> {
    (at + 1..segments.len()).find(|&b| !segments[b].dead && !is_filling(&segments[b]))
}

/// Whether the segment says nothing in an order.
fn is_filling(segment: &Segment) -> bool {
    segment.mark == Some(Kind::Sign)
        || (segment.mark.is_none()
            && !segment.is_name()
            && !segment.unknown
            && segment.number.is_none()
            && segment.roles.only(&[Role::Polite, Role::Stop, Role::Chatter, Role::Definite, Role::Yes]))
}

/// Whether the segment may stand beside a number that changes a line's quantity.
fn is_change_word(segment: &Segment) -> bool {
    let silent = segment.roles.is_empty() && segment.number.is_none() && segment.ordinal.is_none();
    let talk = segment.roles.has(Role::Chatter) && segment.roles.only(&[Role::Chatter, Role::Stop]);
    !(segment.unknown || silent && !segment.is_name() && segment.class.is_empty() && segment.groups.is_empty() || talk)
}

/// The nearest segment before, whatever it is.
fn previous_any(segments: &[Segment], at: usize) -> Option<usize> {
    (0..at).rev().find(|&b| !segments[b].dead)
}
