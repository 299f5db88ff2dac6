//! What numbers count: the name before or behind them, an option, or nothing. People say numbers before names or behind
//! them, and mostly stay with one of the two throughout a message.

use super::{heads::MOST_SKIPPED, is_filling};
use crate::understanding::{lexicon::Role, segment::Segment, shop::Shop, text::Kind};

/// For each number that counts the head before it that head: "margherita x 2", "margherita 2, cola 1", "geprek level
/// 3 two". A number between two heads is the first's where a mark parts it from the second, and where the message says
/// its numbers behind its names: the first name has none before it, and the last has one behind.
pub(super) fn trailing(segments: &[Segment], heads: &[bool], shop: &Shop) -> Vec<Option<usize>> {
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
            // "if you have it I want two and …"
            let wanted = at.checked_sub(1).is_some_and(|b| segments[b].roles.any(&[Role::Open, Role::Add]));
            let ends = head_after(segments, heads, at).is_none()
                && !option_or_part_follows(segments, heads, at)
                && heads[at..].contains(&true);
            if behind && !wanted && (lost || ends) {
                owners[at] = Some(NOBODY);
            }
            continue;
        };
        // "two, no, three": the later number is meant.
        // "paracetamol 500, two packs": a number that names an option counts nothing.
        let names = |at: usize| numbered(segments, shop, &segments[owner].products, at).is_some();
        let earlier = (0..at).find(|&b| owners[b] == Some(owner) && !names(b));
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
pub(super) const LEAST_NAMED: u32 = 10;

/// The owner of a number that counts what the shop does not have.
pub(super) const NOBODY: usize = usize::MAX;

/// What may stand between a name and the number behind it.
pub(super) const BEFORE_COUNT: [Role; 15] = [
    Role::Open,
    Role::Only,
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
pub(super) fn is_refused(segments: &[Segment], at: usize) -> bool {
    let before = |back: usize, roles: &[Role]| {
        at.checked_sub(back).is_some_and(|b| segments[b].roles.any(roles) && !segments[b].is_name())
    };
    const REFUSING: [Role; 3] = [Role::Not, Role::Without, Role::No];
    before(1, &REFUSING) || before(1, &[Role::Only]) && before(2, &REFUSING)
}

/// The head that a number stands behind, with nothing but its options, units and courtesy between.
pub(super) fn head_before(segments: &[Segment], heads: &[bool], number: usize, shop: &Shop) -> Option<usize> {
    let mut at = number;
    let mut options = Vec::new();
    let mut corrected = false;
    let portioned = segments.get(number + 1).is_some_and(|s| s.is(Role::Unit) && !s.is_name())
        && segments.get(number + 2).is_none_or(|s| s.mark.is_some() || s.is(Role::And));
    let fenced = segments.get(number + 1).is_none_or(|s| s.mark.is_some());
    while at > 0 {
        at -= 1;
        let segment = &segments[at];
        // "two, no, three"
        if segment.is(Role::Correction) || segment.is(Role::No) && segment.choices.is_empty() {
            corrected = true;
            continue;
        }
        let parted = segment.mark == Some(Kind::Comma)
            && at.checked_sub(1).is_some_and(|b| segments[b].is(Role::Correction) || segments[b].is(Role::No));
        if parted || corrected && (segment.number.is_some() && !segment.dead || segment.mark == Some(Kind::Comma)) {
            continue;
        }
        // "about three"
        if fenced && at + 1 == number && segment.roles.has(Role::Article) && !segment.is_name() {
            continue;
        }
        // "nappies, three packs, …", "sausages, about three, and …"
        let nearest = segments[at + 1..number].iter().all(|s| !s.is_name() && s.mark.is_none());
        if (portioned || fenced) && segment.mark == Some(Kind::Comma) && nearest {
            continue;
        }
        // "paracetamol 500, two packs"
        let named = at
            .checked_sub(1)
            .is_some_and(|b| heads[b] && numbered(segments, shop, &segments[b].products, at).is_some());
        if portioned && named {
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
pub(super) fn head_after(segments: &[Segment], heads: &[bool], number: usize) -> Option<usize> {
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
        let class = segment.dead && !segment.class.is_empty();
        let ended = segment.dead && !class || segment.mark.is_some_and(|mark| mark != Kind::Sign);
        if ended || segment.number.is_some() {
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
pub(super) fn numbered(segments: &[Segment], shop: &Shop, products: &[usize], at: usize) -> Option<(usize, usize)> {
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
    let mut found = shop.numbered(products, &number.to_string()).into_iter();
    let (Some(one), None) = (found.next(), found.next()) else { return None };
    Some(one)
}

/// Whether a segment is "with" or "without", and does not rather lead over to the next thing, as "plus" does.
pub(super) fn is_with(segment: &Segment) -> bool {
    segment.roles.any(&[Role::With, Role::Without]) && !segment.roles.any(&[Role::And, Role::Add])
}

/// Whether an option, or "with" and its like, comes right after a number: "one large, one with ham".
pub(super) fn option_or_part_follows(segments: &[Segment], heads: &[bool], number: usize) -> bool {
    let glue = |s: &Segment| {
        !s.is_name() && s.roles.any(&[Role::Times, Role::Unit, Role::Dose, Role::Of, Role::One, Role::On])
    };
    let after = (number + 1..segments.len()).find(|&at| !is_filling(&segments[at]) && !glue(&segments[at]));
    after.is_some_and(|at| {
        let segment = &segments[at];
        segment.mark.is_none() && !segment.dead && !heads[at] && (!segment.choices.is_empty() || is_with(segment))
    })
}

/// "twenty" and "four" are 24, "two" and "hundred" 200; any other two numbers leave the second.
pub(super) fn tens(before: Option<u32>, number: u32) -> u32 {
    match before {
        Some(times) if matches!(number, 100 | 1_000) && (2..1_000).contains(&times) => times.saturating_mul(number),
        Some(hundreds) if hundreds >= 100 && hundreds.is_multiple_of(100) && (1..100).contains(&number) => {
            hundreds.saturating_add(number)
        }
        Some(tens) if tens >= 20 && tens.is_multiple_of(10) && (1..10).contains(&number) => tens + number,
        _ => number,
    }
}
