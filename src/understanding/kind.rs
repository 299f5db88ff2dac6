//! What a message is for, by its likeness to the examples of `config/locales/<tag>/intents.txt`: a logistic regression
//! over all intents and languages, trained when the program is built (`build.rs`) and only read here. Beside it count
//! the phrases of the lexicons, what is named of the catalogue, and what the bot asked last. All of it is weighed
//! sentence by sentence into one chance for each intent, so that a question beside an order is both.
//!
//! Promises: the same text always has the same chances; nothing is trained when the program starts.

use std::sync::LazyLock;

use super::{
    Expecting, Intent,
    features::{self, OPTION, PRODUCT},
    intent::{Class, Hit, class},
    lexicon::Role,
    segment::{Segment, Word},
    text::Kind,
};

include!(concat!(env!("OUT_DIR"), "/intents.rs"));

/// Weights in units of `UNIT`, a row for each of `HASHES`, which are sorted, a column for each of `INTENTS`.
static WEIGHTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/intents.bin"));

/// Bits of a hash by which its row is looked up: then few rows are left among which to search.
const BITS_OF_INDEX: u32 = 12;

/// Where the hashes begin that begin with each such number, and where the last of them end.
static INDEX: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let begins = |number: u64| HASHES.partition_point(|&hash| u64::from(hash) < number << (u32::BITS - BITS_OF_INDEX));
    (0..=1 << BITS_OF_INDEX).map(begins).collect()
});

/// The number of intents.
const KINDS: usize = Intent::Other as usize + 1;

/// A number for each intent, by its place in [`Intent`].
type Chances = [f32; KINDS];

/// How much the likeness to examples counts beside the evidence below, all of which is in units of the logarithm of
/// odds. These were fitted, all at once, to messages in six languages that are not among the examples.
const LIKENESS: f32 = 0.8;

/// How much the whole message counts, beside the sentence, where it has several.
const WHOLE: f32 = 0.4;

/// A phrase of a lexicon, by its number of words: one, two, more.
const PHRASE: [f32; 3] = [1.4, 1.8, 3.0];

/// A phrase by which a person is asked for, however short: somebody in trouble uses few words, and names goods.
const TROUBLE: f32 = 5.0;

/// Share of it where the phrases of an intent are such as stand in messages of other intents too.
const COMMON: f32 = 0.8;

/// For an order: a product with a number, or with an article.
const COUNTED: f32 = 2.4;

/// For an order: a product, where the sentence begins with something of the catalogue or opens an order.
const BEGINS: f32 = 1.9;

/// For an order: each further product.
const FURTHER: f32 = 1.4;

/// Most products that count for an order.
const MOST_FURTHER: usize = 3;

/// For an order: a word that changes a cart.
const CHANGES: f32 = 1.5;

/// For an order: such a word beside a name of the catalogue.
const CHANGES_NAMED: f32 = 1.8;

/// For an order: a phrase that opens one.
const OPENS: f32 = 0.5;

/// For an order: "the usual", "empty the cart".
const WHOLE_CART: f32 = 2.0;

/// Against an order: a question mark.
const ASKS: f32 = -1.0;

/// For an order: that there is a cart.
const CART: f32 = 2.0;

/// Against an order: no cart, and nothing of the catalogue named.
const NAMELESS: f32 = -0.5;

/// For an order, where the bot asked which of several.
const CHOOSES: f32 = 2.5;

/// For a yes or a no where the bot asked for one, and against it elsewhere.
const ANSWERS: [f32; 2] = [3.4, -1.0];

/// Against a yes that was asked for and is not all that is said: nothing outweighs it.
const UNSAID: f32 = -50.0;

/// For nothing in particular: no word that anybody knows, in answer to a yes-or-no question.
const STRANGE: f32 = 6.0;

/// For a rating where the bot asked for one, and against it elsewhere.
const RATES: [f32; 2] = [4.3, -2.5];

/// For a wish to get no more offers: offers beside a no.
const REFUSES_OFFERS: f32 = 2.4;

/// What changes a cart.
const CHANGING: [Role; 10] = [
    Role::Remove,
    Role::Add,
    Role::Another,
    Role::Again,
    Role::Same,
    Role::Make,
    Role::Change,
    Role::Usual,
    Role::Clear,
    Role::Instead,
];

