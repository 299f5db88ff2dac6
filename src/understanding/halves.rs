//! "Half a Hawaii, half a Funghi": one item made of halves of two, where the shop makes such, and what is wished for one of
//! the halves alone ("no onions on the Funghi half"). Where it makes none, the shop is told to lack it: two whole ones
//! were not ordered.

use crate::cart::{Cart, Chosen, Pick};

use super::{
    engine::{Draft, Engine},
    lexicon::{Role, Roles},
    segment::Segment,
    text::Kind,
};

/// Most words of glue between the parts of "half of the Hawaii and then half of the Funghi", so that halves of different
/// sentences are none of one item.
const FARTHEST_HALF: usize = 4;

/// What a segment is among halves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// "half", or the name of what is made of halves: "half and half".
    Half,
    /// A product that may be halved.
    Name,
    /// "and", a comma and the like.
    Joint,
    /// Words that say nothing between the others.
    Glue,
}

/// An item of halves as it stands in a message.
struct Found {
    /// Its segments; the last one is within.
    span: (usize, usize),
    /// The names of its halves.
    names: [usize; 2],
    /// Whether "half" was said but once, so that it may be about something else.
    once: bool,
}

impl Engine {
    /// Makes of each pair of halves the head of an item and two options of it. Says whether a half of the cart became
    /// another.
    pub(super) fn halves(&self, draft: &mut Draft<'_>, cart: &mut Cart) -> bool {
        if !draft.segments.iter().any(|s| s.is(Role::Half) || self.is_halved(s)) {
            return false;
        }
        let names: Vec<Vec<usize>> = (0..draft.segments.len()).map(|at| self.halvable(draft, at)).collect();
        let mut at = 0;
        let mut made = self.halves_in(cart);
        let change = |changed, &half: &_| self.change_half(&mut draft.segments, &names, half, cart) || changed;
        let changed = made.iter().fold(false, change);
        while at < draft.segments.len() {
            let Some(found) = self.halves_at(&draft.segments, &names, at) else {
                at += 1;
                continue;
            };
            let (from, next) = (at, found.span.1 + 1);
            at = next;
            if part_several(&mut draft.segments, &found) {
                continue;
            }
            if self.are_toppings(&draft.segments, &found) {
                at = from + 1;
                continue;
            }
            let [a, b] = found.names.map(|name| &names[name]);
            match self.shop.halved(a, b) {
                Some((product, halves)) => {
                    self.make(&mut draft.segments, &found, product, halves);
                    made.extend(halves);
                }
                // "half with mint, half with tamarind" are no halves of one thing.
                None if found.once || found.names.iter().any(|&name| !draft.segments[name].choices.is_empty()) => {
                    at = from + 1;
                }
                None => draft.refuse(opening(&draft.segments, found.span.0), found.span.1),
            }
        }
        refuse_loose(draft);
        for half in made {
            self.wishes_of(&mut draft.segments, &names, half);
        }
        changed
    }

    /// "change the Funghi half to Tonno", "make the Funghi half Tonno": a half of the cart becomes another.
    fn change_half(&self, segments: &mut [Segment], of: &[Vec<usize>], half: (usize, usize), cart: &mut Cart) -> bool {
        let live = |from: usize| {
            let glue = |s: &Segment| !s.is_name() && s.roles.any(&[Role::Into, Role::Definite, Role::Polite]);
            (from..segments.len()).find(|&at| !segments[at].dead && !glue(&segments[at]))
        };
        let found =
            (0..segments.len()).filter(|&at| self.shop.halves_of(half.0, &of[at]).contains(&half)).find_map(|at| {
                let word = live(at + 1).filter(|&word| segments[word].is(Role::Half) && !segments[word].is_name())?;
                let into = live(word + 1)?;
                match self.shop.halves_of(half.0, &of[into])[..] {
                    [new] => Some((at, into, new)),
                    _ => None,
                }
            });
        let Some((at, into, (group, new))) = found else { return false };
        let group = &self.shop.groups[group];
        let is_old = |option: &Chosen| {
            option.group == group.id && option.choice.settled() == Some(&group.choices[half.1]) && !option.without
        };
        let Some(line) = cart.lines.iter_mut().rev().find(|line| line.options.iter().any(is_old)) else {
            return false;
        };
        for option in line.options.iter_mut().filter(|option| is_old(option)) {
            option.choice = Pick::One(group.choices[new].clone());
        }
        // What was wished for the old half is wished for the new one.
        let (old, new) = (self.shop.half_of(half.0, half.1), self.shop.half_of(half.0, new));
        for option in line.options.iter_mut().filter(|option| option.half.is_some() && option.half == old) {
            option.half.clone_from(&new);
        }
        segments[at..=into].iter_mut().for_each(|segment| segment.dead = true);
        true
    }

