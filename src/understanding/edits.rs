//! Which pieces of a message change lines that are there rather than add new ones: what follows a correction ("no wait,
//! three pepperoni"), a line named with "the" or with another size of its own ("the fries large", "nappies in XL"), a
//! part of a line ("two of the margheritas with olives") and what "the usual" already holds ("the usual, but two
//! shakes"). What names a product anew stays an order of it.

use super::{
    items::{Aim, Deed, Piece},
    lexicon::Role,
    segment::Segment,
    shop::Shop,
};

/// A line that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What its product may be.
    pub products: Vec<usize>,
    /// How many.
    pub quantity: u32,
}

/// Turns the pieces that change lines into changes.
pub fn settle(pieces: &mut [Piece], segments: &[Segment], shop: &Shop, cart: &[Known], usual: &[Known]) {
    let mut after_usual = false;
    for at in 0..pieces.len() {
        after_usual |= pieces[at].deed == Deed::Usual;
        let lines = if after_usual { usual } else { cart };
        let piece = &pieces[at];
        let made = piece.deed == Deed::Make && piece.aim != Aim::Named;
        let new = (made || piece.deed == Deed::Add && piece.aim == Aim::New) && !piece.products.is_empty();
        if !new || piece.another || piece.same || piece.part {
            continue;
        }
        if pieces[..at].iter().any(|p| names_too(p, piece)) {
            // "two wands, … and the wands gift-wrapped": more of what was just said.
            let lead = Lead::of(piece, segments);
            let uncounted = pieces[..at].iter().filter(|p| names_too(p, piece)).all(|p| p.quantity.is_none());
            let counts = piece.quantity.is_some() && piece.wishes.is_empty() && uncounted;
            let adds = piece.quantity.is_none() && !piece.wishes.is_empty();
            if !lead.counts && !lead.adds && (lead.points && adds || counts) {
                pieces[at].deed = Deed::Make;
                pieces[at].aim = Aim::Named;
            }
            continue;
        }
        let mut of = lines.iter().filter(|line| line.products.iter().any(|p| piece.products.contains(p)));
        let (Some(line), None) = (of.next(), of.next()) else { continue };
        let lead = Lead::of(piece, segments);
        // "one parcel-the without biscuits"
        let fewer = lead.points && !piece.opened && !piece.wishes.is_empty();
        if (lead.part || fewer) && piece.quantity.is_some_and(|quantity| quantity < line.quantity) {
            pieces[at].part = true;
            pieces[at].aim = Aim::Named;
            continue;
        }
        let again = piece.wishes.iter().any(|wish| !wish.without && shop.exclusive(&wish.choices));
        let says = piece.quantity.is_some() || !piece.wishes.is_empty();
        if lead.doubles && !piece.opened {
            pieces[at].quantity = piece.quantity.map(|times| times.saturating_mul(line.quantity));
            pieces[at].deed = Deed::Make;
            pieces[at].aim = Aim::Named;
            continue;
        }
        // "make the margherita large", "make that three margheritas", but not "make it a pepperoni".
        let changes = if made {
            says && !lead.articled
        } else if lead.adds {
            false
        } else if lead.corrects || after_usual && lead.turns {
            says
        } else {
            // "pepperonien 3": the number behind a name with "the" is what there is to be.
            !piece.opened && !lead.counts && (again || (lead.points || lead.aims) && says)
        };
        if changes {
            pieces[at].deed = Deed::Make;
            pieces[at].aim = Aim::Named;
        }
    }
}

/// Whether an earlier piece names a product of the later one.
fn names_too(earlier: &Piece, later: &Piece) -> bool {
    earlier.products.iter().any(|product| later.products.contains(product))
}