/// Against such a wish: no phrase of offers at all.
const NO_OFFERS: f32 = -1.5;

/// How likely a wish to get no more offers must be to be believed. Lower than all else: to write on against somebody's
/// wish is worse than to ask.
const STOPS: f32 = 0.2;

/// The same where no phrase of offers stands beside it.
const STOPS_UNSAID: f32 = 0.5;

/// How likely the intent of a phrase must be for the phrase not to be read as part of something else.
const MEANT: f32 = 0.05;

/// How likely an order must be for what a sentence names to be read as ordered.
const ORDERED: f32 = 0.08;

/// The same where the message tells of an order that was placed, or says stop.
const ORDERED_ANEW: f32 = 0.45;

/// How likely it must be that a sentence says nothing to the shop.
const NOTHING: f32 = 0.6;

/// How likely an intent must be for it to be told.
const TELLS: f32 = 0.3;

/// A sentence and what it may be for.
#[derive(Debug, Clone)]
pub struct Sentence {
    /// First token.
    pub from: usize,
    /// First token after it and the mark that ends it.
    pub to: usize,
    /// How likely each intent is; they sum to 1.
    chances: Chances,
    /// What it is for, where it is no order.
    pub told: Option<Intent>,
    /// First token after the first product with a number or an article.
    counted: Option<usize>,
}

impl Sentence {
    /// How likely the intent is, from 0 to 1.
    pub fn chance(&self, intent: Intent) -> f32 {
        self.chances[intent as usize]
    }

    /// The likeliest intent but for a wish to get no more offers, which is judged apart.
    pub fn likeliest(&self) -> Intent {
        let chance = |intent: &&Intent| self.chance(**intent);
        let others = INTENTS.iter().filter(|&&intent| intent != Intent::StopOffers);
        *others.max_by(|a, b| chance(a).total_cmp(&chance(b))).unwrap_or(&Intent::Other)
    }

    /// Whether it is a wish to get no more offers: by a phrase longer than those that make something likelier, or by
    /// being likely enough beside phrases that are no longer.
    fn stops_offers(&self, phrases: &[Hit]) -> bool {
        let stops = self.chance(Intent::StopOffers);
        let longest = |meant: &dyn Fn(Intent) -> bool| {
            phrases.iter().filter(|hit| meant(hit.intent)).map(|hit| hit.words).max().unwrap_or(0)
        };
        let said = longest(&|intent| intent == Intent::StopOffers);
        let offers = longest(&is_of_offers).min(1);
        let least = if offers > 0 { STOPS } else { STOPS_UNSAID };
        let other = longest(&|intent| {
            class(intent) != Class::Courtesy && intent != Intent::Offers && self.chance(intent) > stops
        });
        said > other || (stops >= least && other <= said.max(offers))
    }
}

/// What each sentence of a message may be for.
pub fn sentences(
    text: &str,
    words: &[Word],
    segments: &[Segment],
    hits: &[Hit],
    has_cart: bool,
    expecting: Option<Expecting>,
    agrees: bool,
) -> Vec<Sentence> {
    let parts = parts(text, words, segments);
    let whole = (parts.len() > 1).then(|| scores(&pieces(text, words, segments)));
    let mut found = Vec::new();
    for part in parts {
        let (from, to) = (part[0].from, part[part.len() - 1].to);
        let hits: Vec<Hit> = hits.iter().filter(|hit| from <= hit.from && hit.to <= to).copied().collect();
        let counted = (0..part.len()).find(|&at| is_counted(part, at, |s| !s.products.is_empty()));
        let counted = counted.map(|at| part[at].to);
        let mut odds = scores(&pieces(text, words, part)).map(|score| score * LIKENESS);
        if let Some(whole) = &whole {
            odds.iter_mut().zip(whole).for_each(|(odds, whole)| *odds += whole * WHOLE);
        }
        weigh(&mut odds, part, &hits, has_cart, expecting, agrees);
        found.push(Sentence { from, to, chances: likely(odds), told: None, counted });
    }
    found
}