    /// The halves of which lines of a cart are made.
    fn halves_in(&self, cart: &Cart) -> Vec<(usize, usize)> {
        let options = cart.lines.iter().flat_map(|line| &line.options);
        let half = |option: &Chosen| {
            let group = self.shop.group(&option.group).filter(|&group| self.shop.makes(group).is_some())?;
            let choices = &self.shop.groups[group].choices;
            Some((group, choices.iter().position(|choice| Some(choice) == option.choice.settled())?))
        };
        options.filter_map(half).collect()
    }

    fn is_halved(&self, segment: &Segment) -> bool {
        !segment.dead && segment.products.iter().any(|&product| self.shop.is_halved(product))
    }

    /// What a segment may name the half of. Beside "half", "tuna" is a tuna pizza even where it is a topping too.
    fn halvable(&self, draft: &Draft<'_>, at: usize) -> Vec<usize> {
        let segment = &draft.segments[at];
        if !segment.products.is_empty() || segment.choices.is_empty() {
            return segment.products.clone();
        }
        let words = &draft.words[segment.from..segment.to];
        let named = |product: usize| {
            let mut names = self.shop.names[product].iter();
            names.any(|name| words.iter().all(|word| name.iter().any(|&own| self.says(word, own))))
        };
        let halves = self.shop.halved.iter().flat_map(|halved| halved.of.iter().copied().flatten());
        halves.filter(|&product| named(product)).collect()
    }

    fn part(&self, segment: &Segment, names: &[usize]) -> Option<Part> {
        if self.is_halved(segment) {
            return Some(Part::Half);
        }
        match segment.mark {
            _ if segment.dead => None,
            Some(Kind::Comma | Kind::Sign) => Some(Part::Joint),
            Some(_) => None,
            None if !names.is_empty() => Some(Part::Name),
            None if segment.is_name() => None,
            None if segment.roles.has(Role::Half) => Some(Part::Half),
            None if segment.roles.any(&[Role::And, Role::Or]) => Some(Part::Joint),
            None => {
                let silent = segment.roles.any(&[Role::Of, Role::Article, Role::Definite, Role::Polite, Role::Stop])
                    || segment.roles.has(Role::With) && !segment.roles.has(Role::Without);
                (silent || !segment.class.is_empty() && segment.number.is_none()).then_some(Part::Glue)
            }
        }
    }

