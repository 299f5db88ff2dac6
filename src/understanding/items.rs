//! From segments to pieces: what each part of a message does to the cart. A product's name is the head of an item; its
//! number, article and the options before it belong to it back to the item's left edge, and what follows belongs to it
//! up to the next item's. What has no head changes a line that was named before.

use super::{
    edits::{self, Known},
    lexicon::Role,
    segment::Segment,
    shop::Shop,
    text::Kind,
};
use crate::cart::Amount;

/// Most plain words that may stand between a number and the name it counts: "six lunch pizzas".
const MOST_SKIPPED: usize = 2;

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
    fn new(from: usize) -> Piece {
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
    fn is_idle(&self) -> bool {
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
    merge_opening(&mut out.pieces, segments, shop, around);
    for piece in &mut out.pieces {
        settle_early(piece, segments);
    }
    part_kinds(&mut out.pieces);
    edits::settle(&mut out.pieces, segments, shop, around.cart, around.usual);
    out
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

/// Which segments are heads of items.
fn heads(segments: &[Segment], shop: &Shop, around: Around<'_>) -> Vec<bool> {
    let mut heads = vec![false; segments.len()];
    let mut last: Option<Vec<usize>> = None;
    for at in 0..segments.len() {
        let segment = &segments[at];
        if !segment.dead && is_phantom(segments, at) {
            heads[at] = true;
            last = None;
            continue;
        }
        if segment.dead || segment.products.is_empty() {
            continue;
        }
        if is_said_of_all(segments, at) && (was_named(segments, &heads, at) || is_in(around.cart, &segment.products)) {
            continue;
        }
        // "a pizza pie": twice the same thing in one breath.
        if at > 0 && heads[at - 1] && segments[at - 1].products == segment.products {
            continue;
        }
        heads[at] = if segment.choices.is_empty() {
            true
        } else {
            // "a big pepperoni": what counts it may stand before its size.
            let sized = |b: usize| {
                segments[b].products.is_empty()
                    && shop.exclusive(&segments[b].choices)
                    && !shop.fitting(&segment.products, &segments[b].choices).is_empty()
            };
            let mut before = previous(segments, at);
            while let Some(b) = before.filter(|&b| sized(b)) {
                before = previous(segments, b);
            }
            let counted = before.is_some_and(|b| {
                let b = &segments[b];
                b.roles.any(&[Role::SideOf, Role::Article, Role::Unit, Role::Times]) && !b.dead
                    || b.number.is_some()
                    || b.ordinal.is_some() && last.is_some()
            });
            // "margherita x2, pepperoni x1": a number of its own after a mark or "and".
            let parted = at
                .checked_sub(1)
                .is_some_and(|b| segments[b].mark.is_some_and(|mark| mark != Kind::Sign) || segments[b].is(Role::And));
            let times = |at: usize| segments.get(at).is_some_and(|s| s.is(Role::Times));
            let number = |at: usize| segments.get(at).is_some_and(|s| !s.dead && s.number.is_some());
            let counted = counted || parted && (times(at + 1) && number(at + 2) || number(at + 1) && times(at + 2));
            let with_before = before
                .and_then(|b| previous(segments, b))
                .is_some_and(|b| segments[b].is(Role::With) && !segments[b].is(Role::Add));
            let aside = next(segments, at).is_some_and(|n| segments[n].is(Role::OnSide))
                || before.is_some_and(|b| segments[b].is(Role::SideOf));
            let before_head = head_follows(segments, at, shop);
            let held = last.as_ref().is_some_and(|products| !shop.fitting(products, &segment.choices).is_empty());
            let usual = segments[..at].iter().any(|s| s.is(Role::Usual));
            let lines = if usual { around.usual } else { around.cart };
            let in_cart = last.is_none()
                && before.is_some_and(|b| {
                    // "no olives", "in the first one olives"
                    segments[b].ordinal.is_some()
                        || segments[b].roles.any(&[Role::With, Role::Without, Role::Extra, Role::Light])
                            && !segments[b].is(Role::Add)
                })
                && lines.iter().any(|line| !shop.fitting(&line.products, &segment.choices).is_empty());
            aside || !(before_head || in_cart || (held && (!counted || with_before)))
        };
        if heads[at] {
            // What is refused or given up can have nothing more.
            let refused = previous(segments, at)
                .is_some_and(|b| segments[b].roles.any(&[Role::Instead, Role::Remove]) && !segments[b].is_name());
            last = Some(segment.products.clone()).filter(|_| !refused);
        }
    }
    heads
}

/// Whether "all", "both" or "each" stands before a name: "all of those pizzas".
fn is_said_of_all(segments: &[Segment], at: usize) -> bool {
    let pointing = [Role::One, Role::Of, Role::Definite, Role::All, Role::Both, Role::Each];
    segments[..at]
        .iter()
        .rev()
        .take_while(|s| !s.dead && s.mark.is_none() && !s.is_name() && s.roles.any(&pointing))
        .any(|s| s.roles.any(&[Role::All, Role::Both, Role::Each]))
}

/// Whether a head before names one of the same products.
fn was_named(segments: &[Segment], heads: &[bool], at: usize) -> bool {
    let products = &segments[at].products;
    (0..at).any(|b| heads[b] && segments[b].products.iter().any(|p| products.contains(p)))
}

/// Whether a line of the cart is one of these products.
fn is_in(cart: &[Known], products: &[usize]) -> bool {
    cart.iter().any(|line| line.products.iter().any(|p| products.contains(p)))
}

/// Whether an unknown word stands where a product would: "a large lemonade" in a shop without lemonade.
fn is_phantom(segments: &[Segment], at: usize) -> bool {
    if !segments[at].unknown {
        return false;
    }
    let after = segments[at + 1..].iter().find(|s| !s.unknown);
    let goes_on =
        after.is_some_and(|s| !s.dead && (s.is_name() || !s.class.is_empty() || s.roles.any(&[Role::Of, Role::Unit])));
    let opened = segments[..at]
        .iter()
        .rev()
        .find(|s| {
            !(s.unknown || s.roles.any(&[Role::Extra, Role::Light]) || (!s.choices.is_empty() && s.products.is_empty()))
        })
        .is_some_and(|s| {
            !s.dead && !s.is_name() && (s.number.is_some() || s.roles.any(&[Role::Article, Role::Another]))
        });
    // "one with basil": the number counts something else.
    !goes_on && opened
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

/// Whether the segment, which may be an option, stands right before a head that can have it: "veggie burrito".
fn head_follows(segments: &[Segment], at: usize, shop: &Shop) -> bool {
    let mut place = at;
    while let Some(after) = next(segments, place) {
        let segment = &segments[after];
        if !segment.products.is_empty() && segment.choices.is_empty() {
            return !shop.fitting(&segment.products, &segments[at].choices).is_empty();
        }
        if segment.choices.is_empty() && !(segment.is(Role::And) && place != at) {
            return false;
        }
        place = after;
    }
    false
}

/// For each head's segment the segment where its item begins.
fn edges(segments: &[Segment], heads: &[bool], counted: &[Option<usize>], shop: &Shop) -> Vec<Option<usize>> {
    let mut edges = vec![None; segments.len()];
    let mut floor = 0;
    for head in 0..segments.len() {
        if !heads[head] {
            continue;
        }
        let products = &segments[head].products;
        // The run of names that touch the head; a number or an article before it marks the edge.
        let mut edge = head;
        let mut touching = true;
        let mut skipped = 0;
        // What follows "with" without a mark or a number belongs to the item before, save a size.
        let before = (0..head).rev().find(|&b| heads[b]);
        let listed = before.is_some_and(|b| segments[b..head].iter().any(|s| s.is(Role::With)));
        let mut at = head;
        while at > floor {
            at -= 1;
            let segment = &segments[at];
            if segment.dead {
                break;
            }
            let own = !segment.choices.is_empty() && !heads[at] && !shop.fitting(products, &segment.choices).is_empty();
            let counts_group = segments.get(at + 1).is_some_and(|next| !next.groups.is_empty());
            if counted[at].is_some() {
                break;
            }
            let opens = (segment.number.is_some() && !counts_group)
                || segment.roles.any(&[Role::Article, Role::Another, Role::SideOf])
                || (segment.ordinal.is_some() && at + 1 == head);
            if own {
                let taken = listed
                    && !shop.exclusive(&segment.choices)
                    && before.is_some_and(|b| !shop.fitting(&segments[b].products, &segment.choices).is_empty());
                if touching && !taken {
                    edge = at;
                } else if taken {
                    touching = false;
                }
            } else if opens {
                // "two steaks, one rare one well done, and a burger": that number parts the steaks.
                let parts = !touching
                    && edge == head
                    && segments.get(at + 1).is_some_and(|next| {
                        !next.choices.is_empty()
                            && shop.exclusive(&next.choices)
                            && before.is_some_and(|b| !shop.fitting(&segments[b].products, &next.choices).is_empty())
                    });
                if parts && segments[at].number.is_some() {
                    break;
                }
                edge = at;
                // "a large order of fries"
                if segment.roles.has(Role::SideOf) && segment.number.is_none() && !segment.roles.has(Role::Article) {
                    continue;
                }
                // "two more", "another two": both words open the item.
                let earlier = at.checked_sub(1).filter(|&b| b >= floor).map(|b| &segments[b]);
                if earlier.is_some_and(|b| !b.dead && (b.number.is_some() || b.is(Role::Another))) {
                    edge = at - 1;
                }
                break;
            } else if segment.roles.any(&[Role::Extra, Role::Light, Role::Neutral])
                && !segment.roles.any(&[Role::Definite])
            {
                if touching && at + 1 < head {
                    edge = at;
                }
            } else if segment.roles.has(Role::Definite) && !touching && segments[at + 1].is_name() {
                // "the ham and olive pizza"
                if at.checked_sub(1).is_none_or(|b| !segments[b].roles.any(&[Role::With, Role::Without])) {
                    edge = at;
                }
                break;
            } else if segment.roles.any(&[Role::Definite, Role::Times, Role::Unit, Role::Of])
                || counts_group
                || !segment.groups.is_empty()
                || !segment.class.is_empty()
                || (segment.roles.has(Role::Polite) && !segment.roles.has(Role::And) && touching)
            {
                if touching {
                    edge = at;
                }
            } else if segment.roles.any(&[Role::And, Role::Or]) || segment.mark == Some(Kind::Comma) {
                touching = false;
            } else if segment.unknown {
                // "a fountain coke": the number or article may stand before the unknown word.
                if touching {
                    edge = at;
                }
            } else if touching
                && skipped < MOST_SKIPPED
                && segment.mark.is_none()
                && (segment.is_name() && !heads[at] || segment.roles.only(&[Role::Stop, Role::Chatter, Role::Polite]))
            {
                // "six lunch pizzas", "five medium-rare steaks": a number before tells that the word belongs here.
                skipped += 1;
            } else {
                break;
            }
        }
        // Words that point, refuse or replace belong to the head they stand before; the "to" of a change does not.
        let changing = segments[..edge].iter().rev().take_while(|s| !s.ends_sentence()).any(|s| s.is(Role::Change));
        while edge > floor && leads(&segments[edge - 1], changing) {
            edge -= 1;
        }
        edges[head] = Some(edge.max(floor));
        floor = head + 1;
    }
    edges
}

/// For each number that counts the head before it that head: "margherita x 2", "margherita 2, cola 1", "geprek level
/// 3 two". A number between two heads is the first's where a mark parts it from the second, and where the message says
/// its numbers behind its names: the first name has none before it, and the last has one behind.
fn trailing(segments: &[Segment], heads: &[bool], shop: &Shop) -> Vec<Option<usize>> {
    let mut owners = vec![None; segments.len()];
    let alive = |at: usize| !segments[at].dead;
    let number = |at: usize| {
        alive(at)
            && segments[at].number.is_some()
            && !heads[at]
            && segments[at].choices.is_empty()
            && !is_refused(segments, at)
    };
    let before = |at: usize| head_before(segments, heads, at, shop);
    let Some(first) = heads.iter().position(|&head| head) else { return owners };
    let led = (0..first).rev().take_while(|&at| !segments[at].ends_sentence()).any(|at| {
        alive(at)
            && !segments[at].is_name()
            && (number(at) || segments[at].roles.any(&[Role::Article, Role::Another]))
            && head_after(segments, heads, at).is_some()
    });
    let lone = |at: usize| number(at) && before(at).is_some() && head_after(segments, heads, at).is_none();
    let behind = !led && heads.iter().rposition(|&head| head).is_some_and(|last| (last + 1..segments.len()).any(lone));
    for at in 0..segments.len() {
        if !number(at) {
            continue;
        }
        let Some(owner) = before(at) else {
            // "lobster 1, lasagne 2": that many of what the shop lacks.
            let lost = at.checked_sub(1).is_some_and(|b| segments[b].unknown && !segments[b].dead);
            let ends = head_after(segments, heads, at).is_none()
                && !option_or_part_follows(segments, heads, at)
                && heads[at..].contains(&true);
            if behind && (lost || ends) {
                owners[at] = Some(NOBODY);
            }
            continue;
        };
        // "two, no, three": the later number is meant.
        let earlier = owners.iter().position(|o| *o == Some(owner));
        if let Some(earlier) = earlier {
            let corrected = segments[earlier..at].iter().any(|s| s.is(Role::Correction) || s.is(Role::No));
            if corrected {
                owners[earlier] = Some(NOBODY);
                owners[at] = Some(owner);
            }
            continue;
        }
        let times = at.checked_sub(1).is_some_and(|b| segments[b].is(Role::Times) && !segments[b].is_name());
        let parts = option_or_part_follows(segments, heads, at);
        let own_before = (0..owner)
            .rev()
            .take_while(|&b| !heads[b] && segments[b].mark.is_none())
            .any(|b| number(b) && owners[b].is_none());
        // "with two sugars" counts the sugars.
        let of_option = parts
            && at.checked_sub(1).is_some_and(|b| is_with(&segments[b]) && !segments[b].is_name())
            && (at + 1..segments.len())
                .find(|&s| !is_filling(&segments[s]) && !segments[s].roles.any(&[Role::Unit, Role::Dose, Role::Of]))
                .is_some_and(|s| !segments[s].choices.is_empty());
        // "three pumps hazelnut"
        let of_option = of_option || segments.get(at + 1).is_some_and(|s| s.is(Role::Dose) && !s.is_name());
        // "a pizza, no, two"
        let corrected = segments[owner + 1..at].iter().any(|s| s.is(Role::Correction) || s.is(Role::No));
        if corrected && head_after(segments, heads, at).is_none() {
            let first = (0..owner).rev().take_while(|&b| !heads[b]).find(|&b| number(b));
            if let Some(first) = first {
                owners[first] = Some(NOBODY);
            }
            owners[at] = Some(owner);
            continue;
        }
        let theirs = match head_after(segments, heads, at) {
            _ if times => true,
            _ if of_option => false,
            _ if own_before => false,
            None => !parts || !led,
            Some(_) => behind,
        };
        if theirs {
            owners[at] = Some(owner);
        }
    }
    owners
}

/// Least number that is rather a strength or a size than a quantity, where the product has an option of that number.
const LEAST_NAMED: u32 = 10;

/// The owner of a number that counts what the shop does not have.
const NOBODY: usize = usize::MAX;

/// What may stand between a name and the number behind it.
const BEFORE_COUNT: [Role; 14] = [
    Role::Open,
    Role::Times,
    Role::Unit,
    Role::With,
    Role::Without,
    Role::Extra,
    Role::Light,
    Role::Not,
    Role::But,
    Role::Name,
    Role::On,
    Role::Of,
    Role::Into,
    Role::One,
];

/// Whether "not" stands before a number, or "not only".
fn is_refused(segments: &[Segment], at: usize) -> bool {
    let before = |back: usize, roles: &[Role]| {
        at.checked_sub(back).is_some_and(|b| segments[b].roles.any(roles) && !segments[b].is_name())
    };
    const REFUSING: [Role; 3] = [Role::Not, Role::Without, Role::No];
    before(1, &REFUSING) || before(1, &[Role::Only]) && before(2, &REFUSING)
}

/// The head that a number stands behind, with nothing but its options, units and courtesy between.
fn head_before(segments: &[Segment], heads: &[bool], number: usize, shop: &Shop) -> Option<usize> {
    let mut at = number;
    let mut options = Vec::new();
    let mut corrected = false;
    let portioned = segments.get(number + 1).is_some_and(|s| s.is(Role::Unit) && !s.is_name())
        && segments.get(number + 2).is_none_or(|s| s.mark.is_some() || s.is(Role::And));
    while at > 0 {
        at -= 1;
        let segment = &segments[at];
        // "two, no, three"
        if segment.is(Role::Correction) || segment.is(Role::No) && segment.choices.is_empty() {
            corrected = true;
            continue;
        }
        if corrected && (segment.number.is_some() && !segment.dead || segment.mark == Some(Kind::Comma)) {
            continue;
        }
        // "nappies, three packs, …"
        if portioned && segment.mark == Some(Kind::Comma) && at + 1 == number {
            continue;
        }
        if heads[at] {
            let fits = |option: &usize| !shop.fitting(&segment.products, &segments[*option].choices).is_empty();
            return (!segment.unknown && options.iter().all(fits)).then_some(at);
        }
        let refused = is_refused(segments, at);
        if !segment.dead && !segment.choices.is_empty() {
            options.push(at);
        } else if segment.number.is_some() && !refused
            || segment.mark.is_some_and(|mark| mark != Kind::Sign)
            || segment.unknown
            || !(is_filling(segment)
                || !segment.groups.is_empty()
                || segment.number.is_some()
                || segment.roles.any(&BEFORE_COUNT))
        {
            return None;
        }
    }
    None
}

/// The head that a number stands before, with nothing but options, units and describing words between.
fn head_after(segments: &[Segment], heads: &[bool], number: usize) -> Option<usize> {
    let mut skipped = 0;
    for at in number + 1..segments.len() {
        let segment = &segments[at];
        if heads[at] {
            return Some(at);
        }
        let glue = segment.roles.any(&[Role::Times, Role::Unit, Role::Of, Role::Definite, Role::Extra, Role::Light])
            || !segment.choices.is_empty()
            || !segment.groups.is_empty()
            || !segment.class.is_empty();
        if segment.dead || segment.mark.is_some_and(|mark| mark != Kind::Sign) || segment.number.is_some() {
            return None;
        }
        if !glue {
            skipped += 1;
            let plain = segment.unknown || segment.is_name() || is_filling(segment);
            if skipped > MOST_SKIPPED || !plain || segment.roles.any(&[Role::And, Role::With]) {
                return None;
            }
        }
    }
    None
}

/// The choice that a number behind its product names: one whose name begins with that number, where "with" or "of"
/// leads to it or it is too large for a quantity; nothing where more than one does.
fn numbered(segments: &[Segment], shop: &Shop, products: &[usize], at: usize) -> Option<(usize, usize)> {
    let segment = &segments[at];
    let number = segment.number.filter(|_| !segment.dead && segment.choices.is_empty())?;
    let led = at.checked_sub(1).is_some_and(|b| {
        !segments[b].is_name()
            && segments[b].roles.any(&[Role::With, Role::Of])
            && !segments[b].roles.any(&[Role::And, Role::Add])
    });
    // What follows is what it counts.
    let counts = segments.get(at + 1).is_some_and(|s| s.is_name() || s.unknown || s.roles.has(Role::Times));
    if counts || !(led || number >= LEAST_NAMED) {
        return None;
    }
    let mut found = shop.numbered(products, number).into_iter();
    let (Some(one), None) = (found.next(), found.next()) else { return None };
    Some(one)
}

/// Whether a segment is "with" or "without", and does not rather lead over to the next thing, as "plus" does.
fn is_with(segment: &Segment) -> bool {
    segment.roles.any(&[Role::With, Role::Without]) && !segment.roles.any(&[Role::And, Role::Add])
}

/// Whether an option, or "with" and its like, comes right after a number: "one large, one with ham".
fn option_or_part_follows(segments: &[Segment], heads: &[bool], number: usize) -> bool {
    let glue = |s: &Segment| {
        !s.is_name() && s.roles.any(&[Role::Times, Role::Unit, Role::Dose, Role::Of, Role::One, Role::On])
    };
    let after = (number + 1..segments.len()).find(|&at| !is_filling(&segments[at]) && !glue(&segments[at]));
    after.is_some_and(|at| {
        let segment = &segments[at];
        segment.mark.is_none() && !segment.dead && !heads[at] && (!segment.choices.is_empty() || is_with(segment))
    })
}

/// Whether the segment points at, refuses or replaces the head that it stands before.
fn leads(segment: &Segment, changing: bool) -> bool {
    const LEADING: [Role; 7] =
        [Role::Without, Role::Not, Role::Remove, Role::Instead, Role::On, Role::Same, Role::Definite];
    let mut others = vec![Role::With, Role::And, Role::Make, Role::Change];
    if changing {
        others.push(Role::Into);
    }
    !segment.dead && !segment.is_name() && segment.roles.any(&LEADING) && !segment.roles.any(&others)
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

struct Scan<'a> {
    segments: &'a [Segment],
    /// For each number that counts a head before it that head.
    counted: &'a [Option<usize>],
    shop: &'a Shop,
    around: Around<'a>,
    heads: &'a [bool],
    out: Pieces,
    /// The piece being read.
    now: Option<usize>,
    /// Whether the head's own item has begun, and whether its head has been read.
    edge_passed: bool,
    head_passed: bool,
    negated: bool,
    removing: bool,
    /// Whether a negation may go on over "and" or "or".
    carried: bool,
    amount: Amount,
    count: Option<u32>,
    /// The first wish of the present clause within its piece, and within the piece before an item that has just begun.
    clause: usize,
    clause_before: usize,
    /// The first wish behind the last "with" or "without" within its piece.
    phrase: usize,
    corrected: bool,
    opened: bool,
    changing: bool,
    instead: bool,
    /// Whether "on" was read just before.
    pointing: bool,
    /// Until where words that tell one line from others have been read.
    selected: usize,
    /// The "one" of "an oreo one", which stands for the product named last.
    one: usize,
}

impl Scan<'_> {
    fn start_item(&mut self, at: usize, head: usize) {
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
        let number = self.counted.iter().position(|owner| *owner == Some(head));
        piece.quantity = number
            .filter(|&at| numbered(self.segments, self.shop, &self.segments[head].products, at).is_none())
            .and_then(|number| self.segments[number].number);
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

    fn push(&mut self, piece: Piece) {
        self.out.pieces.push(piece);
        self.now = Some(self.out.pieces.len() - 1);
        self.clause = 0;
        self.phrase = 0;
    }

    /// The piece being read; one without a head where there is none.
    fn piece(&mut self, at: usize) -> &mut Piece {
        if self.now.is_none() {
            let mut piece = Piece::new(at);
            piece.opened = self.opened;
            self.push(piece);
        }
        let now = self.now.unwrap_or(0);
        &mut self.out.pieces[now]
    }

    fn calm(&mut self) {
        self.negated = false;
        self.removing = false;
        self.carried = false;
        self.amount = Amount::Normal;
        self.count = None;
    }

    fn step(&mut self, at: usize) {
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

    /// The choice of the item that a number names: "a pack of 20", "cream 20".
    fn numbered(&self, at: usize, number: u32) -> Option<(usize, usize)> {
        let piece = &self.out.pieces[self.now?];
        debug_assert_eq!(self.segments[at].number, Some(number));
        if !self.head_passed || piece.deed != Deed::Add {
            return None;
        }
        numbered(self.segments, self.shop, &piece.products, at)
    }

    /// How many the parts from this number on are together: "one with ham and one without".
    fn parts_from(&self, at: usize) -> u32 {
        let until = (at..self.segments.len()).find(|&s| self.heads[s]).unwrap_or(self.segments.len());
        (at..until)
            .filter(|&s| !self.segments[s].dead && option_or_part_follows(self.segments, self.heads, s))
            .filter_map(|s| self.segments[s].number)
            .fold(0, u32::saturating_add)
    }

    /// Whether another product follows in the clause.
    fn gives_way(&self, at: usize) -> bool {
        let Some(now) = self.now else { return false };
        let follows = (at + 1..self.segments.len()).take_while(|&s| self.segments[s].mark.is_none()).find(|&s| {
            self.heads[s] || self.segments[s].roles.any(&[Role::And, Role::With]) && !self.segments[s].is_name()
        });
        follows.is_some_and(|s| self.heads[s] && self.segments[s].products != self.out.pieces[now].products)
    }

    /// Whether "the last" stands right before: "the last item away".
    fn points_at_last(&self, at: usize) -> bool {
        let filling = |s: &&Segment| is_filling(s) || !s.is_name() && s.roles.has(Role::One);
        self.segments[..at]
            .iter()
            .rev()
            .find(|s| s.roles.has(Role::Last) || !filling(s))
            .is_some_and(|s| s.is(Role::Last))
    }

    /// Whether a number is said of each item before it: "a tonno and a funghi, two of each".
    fn each_of(&self, at: usize) -> bool {
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

    /// "repeat the same": two ways in one breath to say that the last is wanted once more.
    fn says_again(&mut self, at: usize) -> bool {
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
    fn same_option(&mut self, at: usize) -> bool {
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
    fn one_of_options(&self, at: usize) -> Option<usize> {
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
    fn half_or_rest(&self, at: usize) -> Option<Piece> {
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
        let whole = now.quantity.filter(|n| n.is_multiple_of(2));
        if item && roles.has(Role::Half) && option_or_part_follows(self.segments, self.heads, at) {
            part.quantity = Some(whole? / 2);
            return Some(part);
        }
        None
    }

    /// Where the words end that tell a line of the cart by its options: "the one with olives", and after "remove" "with
    /// olives" alone.
    fn selection(&self, at: usize) -> Option<usize> {
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
    fn select(&mut self, at: usize, until: usize) {
        let having: Vec<Vec<(usize, usize)>> =
            self.segments[at..until].iter().filter(|s| !s.choices.is_empty()).map(|s| s.choices.clone()).collect();
        self.aim(at, Aim::Having);
        if let Some(now) = self.now {
            self.out.pieces[now].having = having;
        }
        self.selected = until;
    }

    fn now_is_idle(&self) -> bool {
        self.now.is_none_or(|now| self.out.pieces[now].is_idle())
    }

    /// The piece that is nothing but the name right before, where the cart has it or the message named it earlier: "the
    /// cola" of "the cola should be large".
    fn bare_mention(&self, at: usize) -> Option<usize> {
        let now = self.now?;
        let piece = &self.out.pieces[now];
        let before = previous(self.segments, at)?;
        let bare = piece.deed == Deed::Add
            && piece.aim == Aim::New
            && piece.quantity.is_none()
            && piece.wishes.is_empty()
            && !(piece.another || piece.same || piece.part || piece.phantom);
        let joined = (before + 1..at).all(|b| self.segments[b].mark.is_none());
        let marked = self.segments[..=before].iter().skip(piece.from).any(|s| s.roles.has(Role::Article));
        let known = is_in(self.around.cart, &piece.products)
            || self.out.pieces[..now].iter().any(|p| p.products.iter().any(|at| piece.products.contains(at)));
        (bare && joined && !marked && known && self.heads[before]).then_some(now)
    }

    /// "the olives away", "onions not": a refusal behind the name that it is about, where nothing follows that it could
    /// be about. Says whether it was one.
    fn refuses_before(&mut self, at: usize) -> bool {
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
        if self.heads[before] && (mentioned || removes && piece.deed == Deed::Add && piece.quantity.is_none()) {
            piece.deed = Deed::Remove;
            if fewer.is_some() {
                piece.quantity = fewer;
                self.selected = at + 2;
            }
            self.calm();
            return true;
        }
        if removes && piece.deed == Deed::Add && piece.products.is_empty() && piece.wishes.is_empty() {
            if matches!(piece.aim, Aim::Nth(_) | Aim::All | Aim::Rest) {
                piece.deed = Deed::Remove;
                self.calm();
                return true;
            }
        }
        false
    }

    /// "the cola change to lemonade", "the ham swap for prawns": a change behind the name of the old. Says whether it
    /// was one.
    fn changes_before(&mut self, at: usize) -> bool {
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

    /// Whether a number that is also the name of an option ("2" of nappies) counts items here: it does at the left edge
    /// of an item, and where the item has no such option.
    fn counts(&self, at: usize) -> bool {
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

    fn head(&mut self, at: usize) {
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

    fn option(&mut self, at: usize) {
        let segment = &self.segments[at];
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
        }
        let wish = Wish {
            choices: fitting,
            without: self.negated || instead,
            removed: self.removing,
            replaced: instead,
            amount: self.amount,
            count: self.count.take().unwrap_or(1),
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

    /// The number behind an option that drives out one which the item has already: "cat food salmon twelve and the chicken
    /// six" are two items.
    fn sister(&self, at: usize, choices: &[(usize, usize)]) -> Option<usize> {
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

    /// Whether a negation goes on after this option: "no onions or mushrooms".
    fn carry_goes_on(&self, at: usize) -> bool {
        self.negated
            && self.segments.get(at + 1).is_some_and(|s| s.is(Role::And) || s.is(Role::Or))
            && self.segments.get(at + 2).is_some_and(|s| !s.dead && !s.choices.is_empty() && !self.heads[at + 2])
            && !self.segments.get(at + 3).is_some_and(|s| s.is(Role::Instead))
    }

    fn number(&mut self, at: usize, number: u32) {
        // "twenty four", but not "20 4".
        let spelt = !self.segments[at].digits && !at.checked_sub(1).is_some_and(|b| self.segments[b].digits);
        // "three, not two": a number that is refused counts nothing.
        if self.negated && !self.option_is_next(at) && head_after(self.segments, self.heads, at).is_none() {
            self.negated = false;
            return;
        }
        // "a two topping pizza": the number counts options yet to come.
        if self.segments.get(at + 1).is_some_and(|next| !next.groups.is_empty()) {
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
        if self.now.is_none() && of_them && option_next && !self.around.cart.is_empty() {
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
        // "two wraps, one spicy, …"
        let after_comma = at.checked_sub(1).is_some_and(|b| self.segments[b].mark == Some(Kind::Comma));
        let several = self.now.is_some_and(|now| self.out.pieces[now].quantity.is_some_and(|whole| whole > number));
        let begins_part = (option_next && exclusive && has_head)
            || after_comma && several && option_next
            || several
                && after.is_some_and(|after| after.roles.any(&[Role::Extra, Role::Light]))
                && self.option_or_amount_is_next(at)
            || (pointed || of_them) && several && self.option_or_amount_is_next(at)
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
            let told = !(parts_before || exclusive || of_them || self.parts_from(at) == whole)
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

    /// Whether a number that no head follows is a quantity: right behind its item, after a word of change, or where the
    /// message says nothing else. Beside an unknown word it is a house number, an age or the like.
    fn may_count(&self, at: usize, corrected: bool) -> bool {
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
        !self.around.choosing && self.segments.iter().all(|s| s.dead || s.mark.is_some() || is_change_word(s))
    }

    /// Whether the piece being read is an item that "one with …" can be a part of or stand beside.
    fn part_of_one(&self) -> bool {
        self.now.is_some_and(|now| {
            let piece = &self.out.pieces[now];
            !piece.products.is_empty() && matches!(piece.deed, Deed::Add)
        })
    }

    fn another(&mut self, at: usize) {
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

    fn everyone(&mut self, at: usize) {
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
    fn all_of(&mut self, at: usize) {
        self.aim(at, Aim::Named);
        let products = self.segments[at].products.clone();
        if let Some(now) = self.now {
            let piece = &mut self.out.pieces[now];
            piece.aim = Aim::Named;
            piece.products = products;
        }
    }

    /// The present clause is about a line that is there: its wishes move to a piece of their own.
    fn aim(&mut self, at: usize, aim: Aim) {
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

    /// "cheese extra": an amount right after its option, and before no other, is that option's.
    fn amount_follows(&mut self, at: usize) -> bool {
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

    fn option_or_amount_is_next(&self, at: usize) -> bool {
        let glue = |s: &Segment| !s.is_name() && s.roles.any(&[Role::One, Role::Of, Role::On]);
        let after = (at + 1..self.segments.len())
            .find(|&b| !self.segments[b].dead && !is_filling(&self.segments[b]) && !glue(&self.segments[b]));
        after.is_some_and(|after| !self.heads[after] && !self.segments[after].choices.is_empty())
            || after.is_some_and(|after| {
                self.segments[after].roles.any(&[Role::Extra, Role::Light]) && self.option_is_next(after)
            })
    }

    fn option_is_next(&self, at: usize) -> bool {
        next(self.segments, at).is_some_and(|after| !self.heads[after] && !self.segments[after].choices.is_empty())
    }

    /// "no" and its like correct only in the middle of something: after an item, between marks.
    fn is_correction(&self, at: usize) -> bool {
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

/// Whether the segment may stand beside a number that changes a line's quantity.
fn is_change_word(segment: &Segment) -> bool {
    let silent = segment.roles.is_empty() && segment.number.is_none() && segment.ordinal.is_none();
    let talk = segment.roles.has(Role::Chatter) && segment.roles.only(&[Role::Chatter, Role::Stop]);
    !(segment.unknown || silent && !segment.is_name() && segment.class.is_empty() && segment.groups.is_empty() || talk)
}

impl Piece {
    fn is_bare_number(&self) -> bool {
        self.quantity.is_some() && self.products.is_empty() && self.wishes.is_empty() && !self.another && !self.same
    }
}

/// "twenty" and "four" are 24, "two" and "hundred" 200; any other two numbers leave the second.
fn tens(before: Option<u32>, number: u32) -> u32 {
    match before {
        Some(times) if matches!(number, 100 | 1_000) && (2..1_000).contains(&times) => times.saturating_mul(number),
        Some(hundreds) if hundreds >= 100 && hundreds.is_multiple_of(100) && (1..100).contains(&number) => {
            hundreds.saturating_add(number)
        }
        Some(tens) if tens >= 20 && tens.is_multiple_of(10) && (1..10).contains(&number) => tens + number,
        _ => number,
    }
}

/// The nearest segment before, whatever it is.
fn previous_any(segments: &[Segment], at: usize) -> Option<usize> {
    (0..at).rev().find(|&b| !segments[b].dead)
}