/// The sentences of a message, each with the mark that ends it; marks by themselves are none.
fn parts<'a>(text: &str, words: &[Word], segments: &'a [Segment]) -> Vec<&'a [Segment]> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in 0..segments.len() {
        // "no. 12"
        let goes_on = segments.get(at + 1).is_some_and(|next| words[next.from].token.kind == Kind::Number)
            && text[words[segments[at].from].token.from..].starts_with('.');
        if at + 1 == segments.len() || (segments[at].ends_sentence() && !goes_on) {
            let part = &segments[from..=at];
            from = at + 1;
            if part.len() == segments.len() || part.iter().any(|segment| segment.mark.is_none()) {
                found.push(part);
            }
        }
    }
    found
}

/// Adds to the odds what the phrases, the names and the bot's question tell.
fn weigh(
    odds: &mut Chances,
    part: &[Segment],
    hits: &[Hit],
    has_cart: bool,
    expecting: Option<Expecting>,
    agrees: bool,
) {
    for intent in INTENTS {
        let most = hits.iter().filter(|hit| hit.intent == *intent).map(|hit| hit.words).max().unwrap_or(0);
        if most > 0 {
            odds[*intent as usize] += match most.min(PHRASE.len()) {
                _ if *intent == Intent::Human => TROUBLE,
                words if is_common(*intent) => PHRASE[words - 1] * COMMON,
                words => PHRASE[words - 1],
            };
        }
    }
    let any = |roles: &[Role]| part.iter().any(|s| s.roles.any(roles) && !s.roles.has(Role::Polite));
    let opens = opens(part);
    let names = part.iter().any(|s| s.is_name() || !s.class.is_empty());
    let products = part.iter().filter(|s| !s.products.is_empty()).count();
    let order = &mut odds[Intent::Order as usize];
    let counted = |at| is_counted(part, at, |s| !s.products.is_empty()) || is_lacked(part, at, opens);
    if (0..part.len()).any(counted) {
        *order += if opens { COUNTED + OPENS } else { COUNTED };
    } else if products > 0 && (opens || part.iter().find(|s| s.mark.is_none()).is_some_and(Segment::is_name)) {
        *order += BEGINS;
    }
    *order += FURTHER * products.saturating_sub(1).min(MOST_FURTHER) as f32;
    if any(&CHANGING) {
        *order += if names { CHANGES_NAMED } else { CHANGES };
    }
    if opens {
        *order += OPENS;
    }
    if any(&[Role::Usual, Role::Clear]) {
        *order += WHOLE_CART;
    }
    if part.iter().any(|s| s.mark == Some(Kind::Question)) {
        *order += ASKS;
    }
    if has_cart {
        *order += CART;
    } else if !names {
        *order += NAMELESS;
    }
    if expecting == Some(Expecting::Choice) {
        *order += CHOOSES;
    }
    // "no, make it two" answers and goes on.
    let more = part.iter().any(|s| s.number.is_some() || s.is_name());
    let answers = ANSWERS[usize::from(expecting != Some(Expecting::Confirm) || more)];
    // Where a yes or a no was asked for, a word that nobody knows may be a name.
    let strange = part.iter().all(|s| s.unknown || s.roles.only(&[Role::Chatter])) && part.iter().any(|s| s.unknown);
    if expecting == Some(Expecting::Confirm) && strange {
        odds[Intent::Other as usize] += STRANGE;
    }
    let says = |intent: Intent, role: Role| {
        part.iter().any(|s| s.roles.has(role)) || hits.iter().any(|hit| hit.intent == intent)
    };
    // A yes places an order: where it was asked for, it is said in words of consent and nothing else is, however likely
    // it is.
    odds[Intent::Confirm as usize] += match expecting {
        Some(Expecting::Confirm) if !(agrees && says(Intent::Confirm, Role::Yes)) => UNSAID,
        _ => answers,
    };
    odds[Intent::Decline as usize] += if says(Intent::Decline, Role::No) { answers } else { answers.min(0.0) };
    odds[Intent::Rating as usize] += RATES[usize::from(expecting != Some(Expecting::Rating))];
    if !hits.iter().any(|hit| is_of_offers(hit.intent)) {
        odds[Intent::StopOffers as usize] += NO_OFFERS;
    }
    let refuses = part.iter().any(|s| s.roles.any(&[Role::Without, Role::Not, Role::No, Role::Remove, Role::Instead]));
    let told = |intent: Intent| hits.iter().any(|hit| hit.intent == intent);
    if refuses && (told(Intent::Offers) || told(Intent::StartOffers)) && !told(Intent::StopOffers) {
        odds[Intent::StopOffers as usize] += REFUSES_OFFERS;
    }
}