    /// The halves that begin at a segment: "half A half B", "half and half A and B", "A and B half and half", "A half, B
    /// half".
    fn halves_at(&self, segments: &[Segment], of: &[Vec<usize>], from: usize) -> Option<Found> {
        let part = |at: usize| segments.get(at).and_then(|segment| self.part(segment, &of[at]));
        if !matches!(part(from)?, Part::Half | Part::Name) {
            return None;
        }
        let (mut halves, mut names, mut glue, mut joints) = (0, Vec::new(), 0, 0);
        let mut shape = Vec::new();
        let mut last = from;
        for at in from..segments.len() {
            let Some(found) = part(at) else { break };
            match found {
                Part::Half => halves += 1,
                Part::Name if names.len() == 2 => break,
                Part::Name => names.push(at),
                Part::Joint => joints += 1,
                Part::Glue => glue += 1,
            }
            if glue + joints > FARTHEST_HALF {
                break;
            }
            if matches!(found, Part::Half | Part::Name) {
                glue = 0;
                joints = 0;
                last = at;
                shape.push(found);
                if is_whole(&shape) && (shape.len() == 4 || part(at + 1) != Some(Part::Half)) {
                    break;
                }
            }
        }
        while shape.last().is_some() && !is_whole(&shape) && shape.len() > 3 {
            shape.pop();
            last = (from..last).rev().find(|&at| matches!(part(at), Some(Part::Half | Part::Name)))?;
        }
        let names = <[usize; 2]>::try_from(names).ok().filter(|_| is_whole(&shape) && halves > 0)?;
        // "half a Hawaii and a Funghi" is half of one thing only where nothing opens the other.
        let alone = halves == 1 && !self.is_halved(&segments[from]);
        let opened = segments[names[0] + 1..names[1]].iter().any(|s| s.roles.has(Role::Article) || s.number.is_some());
        if alone && opened || of[names[0]] == of[names[1]] {
            return None;
        }
        // "a cola, half a Diavola, half a Funghi": where another name follows, the first was an item of its own.
        let after = (last + 1..segments.len()).find(|&at| !matches!(part(at), Some(Part::Glue | Part::Joint)));
        if shape.first() == Some(&Part::Name) && after.and_then(part) == Some(Part::Name) {
            return None;
        }
        // "pepperoni, margherita and half a litre of cola"
        let ends = segments.get(last + 1).is_none_or(|s| s.mark.is_some());
        if matches!(shape[..], [Part::Name, Part::Name, Part::Half]) && !ends {
            return None;
        }
        Some(Found { span: (from, last), names, once: alone })
    }

    /// "half ham, half mushrooms": toppings of the item before, or of none, and no halves of pizzas that are called so.
    fn are_toppings(&self, segments: &[Segment], found: &Found) -> bool {
        let named = found.names.map(|name| &segments[name]);
        let sentence = segments[..found.span.0].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
        let before = &segments[sentence..found.span.0];
        let had = before
            .iter()
            .rev()
            .find(|s| !s.dead && !s.products.is_empty())
            .is_some_and(|head| named.iter().all(|s| !self.shop.fitting(&head.products, &s.choices).is_empty()));
        let refused = segments[found.span.0..=found.span.1].iter().any(|s| s.roles.has(Role::Without) && !s.is_name());
        had || refused || named.iter().all(|s| s.products.is_empty() && !s.choices.is_empty())
    }

    /// Turns the segments of halves into a head and two options.
    fn make(&self, segments: &mut [Segment], found: &Found, product: usize, halves: [(usize, usize); 2]) {
        // "a pizza, half A half B": the class is what is halved.
        let class = |s: &Segment| !s.dead && !s.is_name() && s.class.contains(&product);
        let (mut from, last) = found.span;
        let before = (0..from).rev().find(|&at| segments[at].mark.is_none() && !segments[at].is(Role::With));
        if let Some(before) = before.filter(|&at| class(&segments[at])) {
            from = before;
        }
        let last = if segments.get(last + 1).is_some_and(class) { last + 1 } else { last };
        for segment in &mut segments[from..=last] {
            *segment = Segment { from: segment.from, to: segment.to, dead: true, ..Segment::default() };
        }
        // A shape has three segments at least.
        let options = [last - 1, last];
        segments[from].dead = false;
        segments[from].products = vec![product];
        for (at, half) in options.into_iter().zip(halves) {
            segments[at].dead = false;
            segments[at].choices = vec![half];
        }
    }

