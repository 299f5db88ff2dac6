//! What names and words mean beside others: a class that stands for a thing, words that tell one candidate from others,
//! the name of which only the end is said, a number that is a measure, a word that only a line of the cart has.

use super::{
    engine::{Draft, Engine},
    lexicon::Role,
    names::WordId,
    segment::{Segment, Word},
    text::Kind,
};
use crate::cart::{Cart, Line};

/// Most products of a class ("a pizza") among which the customer is asked to choose; a larger class is left to the menu.
const MOST_OF_A_CLASS: usize = 24;

/// Most products of a name that words behind it may tell apart; more are a class.
const MOST_NARROWED: usize = 4;

/// Most segments between a name and the words that tell which is meant.
const FARTHEST_NARROWING: usize = 4;

/// Most products with a word that may complete a name, so that a common one is no work.
const MOST_COMPLETED: usize = 256;

/// Most letters of a word that joins the others of a name.
const LONGEST_JOINT: usize = 3;

impl Engine {
    /// Whether a word of the message is a form of a word of a name that is more than a joint.
    pub(super) fn says(&self, word: &Word, name: WordId) -> bool {
        word.sense.is_form_of(name) && self.book.words.text(name).chars().count() > 2
    }

    /// Narrows an ambiguous product by plain words behind it that only some of the candidates have in their names: "a bed,
    /// for dogs".
    pub(super) fn narrow(&self, draft: &mut Draft<'_>) {
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            if segment.dead || !(2..=MOST_NARROWED).contains(&segment.products.len()) {
                continue;
            }
            let own = segment.from..segment.to;
            let plain = |s: &&Segment| s.mark.is_none() && s.products.is_empty() && s.number.is_none() && !s.dead;
            let end = at + 1 + draft.segments[at + 1..].iter().take_while(plain).take(FARTHEST_NARROWING).count();
            let candidates = segment.products.clone();
            let says = |word: &Word, product: usize| {
                self.shop.names[product].iter().flat_map(|name| name.iter()).any(|&name| self.says(word, name))
            };
            for next in at + 1..end {
                let words = draft.segments[next].from..draft.segments[next].to;
                let chooses = !self.shop.fitting(&candidates, &draft.segments[next].choices).is_empty();
                if chooses || draft.segments[next].roles.any(&[Role::And, Role::Or]) {
                    continue;
                }
                let saying: Vec<usize> = candidates
                    .iter()
                    .copied()
                    .filter(|&product| words.clone().any(|w| !own.contains(&w) && says(&draft.words[w], product)))
                    .collect();
                if !saying.is_empty() && saying.len() < candidates.len() {
                    draft.segments[at].products = saying;
                    draft.segments[next].dead = true;
                    break;
                }
            }
        }
    }

    /// "four cheese pies and two with steak": behind a number, words that complete the name of the product before to that
    /// of another, and are no option of it, stand for that other.
    pub(super) fn ellipsis(&self, draft: &mut Draft<'_>) {
        let mut last: Option<usize> = None;
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            if segment.dead || segment.mark.is_some() {
                continue;
            }
            let led = |b: &Segment| {
                !b.dead && !b.is_name() && b.roles.any(&[Role::With, Role::Of]) && !b.roles.has(Role::Without)
            };
            let with = at.checked_sub(1).filter(|&b| led(&draft.segments[b]));
            let counted = with.unwrap_or(at).checked_sub(1).is_some_and(|b| {
                let b = &draft.segments[b];
                !b.dead && (b.number.is_some() || b.roles.has(Role::Article)) && b.choices.is_empty()
            });
            let other = last.filter(|_| counted && (segment.is_name() || segment.unknown || segment.is_silent()));
            let other = other.and_then(|last| self.completed(draft, at, last));
            match (other, &segment.products[..]) {
                (Some(other), _) => {
                    let segment = &mut draft.segments[at];
                    segment.products = vec![other];
                    segment.choices.clear();
                    segment.unknown = false;
                    if let Some(with) = with {
                        draft.segments[with].dead = true;
                    }
                    last = Some(other);
                }
                (None, [one]) => last = Some(*one),
                (None, []) => {}
                (None, _) => last = None,
            }
        }
    }

    /// The one other product whose name has all words of a segment and shares another with that of the last product.
    pub(super) fn completed(&self, draft: &Draft<'_>, at: usize, last: usize) -> Option<usize> {
        let segment = &draft.segments[at];
        let words = &draft.words[segment.from..segment.to];
        let full = segment.part.is_none() && !segment.loose && !segment.products.is_empty();
        let optional = !self.shop.fitting(&[last], &segment.choices).is_empty();
        if full || optional || segment.products == [last] {
            return None;
        }
        let begins: Vec<WordId> = self.shop.names[last].iter().flat_map(|name| name.iter().copied()).collect();
        let completes = |product: usize| {
            product != last
                && self.shop.names[product].iter().any(|name| {
                    let said = |&own: &WordId| words.iter().any(|word| self.says(word, own));
                    words.iter().all(|word| name.iter().any(|&own| self.says(word, own)))
                        && name.iter().any(|own| !said(own) && begins.contains(own) && self.is_telling(*own))
                })
        };
        let forms = words.first()?.sense.steps.iter().filter(|step| step.second.is_none());
        let named: Vec<&[u32]> = forms.map(|step| self.shop.having(step.first)).collect();
        if named.iter().map(|products| products.len()).sum::<usize>() > MOST_COMPLETED {
            return None;
        }
        let mut found: Vec<usize> = named.into_iter().flatten().map(|&product| product as usize).collect();
        found.retain(|&product| completes(product));
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether a word of names is long enough to be more than a joint, such as "with".
    pub(super) fn is_telling(&self, word: WordId) -> bool {
        self.book.words.text(word).chars().count() > LONGEST_JOINT
    }

    /// Beside "remove" and its like a word that only one line of the cart has in its name means that line, "tripe" of a
    /// tripe soup, and so does a class to which only one belongs: "the card away". Behind "make" and a number it does
    /// too: "make that three naans".
    pub(super) fn find_in_cart(&self, draft: &mut Draft<'_>, cart: &Cart) {
        const GIVING_UP: [Role; 3] = [Role::Remove, Role::Change, Role::Instead];
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            let near = |at: Option<usize>, roles: &[Role]| {
                let beside = at.and_then(|at| draft.segments.get(at)).filter(|s| !s.dead && !s.is_name());
                beside.is_some_and(|s| s.roles.any(roles))
            };
            let given_up = near(at.checked_sub(1), &GIVING_UP) || near(Some(at + 1), &GIVING_UP);
            let counted = at.checked_sub(1).is_some_and(|b| draft.segments[b].number.is_some());
            let made = counted && near(at.checked_sub(2), &[Role::Make]);
            if !(given_up || made) || segment.dead || segment.mark.is_some() || !segment.roles.is_empty() {
                continue;
            }
            let words = &draft.words[segment.from..segment.to];
            let says = |product: usize| {
                let mut names = self.shop.names[product].iter().flat_map(|name| name.iter());
                names.any(|&name| words.iter().any(|word| self.says(word, name)))
            };
            let lines: Vec<Vec<usize>> = cart.lines.iter().map(|line| self.shop.products_of(line)).collect();
            let named = lines.iter().flatten().any(|product| segment.products.contains(product));
            let option = !segment.choices.is_empty();
            let whole = segment.products.len() == 1 && segment.part.is_none() && !segment.loose;
            if named || option || whole && !made {
                continue;
            }
            let mut found = lines.iter().filter_map(|products| match products[..] {
                [one] if says(one) || segment.class.contains(&one) => Some(one),
                _ => None,
            });
            if let (Some(one), None) = (found.next(), found.next()) {
                draft.segments[at].products = vec![one];
                draft.segments[at].unknown = false;
            }
        }
    }

    /// "take everything off except the tea": what is named behind stays, the rest of the cart goes.
    pub(super) fn keep_only(&self, draft: &mut Draft<'_>, cart: &mut Cart) -> bool {
        let Some(except) = draft.segments.iter().position(|s| s.is(Role::Except) && !s.is_name()) else { return false };
        let begin = draft.segments[..except].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
        let end = draft.segments[except..].iter().position(Segment::ends_sentence);
        let end = end.map_or(draft.segments.len(), |stop| except + stop);
        // "… except the cola, and add a tea": what follows is another matter.
        let joint = |s: &Segment| s.mark.is_some() || !s.is_name() && s.roles.any(&[Role::And, Role::But]);
        let turns = |s: &Segment| !s.is_name() && s.roles.any(&[Role::Add, Role::Make, Role::Open, Role::Remove]);
        let other = |at: &usize| {
            let next = draft.segments[at + 1..end].iter().find(|s| !joint(s));
            turns(&draft.segments[*at]) || joint(&draft.segments[*at]) && next.is_some_and(turns)
        };
        let end = (except + 1..end).find(other).unwrap_or(end);
        let before = &draft.segments[begin..except];
        let says = |role: Role| before.iter().any(|s| s.is(role) && !s.is_name());
        let all = draft.segments[except].roles.has(Role::All) || says(Role::All) || says(Role::Rest);
        let clears = says(Role::Clear) || all && (says(Role::Remove) || says(Role::Without));
        let live = || draft.segments[except..end].iter().filter(|s| !s.dead);
        // "all toppings except the cheese"
        let of_options = before.iter().any(|s| !s.groups.is_empty())
            || live().any(|s| s.products.is_empty() && !s.choices.is_empty());
        let named: Vec<usize> = live().flat_map(|s| s.products.iter().chain(s.class.iter()).copied()).collect();
        let stays = |line: &Line| self.shop.products_of(line).iter().any(|p| named.contains(p));
        if clears && of_options {
            // Which line it is about can't be told: it is named back, and nothing is taken out.
            draft.refuse(begin, end - 1);
            return false;
        }
        if !clears || before.iter().any(|s| !s.dead && s.is_name()) || !cart.lines.iter().any(stays) {
            return false;
        }
        cart.lines.retain(stays);
        draft.spend_to(begin, end - 1);
        true
    }

    /// "a cola 0.5": a number with decimals is the option of the product beside it whose name begins with that number.
    pub(super) fn measures(&self, draft: &mut Draft<'_>) {
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            let token = &draft.words[segment.from].token;
            let alone = !segment.dead && segment.to == segment.from + 1 && !segment.is_name();
            if !alone || token.kind != Kind::Number || !token.text.contains(['.', ',']) {
                continue;
            }
            let number = token.text.replace(',', ".");
            let is_product = |&b: &usize| !draft.segments[b].dead && !draft.segments[b].products.is_empty();
            let before = (0..at).rev().find(is_product);
            let after = (at + 1..draft.segments.len()).find(is_product);
            // "0.5 cola": the one that it touches comes first.
            let touching = after.filter(|&after| after == at + 1);
            let found = touching.into_iter().chain(before).chain(after).find_map(|product| {
                match self.shop.numbered(&draft.segments[product].products, &number)[..] {
                    [one] => Some(one),
                    _ => None,
                }
            });
            if let Some(choice) = found {
                draft.segments[at].choices = vec![choice];
                draft.segments[at].number = None;
                draft.segments[at].unknown = false;
            }
        }
    }

    /// "for veggies I want tomatoes": behind an item a heading of what it is to have, and no thing to buy.
    pub(super) fn headings(&self, draft: &mut Draft<'_>, cart: &[Vec<usize>]) {
        for at in 1..draft.segments.len().saturating_sub(1) {
            let [before, segment, after] = &draft.segments[at - 1..=at + 1] else { continue };
            let opened = after.is(Role::Open) && !after.is_name();
            let led = before.is(Role::Into) && before.roles.has(Role::Name) && !before.is_name();
            let item = draft.segments[..at - 1].iter().any(|s| !s.dead && !s.products.is_empty());
            let earlier = draft.segments[..at - 1].iter().filter(|s| !s.dead).flat_map(|s| &s.products);
            let anew = earlier.chain(cart.iter().flatten()).all(|product| !segment.products.contains(product));
            if opened && led && item && anew && segment.is_name() && segment.to - segment.from == 1 {
                draft.segments[at].dead = true;
            }
        }
    }

    /// A class that stands for a thing ("a pizza") becomes the question which; one that merely goes with a thing
    /// ("a margherita pizza", "for drinks a cola") is filling.
    pub(super) fn classes(&self, draft: &mut Draft<'_>, cart: &[Vec<usize>]) {
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            if segment.dead || segment.class.is_empty() || segment.is_name() || segment.class.len() > MOST_OF_A_CLASS {
                continue;
            }
            let told = draft
                .segments
                .iter()
                .any(|other| !other.dead && other.products.iter().any(|product| segment.class.contains(product)));
            let before = &draft.segments[..at];
            let begun = before.iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
            let wanted = before[begun..]
                .iter()
                .any(|s| s.number.is_some() || s.is(Role::Article) || s.is(Role::Open) || s.is(Role::Another));
            let negated = at
                .checked_sub(1)
                .is_some_and(|b| draft.segments[b].roles.any(&[Role::Without, Role::Not, Role::Remove]));
            // "make the pies five": those of the cart.
            let mut there = cart.iter().filter_map(|products| match products[..] {
                [one] if segment.class.contains(&one) => Some(one),
                _ => None,
            });
            if let (Some(one), None) = (there.next(), there.next()) {
                let pointed = before[begun..].iter().any(|s| {
                    s.is(Role::Make)
                        || s.is(Role::Change)
                        || s.is(Role::Remove)
                        || s.is(Role::Definite)
                        || s.is(Role::On)
                });
                if pointed || segment.definite {
                    draft.segments[at].products = vec![one];
                    continue;
                }
            }
            // "sandwiches for two: a chicken mayo and a ham": a heading.
            if told {
                draft.segments[at].dead = true;
            }
            if !told && wanted && !negated {
                let class = draft.segments[at].class.to_vec();
                draft.segments[at].products = class;
            }
        }
    }
}