/// Whether there are words that open an order.
fn opens(part: &[Segment]) -> bool {
    part.iter().any(|s| s.roles.has(Role::Open) && !s.roles.has(Role::Polite))
}

/// Whether the intent is about offers.
fn is_of_offers(intent: Intent) -> bool {
    matches!(intent, Intent::Offers | Intent::StartOffers | Intent::StopOffers)
}

/// Whether phrases of the intent stand in messages of other intents too.
fn is_common(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::Checkout
            | Intent::Menu
            | Intent::ProductQuestion
            | Intent::PriceQuestion
            | Intent::Hours
            | Intent::Complaint
            | Intent::Points
            | Intent::Offers
            | Intent::Rating
            | Intent::Greeting
            | Intent::Thanks
    )
}

/// Whether the segment is something to buy that nobody knows: "one gondoliera", and "a gondoliera" where an order is opened.
fn is_lacked(part: &[Segment], at: usize, opens: bool) -> bool {
    let counts = |s: &Segment| s.number.is_some() || (opens && s.roles.has(Role::Article));
    part[at].unknown && at.checked_sub(1).is_some_and(|before| counts(&part[before]))
}

/// Whether the segment is such goods, with a number or an article before it, or a number right after it.
fn is_counted(part: &[Segment], at: usize, goods: impl Fn(&Segment) -> bool) -> bool {
    let between = |s: &&Segment| {
        s.number.is_none() && (s.roles.any(&[Role::Unit, Role::Of, Role::Times]) || !s.choices.is_empty())
    };
    let before = part[..at].iter().rev().find(|s| !between(s));
    let after = part[at + 1..].iter().find(|s| !s.roles.has(Role::Times));
    goods(&part[at])
        && (before.is_some_and(|s| s.number.is_some() || s.roles.has(Role::Article))
            || after.is_some_and(|s| s.number.is_some()))
}

/// What phrases and likeness together tell: marks the sentences that are no order, and gives the phrases that may be
/// meant.
pub fn judge(hits: &[Hit], sentences: &mut [Sentence]) -> Vec<Hit> {
    let mut judged = Vec::new();
    for sentence in sentences.iter_mut() {
        let within = |hit: &&Hit| sentence.from <= hit.from && hit.to <= sentence.to;
        let phrases: Vec<Hit> = hits.iter().filter(within).copied().collect();
        let stops = sentence.stops_offers(&phrases);
        let meant = |hit: &&Hit| match hit.intent {
            Intent::StopOffers => stops,
            Intent::Greeting | Intent::Thanks => true,
            intent => hit.words > 1 || sentence.chance(intent) >= MEANT,
        };
        judged.extend(phrases.iter().filter(meant));
        let main = if stops { Intent::StopOffers } else { sentence.likeliest() };
        let least = if is_about_orders(main) { ORDERED_ANEW } else { ORDERED };
        let sure = if main == Intent::Other { NOTHING } else { TELLS };
        // "two margheritas, and how long does it take?" is both: the phrase tells where the question begins.
        let asks_too = class(main) == Class::Question
            && phrases
                .iter()
                .any(|hit| hit.intent == main && sentence.counted.is_some_and(|counted| counted <= hit.from));
        if stops || (sentence.chance(Intent::Order) < least && sentence.chance(main) >= sure && !asks_too) {
            sentence.told = Some(main);
        }
    }
    // Beside a complaint or its like, a name must be ordered in so many words.
    let grave = |intent: Intent| intent == Intent::StopOffers || is_about_orders(intent);
    if sentences.iter().any(|sentence| sentence.told.is_some_and(grave)) {
        let unsure = |s: &&mut Sentence| s.told.is_none() && s.chance(Intent::Order) < ORDERED_ANEW;
        sentences.iter_mut().filter(unsure).for_each(|sentence| sentence.told = Some(Intent::Other));
    }
    judged
}