    /// "no onions on the Funghi half": options in the words around a half that is named once more are for it alone.
    fn wishes_of(&self, segments: &mut [Segment], of: &[Vec<usize>], half: (usize, usize)) {
        for at in 0..segments.len() {
            let next = (at + 1..segments.len()).find(|&b| !segments[b].dead);
            let glue = |s: &Segment| !s.is_name() && s.roles.any(&[Role::Of, Role::With, Role::Definite]);
            let before = (0..at).rev().find(|&b| !segments[b].dead && !glue(&segments[b]));
            let is_half = |at: usize| segments[at].is(Role::Half) && !segments[at].is_name();
            let Some(word) = next.filter(|&b| is_half(b)).or(before.filter(|&b| is_half(b))) else { continue };
            if segments[at].dead || !self.shop.halves_of(half.0, &of[at]).contains(&half) {
                continue;
            }
            let leads = |s: &Segment| {
                !s.is_name()
                    && s.mark.is_none()
                    && s.roles.any(&[Role::On, Role::Of, Role::Definite, Role::With])
                    && !s.roles.has(Role::Without)
            };
            let mut first = at.min(word);
            while first > 0 && leads(&segments[first - 1]) {
                first -= 1;
            }
            let last = at.max(word);
            let ends = |s: &Segment| {
                s.mark.is_some_and(|mark| mark != Kind::Sign) || !s.products.is_empty() && s.choices.is_empty()
            };
            let is_half_of = |s: &Segment| s.choices.iter().any(|&(group, _)| self.shop.makes(group).is_some());
            let option = |s: &Segment| !s.dead && !s.choices.is_empty() && s.half.is_none() && !is_half_of(s);
            let begin = (0..first)
                .rev()
                .find(|&b| ends(&segments[b]) || is_half_of(&segments[b]) || segments[b].half.is_some())
                .map_or(0, |b| b + 1);
            let end = (last + 1..segments.len()).find(|&b| ends(&segments[b])).unwrap_or(segments.len());
            let clause = if segments[begin..first].iter().any(option) { begin..first } else { last + 1..end };
            for segment in &mut segments[clause] {
                if option(segment) {
                    segment.half = Some(half);
                    segment.products.clear();
                }
            }
            for segment in &mut segments[first..=last] {
                segment.dead = true;
            }
        }
    }
}

/// "half a Diavola with olives, half a Funghi without cheese": halves that stand too far apart to be read as one item are
/// not two whole ones either.
fn refuse_loose(draft: &mut Draft<'_>) {
    let segments = &draft.segments;
    let glue = |s: &Segment| {
        !s.is_name() && s.roles.any(&[Role::Of, Role::Article, Role::Definite]) && !s.roles.has(Role::Half)
    };
    let halved = |at: usize| {
        let half = segments[at].is(Role::Half) && !segments[at].is_name();
        let next = (at + 1..segments.len()).find(|&b| !glue(&segments[b])).filter(|_| half)?;
        let named = &segments[next];
        (!named.dead && !named.products.is_empty() && named.choices.is_empty()).then_some((at, next))
    };
    let mut found = (0..segments.len()).filter_map(halved);
    let (Some((from, _)), Some((_, last))) = (found.next(), found.next_back()) else { return };
    let sentence = segments[..from].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
    let several = segments[sentence..from].iter().any(|s| !s.dead && s.number.is_some_and(|number| number > 1));
    if !several && !segments[from..last].iter().any(Segment::ends_sentence) {
        draft.refuse(opening(&draft.segments, from), last);
    }
}

/// Whether halves and names stand as people say them.
fn is_whole(shape: &[Part]) -> bool {
    use Part::{Half, Name};
    matches!(
        shape,
        [Half, Name, Half, Name]
            | [Half, Name, Name]
            | [Half, Half, Name, Name]
            | [Name, Name, Half, Half]
            | [Name, Half, Name, Half]
            | [Name, Name, Half]
    )
}

