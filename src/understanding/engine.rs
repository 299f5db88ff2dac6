//! The engine: a catalogue's names and all lexicons, compiled once, and the steps of reading one message. The steps
//! only ever mark segments as used; what is left over at the end is what the message said that nobody understood.

use super::{
    Expecting, Intent, LONGEST_MESSAGE, Lexicons, Reading, Utterance,
    apply::{self, Outcome},
    detect,
    intent::{self, Class, Hit},
    items::{self, Around},
    kind::{self, Sentence},
    lexicon::Role,
    names::{NameBook, NameWords},
    segment::{self, Segment, Word},
    shop::Shop,
    text::{self, Kind},
};
use crate::{cart::Cart, catalog::Catalog, language::Language};

/// From so many words on, within the first half of a message, words of a greeting are no greeting.
const LATEST_GREETING: usize = 1;

/// Most words and marks of a message that may ask to be waited for; in longer ones something else is said too.
const LONGEST_PAUSE: usize = 12;

/// Reads the messages of one shop's customers.
pub struct Engine {
    pub(super) lexicons: Lexicons,
    pub(super) book: NameBook,
    pub(super) shop: Shop,
}

/// What the steps hand on.
pub(super) struct Draft<'a> {
    pub(super) text: &'a str,
    pub(super) words: Vec<Word>,
    pub(super) segments: Vec<Segment>,
    pub(super) hits: Vec<Hit>,
    /// What the sentences may be for.
    pub(super) sentences: Vec<Sentence>,
    /// The answer, where the message is nothing but a yes or a no.
    pub(super) answer: Option<bool>,
    /// Pieces with numbers that can't be ordered: "-2 cola", "1.5 margherita".
    pub(super) refused: Vec<String>,
}

impl Engine {
    /// Gathers the names of a catalogue.
    pub fn compile(catalog: &Catalog, lexicons: &Lexicons) -> Engine {
        let mut words = NameWords::default();
        let shop = Shop::of(catalog, &mut words);
        Engine { lexicons: lexicons.clone(), book: NameBook::compile(catalog, &shop, words, lexicons), shop }
    }

    /// Reads a message. Never fails: what is not understood is said in the reading.
    pub fn read(&self, utterance: &Utterance<'_>) -> Reading {
        let text = cut(utterance.text);
        let mut words =
            segment::words(text, text::without_enumeration(text, text::tokens(text)), &self.book, &self.lexicons);
        let prior = utterance.language.or(utterance.prior);
        let own = self.shop.languages.first().copied();
        // A name or an address is in no language.
        let free = matches!(utterance.expecting, Some(Expecting::Name | Expecting::Address));
        let spoken =
            utterance.language.or(prior.filter(|_| free)).and_then(|language| self.lexicons.position(language));
        let language = spoken.unwrap_or_else(|| detect::language(&words, &self.lexicons, prior, own));
        let pause = self.is_pause(&words);
        let segments = segment::segments(&mut words, language, &self.book, &self.shop, &self.lexicons);
        let hits = intent::hits(&words, &segments, language, &self.lexicons);
        let mut draft = Draft { text, words, segments, hits, sentences: Vec::new(), answer: None, refused: Vec::new() };
        let spoken = utterance.language.unwrap_or(self.lexicons.all()[language].language);
        let undo = draft.is_undo();
        let pause = pause && !draft.segments.iter().any(Segment::is_name);
        let mut reading = Reading { undo, pause, ..Reading::of(Intent::Other, spoken, utterance.cart.clone()) };
        if undo || pause {
            reading.confidence = 1.0;
            return reading;
        }
        if self.answers_freely(&draft, utterance, &mut reading) {
            return reading;
        }
        reading.fragment = is_fragment(&draft, utterance);
        draft.allergies(&mut reading);
        draft.drop_weak_hits();
        draft.judge(utterance);
        draft.spend_hits(utterance.expecting);
        draft.telephones();
        draft.times(&mut reading);
        draft.names(&mut reading);
        draft.fulfilment(&mut reading);
        draft.streets(&mut reading);
        draft.spend_told();
        self.measures(&mut draft);
        draft.drop_echoes();
        draft.refuse_odd_numbers();
        draft.spend_times();
        let mut cart = utterance.cart.clone();
        let settled = utterance.expecting == Some(Expecting::Choice) && self.settle(&mut draft, &mut cart);
        let settled = self.halves(&mut draft, &mut cart) || settled;
        let settled = self.keep_only(&mut draft, &mut cart) || settled;
        let there: Vec<Vec<usize>> = cart.lines.iter().map(|line| self.shop.products_of(line)).collect();
        self.headings(&mut draft, &there);
        self.classes(&mut draft, &there);
        self.narrow(&mut draft);
        self.ellipsis(&mut draft);
        self.find_in_cart(&mut draft, &cart);
        let known = |cart: &Cart| cart.lines.iter().map(|line| self.shop.known(line)).collect::<Vec<_>>();
        let pieces = items::pieces(
            &draft.segments,
            &self.shop,
            Around {
                cart: &known(&cart),
                usual: &known(utterance.usual),
                mentions: draft.mentioned().len() == 1,
                choosing: utterance.expecting == Some(Expecting::Choice),
            },
        );
        let outcome = apply::apply(&pieces.pieces, &cart, utterance.usual, &draft.mentioned(), &self.shop);
        let strays: Vec<usize> = pieces.stray.iter().chain(&outcome.homeless).copied().collect();
        self.conclude(&draft, utterance, outcome, settled, &strays, &mut reading);
        reading
    }