/// Whether an intent that was read is likely enough to be told. What asks the shop to act comes before all else, and so
/// must be likelier than what only asks.
pub fn is_told(intent: Intent, sentences: &[Sentence]) -> bool {
    class(intent) != Class::Act || intent == Intent::StopOffers || chance(sentences, intent) >= TELLS
}

/// Whether the intent is about orders that were placed, so that what it names is in one of them.
fn is_about_orders(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::ChangeOrder
            | Intent::CancelOrder
            | Intent::TrackOrder
            | Intent::Complaint
            | Intent::Refund
            | Intent::Human
    )
}

/// How likely an intent is in the sentence where it is likeliest.
pub fn chance(sentences: &[Sentence], intent: Intent) -> f32 {
    sentences.iter().map(|sentence| sentence.chance(intent)).fold(0.0, f32::max)
}

/// The pieces of segments, what they name being masked.
fn pieces<'a>(text: &str, words: &'a [Word], segments: &[Segment]) -> Vec<&'a str> {
    let opens = opens(segments);
    let mut found = Vec::new();
    for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| !segment.told) {
        // "a pizza" is ordered, while "any pizzas?" asks for the menu.
        let counted = is_counted(segments, at, |s| !s.class.is_empty()) || is_lacked(segments, at, opens);
        if !segment.products.is_empty() || counted {
            found.push(PRODUCT);
        } else if !segment.choices.is_empty() {
            found.push(OPTION);
        } else {
            found.extend(words[segment.from..segment.to].iter().filter_map(|word| features::piece(&word.token, text)));
        }
    }
    found
}

/// What the model says for each intent: the logarithm of its likelihood, up to a constant.
fn scores(pieces: &[&str]) -> Chances {
    let mut sums = [0.0_f32; KINDS];
    for (hash, value) in features::features(pieces) {
        let Some(row) = row(hash) else { continue };
        let weights = &WEIGHTS[row * INTENTS.len()..][..INTENTS.len()];
        for (sum, &weight) in sums.iter_mut().zip(weights) {
            *sum += value * f32::from(weight as i8);
        }
    }
    let mut scores = [f32::NEG_INFINITY; KINDS];
    for (&intent, sum) in INTENTS.iter().zip(sums) {
        scores[intent as usize] = sum * UNIT;
    }
    scores
}

/// The row of a feature's weights.
fn row(hash: u32) -> Option<usize> {
    let number = (hash >> (u32::BITS - BITS_OF_INDEX)) as usize;
    let (begin, end) = (INDEX[number], INDEX[number + 1]);
    HASHES[begin..end].binary_search(&hash).ok().map(|at| begin + at)
}

/// Chances that sum to 1.
fn likely(scores: Chances) -> Chances {
    let most = scores.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let chances = scores.map(|score| (score - most).exp());
    let sum: f32 = chances.iter().sum();
    chances.map(|chance| chance / sum)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_intent_has_examples() {
        let named: HashSet<Intent> = INTENTS.iter().copied().collect();
        assert_eq!((named.len(), INTENTS.len()), (KINDS, KINDS));
        assert_eq!(WEIGHTS.len(), HASHES.len() * INTENTS.len());
        assert!(HASHES.is_sorted());
        assert!(HASHES.iter().enumerate().all(|(at, &hash)| row(hash) == Some(at)));
    }

    #[test]
    fn likeness_goes_by_words_and_by_parts_of_words() {
        let likeliest = |pieces: &[&str]| {
            let scores = scores(pieces);
            *INTENTS.iter().max_by(|a, b| scores[**a as usize].total_cmp(&scores[**b as usize])).unwrap()
        };
        assert_eq!(likeliest(&["has", "the", "courier", "left", "already", "?"]), Intent::TrackOrder);
        assert_eq!(likeliest(&["{n}", "{p}", "and", "a", "{p}"]), Intent::Order);
        assert_eq!(likeliest(&["плиз", "удалите", "данные", "обо", "мне"]), Intent::MyData);
        assert_eq!(likeliest(&["slutt", "med", "reklamen"]), Intent::StopOffers);
    }
}