/// "four pizzas: half Hawaii, half Funghi" are two and two, where a mark parts the whole from its halves.
fn part_several(segments: &mut [Segment], found: &Found) -> bool {
    let (from, last) = found.span;
    let Some(mark) = from.checked_sub(1).filter(|&b| segments[b].mark.is_some()) else { return false };
    let Some(class) = mark.checked_sub(1).filter(|&b| !segments[b].class.is_empty() && !segments[b].dead) else {
        return false;
    };
    let number = class.checked_sub(1).and_then(|b| segments[b].number).filter(|n| n.is_multiple_of(2));
    let Some(number) = number else { return false };
    for (at, segment) in segments.iter_mut().enumerate().take(last + 1).skip(class - 1) {
        if !found.names.contains(&at) {
            let half = segment.roles.has(Role::Half) && !segment.is_name();
            segment.dead = !half;
            if half {
                segment.number = Some(number / 2);
                segment.roles = Roles::default();
            }
        }
    }
    true
}

/// Where the item that a segment belongs to begins: at its number or article, at the options before it.
fn opening(segments: &[Segment], at: usize) -> usize {
    let own = |s: &Segment| {
        !s.dead
            && s.mark.is_none()
            && s.products.is_empty()
            && (s.number.is_some()
                || !s.choices.is_empty()
                || !s.class.is_empty()
                || s.roles.any(&[Role::Article, Role::Definite, Role::Another]))
    };
    (0..at).rev().take_while(|&b| own(&segments[b])).last().unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::super::{Expecting, Lexicons, Utterance};
    use super::*;

    const SHOP: &str = include_str!("../../config/samples/pizzeria/catalog.json");

    fn engine(shop: &str) -> Engine {
        let (catalog, _) = crate::catalog::read::read(shop).unwrap();
        Engine::compile(&catalog, &Lexicons::embedded().unwrap())
    }

    /// A cart in short: `1 half_half[diavola funghi -onion@funghi]`.
    fn short(cart: &Cart) -> String {
        let option = |chosen: &Chosen| {
            let half = chosen.half.as_ref().map(|half| format!("@{half}")).unwrap_or_default();
            let without = if chosen.without { "-" } else { "" };
            format!("{without}{}{half}", chosen.choice.settled().map_or("?", |id| id.as_str()))
        };
        let line = |line: &crate::cart::Line| {
            let mut options: Vec<String> = line.options.iter().map(option).collect();
            options.sort_unstable();
            let product = line.product.settled().map_or("?", |id| id.as_str());
            format!("{} {product}[{}]", line.quantity, options.join(" "))
        };
        cart.lines.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    fn read(engine: &Engine, text: &str, cart: &Cart, expecting: Option<Expecting>) -> (String, Vec<String>) {
        let utterance = Utterance { text, language: None, prior: None, cart, usual: &Cart::default(), expecting };
        let reading = engine.read(&utterance);
        (short(&reading.cart), reading.unmatched)
    }

    #[test]
    fn two_halves_are_one_item_in_every_language() {
        let engine = engine(SHOP);
        let cases = [
            ("half diavola half funghi", "1 half_half[diavola funghi]"),
            ("a large half diavola half funghi please", "1 half_half[diavola funghi large]"),
            ("2 half diavola, half funghi and a cola", "2 half_half[diavola funghi]; 1 cola[]"),
            ("one pizza, one half margherita and the other half pepperoni", "1 half_half[margherita pepperoni]"),
            ("diavola and funghi half and half", "1 half_half[diavola funghi]"),
            ("a half-and-half with diavola and funghi", "1 half_half[diavola funghi]"),
            ("half diavola half funghi, no onions on the funghi half", "1 half_half[-onion@funghi diavola funghi]"),
            ("four pizzas: half diavola, half funghi", "2 diavola[]; 2 funghi[]"),
            ("half diavola half funghi no onions on the funghi half", "1 half_half[-onion@funghi diavola funghi]"),
            ("2 margherita, half diavola half funghi", "2 margherita[]; 1 half_half[diavola funghi]"),
            ("pepperoni, margherita and half a liter of coke", "1 pepperoni[]; 1 margherita[]; 1 cola[]"),
            ("a margherita, half mushroom, half pepperoni", "1 margherita[mushrooms pepperoni]"),
            ("'n groot pizza half hawaii half tonno asb", "1 half_half[hawaii large tonno]"),
            ("jeg vil ha half diavola og half funghi takk", "1 half_half[diavola funghi]"),
            ("en stor pizza, halvparten hawaii og halvparten tonno", "1 half_half[hawaii large tonno]"),
            ("одну пиццу пополам: маргарита и пепперони", "1 half_half[margherita pepperoni]"),
            ("половину дьявола половину фунги", "1 half_half[diavola funghi]"),
            (
                "satu pizza setengah hawaii setengah tuna, tanpa bawang di bagian tuna",
                "1 half_half[-onion@tonno hawaii tonno]",
            ),
            ("o pizza mare, jumătate margherita, jumătate cu ton", "1 half_half[large margherita tonno]"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(&engine, text, &Cart::default(), None), (wanted.to_owned(), Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn halves_of_the_cart_are_changed_and_asked_for() {
        let engine = engine(SHOP);
        let cart: Cart = serde_json::from_str(
            r#"[{"product": "half_half", "options": [{"group": "halves", "choice": "funghi"}, {"group": "halves", "choice": "hawaii"}]}]"#,
        )
        .unwrap();
        let cases = [
            ("change the funghi half to tonno", "1 half_half[hawaii tonno]"),
            ("make the hawaii half diavola", "1 half_half[diavola funghi]"),
            ("make it half tonno half napoli", "1 half_half[napoli tonno]"),
            ("extra onion on the hawaii half please", "1 half_half[funghi hawaii onion@hawaii]"),
            ("and a hawaii", "1 half_half[funghi hawaii]; 1 hawaii[]"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(&engine, text, &cart, None).0, wanted, "{text:?}");
        }
        let bare: Cart = serde_json::from_str(r#"[{"product": "half_half", "options": []}]"#).unwrap();
        let asked = Some(Expecting::Choice);
        assert_eq!(read(&engine, "hawaii and funghi", &bare, asked).0, "1 half_half[funghi hawaii]");
        assert_eq!(read(&engine, "hawaii", &bare, asked).0, "1 half_half[hawaii]");
    }

    #[test]
    fn what_was_wished_for_a_half_goes_with_it() {
        let engine = engine(SHOP);
        let cart: Cart = serde_json::from_str(
            r#"[{"product": "half_half", "options": [{"group": "halves", "choice": "funghi"}, {"group": "halves", "choice": "hawaii"},
                {"group": "topping", "choice": "onion", "without": true, "half": "funghi"}]}]"#,
        )
        .unwrap();
        let cases = [
            ("change the funghi half to tonno", "1 half_half[-onion@tonno hawaii tonno]"),
            ("make it half tonno half napoli", "1 half_half[napoli tonno]"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(&engine, text, &cart, None).0, wanted, "{text:?}");
        }
    }

    #[test]
    fn a_shop_without_halves_is_not_made_to_bring_two_pizzas() {
        let shop = SHOP.replace(r#""option_groups": ["halves", "#, r#""available": false, "option_groups": ["#);
        let engine = engine(&shop);
        let (cart, unmatched) = read(&engine, "a large half diavola half funghi and a cola", &Cart::default(), None);
        assert_eq!((cart.as_str(), unmatched), ("1 cola[]", vec!["a large half diavola half funghi".to_owned()]));
        // With options between them.
        let (cart, unmatched) = read(
            &self::engine(SHOP),
            "half diavola with olives, half funghi without cheese and a cola",
            &Cart::default(),
            None,
        );
        assert!(!cart.contains("1 diavola") && !cart.contains("1 funghi"), "{cart}");
        assert_eq!(unmatched.first().map(String::as_str), Some("half diavola with olives, half funghi"));
        // With something that is no half at all.
        let (cart, unmatched) = read(&self::engine(SHOP), "half diavola half lemonade", &Cart::default(), None);
        assert_eq!((cart.as_str(), unmatched), ("", vec!["half diavola half lemonade".to_owned()]));
    }
}