    /// Whether words do nothing but ask to be waited for, in any language: "ok, one moment" is no yes. They are taken as
    /// written, before anything is mended in them.
    fn is_pause(&self, words: &[Word]) -> bool {
        if words.len() > LONGEST_PAUSE || words.iter().any(|word| word.token.kind == Kind::Question) {
            return false;
        }
        let says = |word: &&Word| text::is_word(&word.token) || word.token.kind == Kind::Sign;
        let said: Vec<&str> = words.iter().filter(says).map(|word| word.token.text.as_str()).collect();
        let said = said.join(" ");
        self.lexicons.all().iter().any(|lexicon| lexicon.is_pause(&said))
    }

    /// The languages that the engine reads.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        self.lexicons.languages()
    }

    /// Intent, confidence and what was left over.
    fn conclude(
        &self,
        draft: &Draft<'_>,
        utterance: &Utterance<'_>,
        outcome: Outcome,
        settled: bool,
        strays: &[usize],
        reading: &mut Reading,
    ) {
        let changed = outcome.acted || settled;
        let live = |s: &&Segment| !s.dead;
        let opened = draft.segments.iter().filter(live).any(|s| {
            s.roles.any(&[Role::Open, Role::Add, Role::Remove]) && !s.roles.has(Role::Polite) || s.number.is_some()
        });
        reading.unmatched = draft.unmatched(strays, utterance.expecting == Some(Expecting::Choice), changed);
        let chance = |intent: Intent| kind::chance(&draft.sentences, intent);
        let told = |intent: &Intent| kind::is_told(*intent, &draft.sentences);
        // "delivery", "to Storgata 5": told, and nothing asked, though it is like questions.
        let answers = reading.fulfilment.is_some() && draft.segments.iter().all(|s| s.mark != Some(Kind::Question));
        let likely = draft.sentences.iter().filter_map(|sentence| sentence.told);
        // "pickup, my name is Kim" tells a name, and asks for no data.
        let introduced = reading.name.is_some();
        let likely = likely.filter(|intent| match intent {
            Intent::DeliveryQuestion | Intent::ChangeOrder => !answers,
            Intent::MyData => !introduced,
            _ => true,
        });
        let intents = draft.hits.iter().map(|hit| hit.intent).chain(likely);
        let mut found: Vec<(Intent, f32)> = intents.filter(told).map(|intent| (intent, chance(intent))).collect();
        let names = draft.segments.iter().filter(live).any(Segment::is_name);
        // "a motor boat" names goods, whether or not the shop has them.
        let mut after = draft.segments.iter().skip_while(|s| !s.is(Role::Article));
        let counted = after.any(|s| !s.dead && s.unknown);
        if changed
            || !draft.refused.is_empty()
            || ((opened || names || counted) && !reading.unmatched.is_empty())
            || draft.live(Role::Usual)
            || draft.sentences.iter().any(|sentence| sentence.likeliest() == Intent::Order)
        {
            found.push((Intent::Order, chance(Intent::Order)));
        }
        if let Some(yes) = draft.answer
            && !changed
        {
            let intent = if yes { Intent::Confirm } else { Intent::Decline };
            let asked = utterance.expecting == Some(Expecting::Confirm);
            let courtesy = found.iter().any(|(intent, _)| intent::class(*intent) == Class::Courtesy);
            // "ok thanks" agrees to nothing, "no thanks" declines.
            let thanks = yes && courtesy;
            if asked || !thanks && found.iter().all(|(intent, _)| intent::class(*intent) <= Class::Courtesy) {
                found.push((intent, if asked { 1.0 } else { chance(intent) }));
            }
        }
        if utterance.expecting == Some(Expecting::Rating) && !changed_by_name(draft) {
            let stars = draft.words.iter().any(|word| matches!(word.token.text.as_str(), "⭐" | "★" | "🌟"));
            if stars || draft.segments.iter().any(|s| s.number.is_some()) {
                found.retain(|(intent, _)| *intent != Intent::Order);
                found.push((Intent::Rating, 1.0));
            }
        }
        (reading.intent, reading.also) = intent::main_of(found, utterance.expecting);
        let rated = reading.intent == Intent::Rating && utterance.expecting == Some(Expecting::Rating);
        if changed && !rated {
            reading.cart = outcome.cart;
        }
        let mut confidence: f32 = match reading.intent {
            Intent::Order => 0.97,
            intent => chance(intent),
        };
        if reading.intent == Intent::Order {
            confidence -= 0.15 * reading.unmatched.len().min(4) as f32;
            confidence -= 0.05 * draft.segments.iter().filter(|s| !s.dead && s.loose).count().min(4) as f32;
            if outcome.inferred {
                confidence -= 0.1;
            }
            if !changed {
                confidence -= 0.3;
            }
        }
        if !draft.words.iter().any(|word| text::is_word(&word.token)) && reading.intent == Intent::Other {
            confidence = 0.0;
        }
        reading.confidence = confidence.clamp(0.0, 1.0);
    }
}

