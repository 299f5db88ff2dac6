//! Which names are the heads of items, and where the item of each begins: at its number or article, at the options
//! before it, at the last word that belongs to it.

use super::{Around, next, previous};
use crate::understanding::{edits::Known, lexicon::Role, segment::Segment, shop::Shop, text::Kind};

/// Most plain words that may stand between a number and the name it counts: "six lunch pizzas".
pub(super) const MOST_SKIPPED: usize = 2;

/// Which segments are heads of items.
pub(super) fn heads(segments: &[Segment], shop: &Shop, around: Around<'_>) -> Vec<bool> {
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
pub(super) fn is_said_of_all(segments: &[Segment], at: usize) -> bool {
    let pointing = [Role::One, Role::Of, Role::Definite, Role::All, Role::Both, Role::Each];
    segments[..at]
        .iter()
        .rev()
        .take_while(|s| !s.dead && s.mark.is_none() && !s.is_name() && s.roles.any(&pointing))
        .any(|s| s.roles.any(&[Role::All, Role::Both, Role::Each]))
}

/// Whether a head before names one of the same products.
pub(super) fn was_named(segments: &[Segment], heads: &[bool], at: usize) -> bool {
    let products = &segments[at].products;
    (0..at).any(|b| heads[b] && segments[b].products.iter().any(|p| products.contains(p)))
}

/// Whether a line of the cart is one of these products.
pub(super) fn is_in(cart: &[Known], products: &[usize]) -> bool {
    cart.iter().any(|line| line.products.iter().any(|p| products.contains(p)))
}

/// Whether an unknown word stands where a product would: "a large lemonade" in a shop without lemonade.
pub(super) fn is_phantom(segments: &[Segment], at: usize) -> bool {
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

/// Whether the segment, which may be an option, stands right before a head that can have it: "veggie burrito".
pub(super) fn head_follows(segments: &[Segment], at: usize, shop: &Shop) -> bool {
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
pub(super) fn edges(
    segments: &[Segment],
    heads: &[bool],
    counted: &[Option<usize>],
    shop: &Shop,
) -> Vec<Option<usize>> {
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
            // "two pizzas margherita": the class is used up, and the number is the margheritas'.
            if segment.dead {
                if segment.class.is_empty() || !touching {
                    break;
                }
                continue;
            }
            let own = !segment.choices.is_empty() && !heads[at] && !shop.fitting(products, &segment.choices).is_empty();
            let counts_group = counts_group(segments, at, shop);
            if counted[at].is_some() {
                break;
            }
            let opens = (segment.number.is_some() && !counts_group)
                || segment.roles.any(&[Role::Article, Role::Another, Role::SideOf])
                || (segment.ordinal.is_some() && at + 1 == head);
            // "make it eight, and a salad": that number is not the salad's.
            let next = &segments[at + 1];
            let parted = opens && !touching && next.mark == Some(Kind::Comma);
            if parted && segments[at + 2..head].first().is_some_and(|s| s.roles.has(Role::And)) {
                break;
            }
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
                // "and I just plasters": what stands before is somebody else's.
                if skipped > 0 && touching {
                    break;
                }
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

/// Whether a number counts options yet to come: "a two topping pizza". "two buckets of paint" are two, though buckets
/// come in sizes.
pub(super) fn counts_group(segments: &[Segment], at: usize, shop: &Shop) -> bool {
    segments.get(at + 1).is_some_and(|next| next.groups.iter().any(|&group| !shop.groups[group].exclusive))
}

/// Whether the segment points at, refuses or replaces the head that it stands before.
pub(super) fn leads(segment: &Segment, changing: bool) -> bool {
    const LEADING: [Role; 7] =
        [Role::Without, Role::Not, Role::Remove, Role::Instead, Role::On, Role::Same, Role::Definite];
    let mut others = vec![Role::With, Role::And, Role::Make, Role::Change];
    if changing {
        others.push(Role::Into);
    }
    !segment.dead && !segment.is_name() && segment.roles.any(&LEADING) && !segment.roles.any(&others)
}