/// What stands before the name of a piece.
struct Lead {
    /// An article that is no number.
    articled: bool,
    /// A number or an article.
    counts: bool,
    /// "add", "another", "a".
    adds: bool,
    /// "the".
    points: bool,
    /// "two of the".
    part: bool,
    /// "double the".
    doubles: bool,
    /// "on", "to".
    aims: bool,
    /// "no wait", "only", and behind the name "not five but".
    corrects: bool,
    /// "but", "with".
    turns: bool,
}

impl Lead {
    fn of(piece: &Piece, segments: &[Segment]) -> Lead {
        let head = (piece.from..segments.len()).find(|&at| segments[at].products == piece.products);
        let own = &segments[piece.from..head.unwrap_or(piece.from)];
        let begin = segments[..piece.from].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
        // Words right before, over courtesy and marks within the sentence.
        let plain =
            |s: &&Segment| s.mark.is_some() || !s.is_name() && s.roles.any(&[Role::Polite, Role::Stop, Role::Chatter]);
        let before: Vec<&Segment> =
            segments[begin..piece.from].iter().rev().take_while(|s| leads(s) || plain(s)).collect();
        let has = |role: Role| {
            before.iter().chain(own.iter().collect::<Vec<_>>().iter()).any(|s| s.roles.has(role) && !s.is_name())
        };
        let number = own.iter().position(|s| s.number.is_some());
        let part = number.is_some_and(|number| {
            // "of the" in one, and "the one".
            let long = |s: &&Segment| s.roles.has(Role::Of) && s.to - s.from > 1 && !s.is_name();
            let the_one = number > 0
                && own[number].number == Some(1)
                && own[number - 1].roles.any(&[Role::Definite, Role::One])
                && !own[number].roles.has(Role::Article);
            let of_the = own.get(number + 1).filter(long).is_some();
            of_the
                || the_one
                || own[number + 1..].iter().any(|s| s.roles.any(&[Role::Of, Role::On, Role::One]) && s.number.is_none())
                    && own[number + 1..]
                        .iter()
                        .any(|s| s.roles.any(&[Role::Definite, Role::On, Role::One]) && s.number.is_none())
        });
        let behind = head.map_or(&[][..], |head| &segments[head + 1..]);
        let refused = behind.iter().take_while(|s| !s.ends_sentence() && s.products.is_empty()).collect::<Vec<_>>();
        let opening = segments[begin..piece.from].iter().all(|s| !s.is_name() && s.number.is_none());
        Lead {
            articled: own.iter().any(|s| s.roles.has(Role::Article) && s.number.is_none()),
            counts: number.is_some() || own.iter().any(|s| s.roles.has(Role::Article)),
            adds: has(Role::Another) || before.iter().any(|s| s.roles.has(Role::Add) && !s.roles.has(Role::With)),
            points: own.iter().any(|s| s.roles.has(Role::Definite)) || head.is_some_and(|head| segments[head].definite),
            part,
            doubles: number.is_some_and(|number| {
                own[number].roles.has(Role::Extra) && own[number + 1..].iter().any(|s| s.roles.has(Role::Definite))
            }),
            aims: before.first().is_some_and(|s| s.roles.has(Role::On)) || own.iter().any(|s| s.roles.has(Role::On)),
            corrects: has(Role::Correction)
                || has(Role::Only) && number.is_some()
                || refused.iter().any(|s| s.roles.has(Role::Correction) && !s.is_name())
                || refused
                    .windows(2)
                    .any(|w| w[0].roles.any(&[Role::Not, Role::Only, Role::Open]) && w[1].number.is_some())
                || opening && segments[begin..piece.from].iter().any(|s| s.roles.any(&[Role::Correction, Role::No])),
            turns: has(Role::But) || has(Role::With) || has(Role::Only),
        }
    }
}

/// Whether a word before a name says how the name is meant.
fn leads(segment: &Segment) -> bool {
    !segment.is_name()
        && segment.roles.any(&[
            Role::Correction,
            Role::No,
            Role::Only,
            Role::But,
            Role::With,
            Role::Add,
            Role::Another,
            Role::Definite,
            Role::And,
            Role::On,
        ])
}