/// Whether the message names something to buy.
fn changed_by_name(draft: &Draft<'_>) -> bool {
    draft.segments.iter().any(|s| !s.dead && s.is_name())
}

impl Draft<'_> {
    /// Whether the message is nothing but "undo" with courtesy.
    fn is_undo(&self) -> bool {
        self.segments.iter().any(|s| s.roles.has(Role::Undo))
            && self.segments.iter().all(|s| {
                s.mark.is_some_and(|mark| mark != Kind::Question)
                    || s.roles.any(&[Role::Undo, Role::Polite, Role::No, Role::Definite, Role::Stop, Role::Chatter])
            })
    }

    fn live(&self, role: Role) -> bool {
        self.segments.iter().any(|s| s.is(role))
    }

    /// Forgets questions and opinions in the middle of an order: "a pizza which is small in size".
    fn drop_weak_hits(&mut self) {
        let (segments, words) = (&self.segments, &self.words);
        self.hits.retain(|hit| {
            let Some(first) = segments.iter().position(|s| s.to > hit.from) else { return true };
            let begin = segments[..first].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
            // "is it ok if I get" asks nothing.
            let opens = segments[first].roles.any(&[Role::Open, Role::Polite]) && hit.to <= segments[first].to;
            if opens && intent::class(hit.intent) == Class::Question {
                return false;
            }
            if hit.intent == Intent::DeliveryQuestion {
                // "you deliver to" is a question in some languages, unless an address with its number follows.
                let mut rest = segments[begin..].iter().skip_while(|s| !s.roles.has(Role::Address));
                let addressed = rest.next().is_some()
                    && rest.take_while(|s| !s.ends_sentence()).any(|s| words[s.from].token.kind == Kind::Number);
                let end = segments[first..].iter().find(|s| s.ends_sentence());
                return !(addressed && end.is_none_or(|s| s.mark != Some(Kind::Question)));
            }
            // "I dreamt of it this morning" greets nobody.
            if hit.intent == Intent::Greeting && hit.from >= LATEST_GREETING && hit.from < words.len() / 2 {
                return false;
            }
            // "môre" greets at the beginning and means tomorrow elsewhere.
            if hit.intent == Intent::Greeting && segments[first].roles.has(Role::When) {
                let timed = segments.get(first + 1).is_some_and(|s| s.roles.any(&[Role::Clock, Role::When]));
                return first == 0 && !timed;
            }
            if !matches!(hit.intent, Intent::ProductQuestion | Intent::Rating | Intent::Menu) {
                return true;
            }
            let before = &segments[begin..first];
            let opened = before.iter().any(|s| s.roles.has(Role::Open)) && before.iter().any(Segment::is_name);
            let starts = before
                .last()
                .is_none_or(|s| s.mark.is_some() || s.roles.any(&[Role::And, Role::But, Role::Polite]) && !s.is_name());
            !opened || starts
        });
    }

    /// Weighs the phrases against everything else that tells what a sentence is for.
    fn judge(&mut self, utterance: &Utterance<'_>) {
        self.answer = self.yes_or_no();
        let (has_cart, expecting) = (!utterance.cart.is_empty(), utterance.expecting);
        let agrees = self.answer == Some(true);
        self.sentences =
            kind::sentences(self.text, &self.words, &self.segments, &self.hits, has_cart, expecting, agrees);
        self.hits = kind::judge(&self.hits, &mut self.sentences);
    }

    /// Marks what the phrases of intents have used: their own words, and where they ask or complain, what they ask or
    /// complain about.
    fn spend_hits(&mut self, expecting: Option<Expecting>) {
        for at in 0..self.hits.len() {
            let hit = self.hits[at];
            let inside = |s: &Segment| s.from >= hit.from && s.to <= hit.to;
            let Some(first) = self.segments.iter().position(|s| s.to > hit.from) else { continue };
            let begin = self.segments[..first].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
            let end = self.segments[first..]
                .iter()
                .position(Segment::ends_sentence)
                .map_or(self.segments.len(), |stop| first + stop);
            let small = intent::class(hit.intent) == Class::Courtesy
                || hit.intent == Intent::Checkout
                || (hit.intent == Intent::Rating && expecting != Some(Expecting::Rating));
            if small {
                for segment in
                    self.segments.iter_mut().filter(|s| inside(s) && (!s.is_name() || s.roles.has(Role::Polite)))
                {
                    segment.dead = true;
                }
                continue;
            }
            // An order before or after the question, in the same sentence, stands.
            let opens = |s: &Segment| s.roles.any(&[Role::Open, Role::Add, Role::Usual]) && !s.roles.has(Role::Polite);
            let ordered_before = self.segments[begin..first]
                .iter()
                .any(|s| !s.dead && (opens(s) || s.number.is_some() || s.roles.has(Role::Article)))
                && self.segments[begin..first].iter().any(Segment::is_name);
            let from = if ordered_before { first } else { begin };
            let until =
                (first..end).find(|&s| self.segments[s].from >= hit.to && opens(&self.segments[s])).unwrap_or(end);
            for segment in &mut self.segments[from..until] {
                segment.dead = true;
            }
        }
    }

    /// Marks what stands in sentences that are no order.
    fn spend_told(&mut self) {
        for sentence in self.sentences.iter() {
            let Some(told) = sentence.told else { continue };
            // "and three white loaves, thank you" orders all the same.
            let mut own = self.segments.iter().filter(|s| sentence.from <= s.from && s.to <= sentence.to);
            let counts = own.clone().any(|s| !s.dead && s.number.is_some() && !s.is_name());
            if intent::class(told) == Class::Courtesy && counts && own.any(|s| !s.dead && !s.products.is_empty()) {
                continue;
            }
            let within = |s: &&mut Segment| sentence.from <= s.from && s.to <= sentence.to;
            self.segments.iter_mut().filter(within).for_each(|segment| segment.dead = true);
        }
    }

    /// Products that the message names where it orders nothing.
    fn mentioned(&self) -> Vec<usize> {
        let mut found: Vec<usize> =
            self.segments.iter().filter(|s| s.dead && !s.told).flat_map(|s| s.products.iter().copied()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn spend_to(&mut self, from: usize, last: usize) {
        for segment in &mut self.segments[from..=last] {
            segment.dead = true;
        }
    }

    /// Marks numbers that are times: "at 7", "kl 18", "in 30 minutes". Those of the order are told already.
    fn spend_times(&mut self) {
        for at in 0..self.segments.len() {
            let clock = |s: &Segment| !s.dead && s.roles.has(Role::Clock) && !s.is_name();
            let segment = &self.segments[at];
            if segment.number.is_none() || segment.dead || segment.is_name() {
                continue;
            }
            let before = at.checked_sub(1).is_some_and(|b| clock(&self.segments[b]));
            let after = self.segments.get(at + 1).is_some_and(clock);
            let counts = self.segments.get(at + 1).is_some_and(|s| s.is_name() || s.roles.has(Role::Unit));
            if (before && !counts) || after {
                self.segments[at].dead = true;
            }
        }
        for segment in &mut self.segments {
            segment.dead |= segment.roles.only(&[Role::Clock, Role::Stop, Role::Chatter])
                && segment.roles.has(Role::Clock)
                && !segment.is_name();
        }
    }
}

/// At most [`LONGEST_MESSAGE`] characters of a text.
pub(super) fn cut(text: &str) -> &str {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

/// Whether the text waits for its other half.
fn is_fragment(draft: &Draft<'_>, utterance: &Utterance<'_>) -> bool {
    let words = draft.segments.iter().filter(|s| s.mark.is_none()).count();
    if words == 0 || draft.segments.iter().any(|s| s.mark == Some(Kind::Question)) {
        return false;
    }
    if draft.yes_or_no().is_some() {
        return false;
    }
    if let Some(last) = draft.segments.iter().rfind(|s| s.mark != Some(Kind::Sign)) {
        let hangs = matches!(last.mark, Some(Kind::Comma | Kind::Dots))
            || (last.mark.is_none()
                && !last.is_name()
                && last.roles.any(&[Role::And, Role::Or, Role::With, Role::Without, Role::Article])
                && !last.roles.any(&[Role::Polite, Role::Again, Role::Another]));
        if hangs {
            return true;
        }
    }
    if !draft.hits.is_empty() {
        return false;
    }
    let answering = utterance.expecting.is_some() || !utterance.cart.is_empty();
    draft.segments.iter().all(|s| {
        s.mark.is_some_and(|mark| mark == Kind::Sign)
            || (!s.is_name()
                && !s.unknown
                && s.class.is_empty()
                && ((s.number.is_some() && !answering)
                    || s.roles.any(&[
                        Role::Open,
                        Role::Article,
                        Role::Definite,
                        Role::And,
                        Role::Or,
                        Role::With,
                        Role::Add,
                        Role::Times,
                        Role::Unit,
                        Role::Polite,
                    ])))
    }) && draft
        .segments
        .iter()
        .any(|s| s.number.is_some() || s.roles.any(&[Role::Open, Role::Article, Role::And, Role::Add, Role::Definite]))
}
