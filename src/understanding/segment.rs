//! A message cut into segments, each a name of the catalogue, a phrase of the language, a number, a mark or an unknown
//! word. Of all ways to cut it the cheapest is taken: few segments, names as written before inflected ones, known
//! words before unknown. Unknown words are then compared with the catalogue's, letter by letter, and cut once more.

use std::sync::Arc;

use foldhash::HashMap;

use super::{
    lexicon::{Lexicons, Meaning, Role, Roles},
    names::{Form, Gathered, MOST_AMBIGUOUS, Name, NameBook, Thing, WordId},
    sense::{self, Sense, Tongues},
    shop::Shop,
    text::{Kind, Token},
};

/// Longest run of digits that can be a quantity; longer ones are postcodes, telephone numbers and the like.
pub const LONGEST_QUANTITY: usize = 5;

/// Fewest letters of a word that a "2" repeats; shorter ones are units.
const SHORTEST_REPEATED: usize = 3;

/// Fewest letters of a word that "one" may be written to.
const SHORTEST_COUNTED: usize = 3;

/// Most different unknown words of a message that are compared with the catalogue's words.
const MOST_FUZZY: usize = 24;

const COST_KNOWN: f32 = 1.0;
const COST_STEMMED: f32 = 0.05;
const COST_MOVED: f32 = 0.1;
const COST_FOREIGN: f32 = 0.3;
const COST_PART: f32 = 0.6;
const COST_UNKNOWN: f32 = 2.4;
const COST_HEADING: f32 = 1.2;

/// A piece of a message with all that it may mean.
#[derive(Debug, Clone, Default)]
pub struct Segment {
    /// First token.
    pub from: usize,
    /// First token after it.
    pub to: usize,
    /// What it does in the language.
    pub roles: Roles,
    /// How many it says.
    pub number: Option<u32>,
    /// Whether that is written in digits.
    pub digits: bool,
    /// Which in a row it says.
    pub ordinal: Option<u32>,
    /// Products of that name.
    pub products: Vec<usize>,
    /// Choices of that name.
    pub choices: Vec<(usize, usize)>,
    /// Products of the class that it names, in ascending order.
    pub class: Arc<[usize]>,
    /// Groups of options of that name.
    pub groups: Vec<usize>,
    /// Of an option that is wished for one half alone: that half.
    pub half: Option<(usize, usize)>,
    /// The mark, where it is one.
    pub mark: Option<Kind>,
    /// Whether nothing is known of it.
    pub unknown: bool,
    /// Whether a misspelling was mended or a part of a name taken for the whole.
    pub loose: bool,
    /// The form of a part of a name that was taken for the whole.
    pub part: Option<Form>,
    /// Whether an ending says "the": Norwegian "pizzaen", Indonesian "pizzanya".
    pub definite: bool,
    /// Whether earlier steps have used it up.
    pub dead: bool,
    /// Whether it tells of something beside goods: a time, an allergy, a name, an address.
    pub told: bool,
}

/// A token with what is known of it.
#[derive(Debug, Clone)]
pub struct Word {
    /// As it stands in the message.
    pub token: Token,
    /// What else is known of it.
    pub sense: Arc<Sense>,
    /// Whether a misspelling was mended.
    pub mended: bool,
    /// Whether it begins with a capital letter.
    pub capital: bool,
}

impl Segment {
    /// Whether it names something of the catalogue.
    pub fn is_name(&self) -> bool {
        !self.products.is_empty() || !self.choices.is_empty()
    }

    /// Whether it is a word of a language that does nothing in an order.
    pub fn is_silent(&self) -> bool {
        let says = self.is_name() || !self.class.is_empty() || !self.groups.is_empty() || self.number.is_some();
        !self.dead && !says && !self.unknown && self.mark.is_none() && self.ordinal.is_none() && self.roles.is_empty()
    }

    /// Whether it has the role, and is still to be read.
    pub fn is(&self, role: Role) -> bool {
        !self.dead && self.roles.has(role)
    }

    /// Whether it is a mark that ends a sentence.
    pub fn ends_sentence(&self) -> bool {
        matches!(self.mark, Some(Kind::Stop | Kind::Question))
    }
}

/// Looks up each token of a text.
pub fn words(text: &str, tokens: Vec<Token>, book: &NameBook, lexicons: &Lexicons) -> Vec<Word> {
    let senses = book.senses(tokens.iter().map(|token| token.text.as_str()), lexicons);
    let word = |(token, sense): (Token, Arc<Sense>)| {
        let capital = text[token.from..].starts_with(char::is_uppercase);
        Word { token, sense, mended: false, capital }
    };
    tokens.into_iter().zip(senses).map(word).collect()
}

/// Cuts a message; `language` is the place of its lexicon. Misspelt words are mended in `words`.
pub fn segments(
    words: &mut Vec<Word>,
    language: usize,
    book: &NameBook,
    shop: &Shop,
    lexicons: &Lexicons,
) -> Vec<Segment> {
    let lexicon = &lexicons.all()[language];
    if lexicon.reduplicates {
        repeat(words, book, lexicons);
    }
    if let (Some(prefix), Some(one)) = (&lexicon.one_prefix, lexicon.number_words(1).next()) {
        part_ones(words, prefix, one, language, book, lexicons);
    }
    let first = cut(words, language, book, lexicons);
    let parted = lexicons.all()[language].compounds && part_compounds(words, &first, language, book, lexicons);
    let first = if parted { cut(words, language, book, lexicons) } else { first };
    let mended = mend(words, &first, language, book, lexicons);
    let mut segments = if mended { cut(words, language, book, lexicons) } else { first };
    join_neighbours(&mut segments);
    drop_loose_parts(&mut segments, shop);
    if lexicons.all()[language].noun_first {
        drop_kinds_of_unknown(&mut segments);
    }
    drop_described(words, &mut segments, book, shop);
    saturate(words, &mut segments);
    segments
}

/// A number too long for a quantity is, right before a product, as many as can be said: the shop is to see that it is
/// too many rather than bring one.
fn saturate(words: &[Word], segments: &mut [Segment]) {
    for at in 0..segments.len() {
        let segment = &segments[at];
        let token = &words[segment.from].token;
        let long = token.kind == Kind::Number
            && segment.to == segment.from + 1
            && token.text.len() > LONGEST_QUANTITY
            && !token.text.starts_with('0')
            && token.text.chars().all(|c| c.is_ascii_digit());
        let product = segments[at + 1..].iter().find(|s| !s.roles.any(&[Role::Times, Role::Unit]) || s.is_name());
        if long && product.is_some_and(|s| !s.products.is_empty()) {
            segments[at].number = Some(u32::MAX);
        }
    }
}

fn cut(words: &[Word], language: usize, book: &NameBook, lexicons: &Lexicons) -> Vec<Segment> {
    let count = words.len();
    let joined = joined(words, book, lexicons);
    let scan = Scan { words, joined: &joined, language, book, lexicons };
    let mut found = Vec::new();
    let mut best: Vec<(f32, Option<(usize, Segment)>)> = vec![(f32::INFINITY, None); count + 1];
    best[0].0 = 0.0;
    for at in 0..count {
        let base = best[at].0;
        let mut offer = |cost: f32, segment: Segment| {
            let slot = &mut best[segment.to];
            if base + cost < slot.0 - 1e-4 {
                *slot = (base + cost, Some((at, segment)));
            }
        };
        let token = &words[at].token;
        if !matches!(token.kind, Kind::Word | Kind::Number) {
            let mut segment = Segment { from: at, to: at + 1, mark: Some(token.kind), ..Segment::default() };
            if token.kind == Kind::Sign
                && let Some(meaning) = words[at].sense.tongues[language].meaning
            {
                segment.roles = meaning.roles;
            }
            offer(0.0, segment);
            continue;
        }
        scan.candidates(at, &mut found);
        for (cost, segment) in found.drain(..) {
            offer(cost, segment);
        }
    }
    let mut segments = Vec::new();
    let mut at = count;
    while at > 0 {
        let Some((from, segment)) = best[at].1.take() else { break };
        segments.push(segment);
        at = from;
    }
    segments.reverse();
    segments
}

/// Two names side by side of which one is a part, or may be several things, are one thing where only that has both:
/// "rump steaks" are no rump and steaks.
fn join_neighbours(segments: &mut Vec<Segment>) {
    let mut at = 1;
    while at < segments.len() {
        let (first, second) = (&segments[at - 1], &segments[at]);
        let open = |s: &Segment| s.part.is_some() || s.products.len() > 1;
        let common: Vec<usize> = first.products.iter().filter(|p| second.products.contains(p)).copied().collect();
        if !common.is_empty() && first.products != second.products && (open(first) || open(second)) {
            let to = second.to;
            let first = &mut segments[at - 1];
            first.to = to;
            first.products = common;
            first.choices.clear();
            first.part = None;
            segments.remove(at);
        } else {
            at += 1;
        }
    }
}

/// A part of a name beside a whole one merely describes it: "grilled chicken" is no "grilled vegetables", "ranch
/// dressing" no "caesar dressing". But "lunch pizza" is one of the lunch size, and "unscented wipes" are wipes.
fn drop_loose_parts(segments: &mut [Segment], shop: &Shop) {
    for at in 0..segments.len() {
        let after = segments.get(at + 1);
        let before = at.checked_sub(1).map(|b| &segments[b]);
        let (products, choices) = match segments[at].part {
            Some(Form::Head) => {
                let sized = after.is_some_and(|s| {
                    s.part.is_none()
                        && shop.exclusive(&shop.fitting(&s.products, &segments[at].choices))
                        && !shop.fitting(&s.products, &segments[at].choices).is_empty()
                });
                let plain = |s: &Segment| {
                    s.mark.is_none()
                        && !s.is_name()
                        && s.number.is_none()
                        && s.class.is_empty()
                        && s.roles.only(&[Role::Stop, Role::Chatter])
                };
                let fits = after.is_some_and(|s| {
                    s.products.is_empty() && !shop.fitting(&segments[at].products, &s.choices).is_empty()
                });
                let describes = after.is_some_and(|s| s.is_name() && !fits || s.unknown || plain(s));
                (describes, describes && !sized)
            }
            Some(Form::Tail) if segments[at].to - segments[at].from == 1 => {
                let named = |b: &Segment| b.is_name() && b.part.is_none();
                let fits = |b: &Segment| !shop.fitting(&segments[at].products, &b.choices).is_empty();
                (before.is_some_and(|b| named(b) && !fits(b)), before.is_some_and(named))
            }
            _ => (false, false),
        };
        if products {
            segments[at].products.clear();
        }
        if choices {
            segments[at].choices.clear();
        }
    }
}

/// Right behind an unknown noun the end of a name says what kind of that noun it is: "krupuk putih" is no "kayu putih".
fn drop_kinds_of_unknown(segments: &mut [Segment]) {
    for at in 1..segments.len() {
        let kind = segments[at].part == Some(Form::Tail) && segments[at].roles.is_empty();
        if segments[at - 1].unknown && kind {
            segments[at].products.clear();
            segments[at].choices.clear();
            segments[at].unknown = true;
        }
    }
}

/// "jalapeño peppers" are jalapeños, which the file lists in the plural: a word with which several choices' names end, right
/// behind the singular of one of its group and itself in the plural, says what kind of thing that is.
fn drop_described(words: &[Word], segments: &mut [Segment], book: &NameBook, shop: &Shop) {
    let alone = |s: &Segment| s.to - s.from == 1 && s.products.is_empty() && s.mark.is_none();
    let singular = |s: &Segment, (group, choice): (usize, usize)| {
        let (said, names) = (&words[s.from].token.text, &shop.groups[group].names[choice]);
        let shown = names.first().and_then(|name| name.last()).map(|&word| book.words.text(word));
        shown.is_some_and(|shown| shown.len() > said.len() && shown.starts_with(said.as_str()))
    };
    let plural = |s: &Segment| {
        let word = &words[s.from];
        let shorter = |step: &sense::Step| {
            let text = book.words.text(step.first);
            !step.exact
                && step.second.is_none()
                && text.len() < word.token.text.len()
                && word.token.text.starts_with(text)
        };
        word.sense.steps.iter().any(shorter)
    };
    for at in 1..segments.len() {
        let (before, segment) = (&segments[at - 1], &segments[at]);
        let ([first], [(group, choice)]) = (&before.choices[..], &segment.choices[..]) else { continue };
        if first.0 != *group || first.1 == *choice || !alone(before) || !alone(segment) {
            continue;
        }
        if !singular(before, *first) || !plural(segment) {
            continue;
        }
        let ends = |name: &[WordId]| {
            name.len() > 1 && name.last().is_some_and(|&last| words[segment.from].sense.is_form_of(last))
        };
        let others = shop.groups[*group].names.iter().enumerate().filter(|(other, _)| other != choice);
        if others.filter(|(_, names)| names.iter().any(|name| ends(name))).count() > 1 {
            segments[at].choices.clear();
        }
    }
}

/// A message about to be cut.
struct Scan<'a> {
    words: &'a [Word],
    /// For each word that and the next as one, where a name has such a word.
    joined: &'a [Option<Arc<Sense>>],
    language: usize,
    book: &'a NameBook,
    lexicons: &'a Lexicons,
}

/// A way into the tree of names.
#[derive(Clone, Copy)]
struct Way {
    place: u32,
    next: usize,
    /// The lexicons whose endings were taken for the names' own.
    tongues: Tongues,
    /// Whether the words are the names' own letter by letter.
    exact: bool,
    /// Whether the message wrote two words of the name as one.
    squeezed: bool,
    skipped: Skipped,
}

/// Which word within a name was skipped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Skipped {
    None,
    /// The one before; whether the name goes on is yet to be seen.
    Now,
    /// "and".
    And,
    /// "the", "of".
    Small,
}

impl Scan<'_> {
    /// Puts everything that may begin at a word, with its cost, into `found`.
    fn candidates(&self, at: usize, found: &mut Vec<(f32, Segment)>) {
        let word = &self.words[at];
        let meanings = self.meanings(at);
        let mut ways = self.ways(at);
        ways.sort_by_key(|way| way.next);
        for ways in ways.chunk_by(|a, b| a.next == b.next) {
            let to = ways[0].next;
            found.extend(self.name(at, to, ways, meanings.get(to - at - 1).copied().flatten()));
        }
        // Phrases of the language.
        for (length, meaning) in (1..).zip(meanings) {
            // Names of the same words carry the meaning already.
            if let Some(meaning) = meaning.filter(|_| !found.iter().any(|(_, other)| other.to == at + length)) {
                let mut segment = Segment { from: at, to: at + length, ..Segment::default() };
                take(&mut segment, meaning);
                found.push((COST_KNOWN, segment));
            }
        }
        if word.token.kind == Kind::Number {
            // "0556" is a postcode, no quantity.
            let counts = |t: &&String| t.len() <= LONGEST_QUANTITY && (t.len() == 1 || !t.starts_with('0'));
            let number = Some(&word.token.text).filter(counts).and_then(|t| t.parse().ok());
            found.push((COST_KNOWN, Segment { from: at, to: at + 1, number, digits: true, ..Segment::default() }));
        }
        if !found.iter().any(|(_, segment)| segment.to == at + 1) {
            let mut segment = Segment { from: at, to: at + 1, unknown: true, ..Segment::default() };
            // A word of another language that the program speaks is at least no thing to buy.
            if let Some(meaning) = word.sense.foreign {
                segment.unknown = false;
                take(&mut segment, meaning);
            }
            segment.unknown &= !word.sense.tongues[self.language].is_known;
            found.push((COST_UNKNOWN, segment));
        }
    }

    /// What the phrases of the language that begin at a word mean, by their number of words less one.
    fn meanings(&self, at: usize) -> Vec<Option<Meaning>> {
        let tongue = &self.words[at].sense.tongues[self.language];
        if tongue.longest_phrase == 1 {
            return tongue.meaning.map(Some).into_iter().collect();
        }
        let mut meanings = Vec::with_capacity(tongue.longest_phrase);
        meanings.push(tongue.meaning);
        let lexicon = &self.lexicons.all()[self.language];
        let (mut written, mut spelt) = (String::new(), String::new());
        for (length, word) in (1..=tongue.longest_phrase).zip(&self.words[at..]) {
            if !is_of_phrase(word) {
                break;
            }
            if length > 1 {
                written.push(' ');
                spelt.push(' ');
            }
            let text = word.token.text.as_str();
            written.push_str(text);
            spelt.push_str(word.sense.tongues[self.language].spelt.as_deref().unwrap_or(text));
            if length > 1 {
                meanings.push(lexicon.phrase_meaning(&written, &spelt));
            }
        }
        meanings
    }

    /// The ways into the tree of names that begin at a word. Two words may be one word of a name, one word two of them,
    /// and "all the toppings" are all toppings; so at each place there may be several ways on.
    fn ways(&self, at: usize) -> Vec<Way> {
        let mut ways = Vec::new();
        if self.words[at].sense.steps.is_empty() && self.joined[at].is_none() {
            return ways;
        }
        let start =
            Way { place: 0, next: at, tongues: Tongues::MAX, exact: true, squeezed: false, skipped: Skipped::None };
        let mut open = vec![start];
        while let Some(way) = open.pop() {
            let next = way.next;
            if next > at && way.skipped != Skipped::Now {
                ways.push(way);
            }
            let Some(word) = self.words.get(next).filter(|word| is_of_phrase(word)) else { continue };
            let meaning = |at: usize| self.words[at].sense.tongues[self.language].meaning.unwrap_or_default();
            if next > at && way.skipped == Skipped::None && meaning(next).number.is_none() {
                let roles = meaning(next).roles;
                // "with mushrooms and swiss" is a list.
                let listed = at.checked_sub(1).is_some_and(|b| meaning(b).roles.any(&[Role::With, Role::Without]));
                if roles.has(Role::And) && !listed
                    || roles.any(&[Role::Definite, Role::Of]) && !roles.has(Role::Without)
                {
                    open.push(Way { skipped: Skipped::Now, next: next + 1, ..way });
                }
            }
            let skipped = match way.skipped {
                Skipped::Now if meaning(next - 1).roles.has(Role::And) => Skipped::And,
                Skipped::Now => Skipped::Small,
                before => before,
            };
            let joined = self.joined[next].as_ref().map(|sense| (sense, next + 2));
            for (sense, next) in joined.into_iter().chain([(&word.sense, next + 1)]) {
                for step in &sense.steps {
                    let tongues = way.tongues & step.tongues;
                    // Two words may be one only once in a name.
                    if tongues == 0 || way.squeezed && step.second.is_some() {
                        continue;
                    }
                    if let Some(place) = self.book.step(way.place, step) {
                        let squeezed = way.squeezed || step.second.is_some();
                        open.push(Way { place, next, tongues, exact: way.exact && step.exact, squeezed, skipped });
                    }
                }
            }
        }
        ways
    }

    /// The names that these ways, all of the words from `at` to `to`, lead to, as a segment with its cost; `phrase` is
    /// what the words mean in the language.
    fn name(&self, at: usize, to: usize, ways: &[Way], phrase: Option<Meaning>) -> Option<(f32, Segment)> {
        let own = sense::only(self.language);
        let rank = ways.iter().filter_map(|way| self.least_rank(way)).min()?;
        let is_part = rank >= RANK_OF_PART;
        let last = &self.words[to - 1];
        let mut segment = Segment { from: at, to, loose: is_part, ..Segment::default() };
        segment.loose |= self.words[at..to].iter().any(|word| word.mended);
        segment.definite = rank >= 2 && last.sense.tongues[self.language].is_definite;
        let (heads_only, is_own);
        match ways {
            [way] if let Some(gathered) = self.gathered(way) => {
                take_gathered(&mut segment, gathered);
                (heads_only, is_own) = (gathered.heads_only, gathered.tongues & own != 0);
            }
            _ => {
                // Parts of one form are as good stemmed as exact.
                let ends = |way| self.ranked(way).filter(|(r, _, _)| *r == rank).map(|(_, form, name)| (form, name));
                let names: Vec<(Form, &Name)> = ways.iter().flat_map(ends).collect();
                heads_only = names.iter().all(|(form, _)| *form == Form::Head);
                is_own = names.iter().any(|(_, name)| name.tongue & own != 0);
                gather(&mut segment, &names, self.book, is_part, heads_only);
            }
        }
        if is_part {
            segment.part = Some(if heads_only { Form::Head } else { Form::Tail });
        }
        if let Some(meaning) = phrase {
            // A word of the message's language is that word rather than a foreign name, an inflected name that it
            // merely resembles or a part of one.
            let plain = meaning.number.is_none() && meaning.roles.only(&[Role::Stop, Role::Chatter, Role::Polite]);
            if !(is_own && rank <= 2 || rank == 0 || (rank == 3 && plain)) {
                return None;
            }
            take(&mut segment, meaning);
        }
        if !segment.is_name() && segment.class.is_empty() && segment.groups.is_empty() {
            return None;
        }
        let extra = match rank {
            0 | 1 => 0.0,
            2 => COST_MOVED,
            3 => COST_STEMMED,
            4 => COST_FOREIGN,
            _ => COST_PART,
        };
        // "nappies size" is nappies, and their size, before it is the heading of the sizes.
        let heading = if segment.is_name() { 0.0 } else { COST_HEADING * (to - at - 1) as f32 };
        Some((COST_KNOWN + extra + heading, segment))
    }

    /// What the part of many names that a way leads to means, where endings of the message's language were taken off.
    fn gathered(&self, way: &Way) -> Option<&Gathered> {
        let plain = !way.squeezed && way.skipped != Skipped::And && way.tongues & sense::only(self.language) != 0;
        self.book.gathered(way.place).filter(|_| plain)
    }

    fn least_rank(&self, way: &Way) -> Option<u8> {
        match self.gathered(way) {
            Some(_) => Some(if way.exact { RANK_OF_PART } else { RANK_OF_PART + 1 }),
            None => self.ranked(way).map(|(rank, _, _)| rank).min(),
        }
    }

    /// The names that a way leads to, with how well they fit, 0 being best.
    fn ranked<'a>(&'a self, way: &'a Way) -> impl Iterator<Item = (u8, Form, &'a Name)> {
        let language = sense::only(self.language);
        let own_tree = way.tongues & language != 0;
        let least = if way.skipped == Skipped::None { 0 } else { 2 };
        self.book.names(way.place).filter_map(move |(form, name)| {
            let form = match form {
                Form::Full if way.squeezed => Form::Moved,
                _ if way.squeezed => return None,
                form => form,
            };
            // Endings are those of the message's language, or of the name's own.
            let fits = own_tree || way.tongues & name.tongue != 0;
            // "ham and eggs" is what is called so, not what is called "ham eggs".
            if !fits || way.skipped == Skipped::And && form != Form::Moved {
                return None;
            }
            let rank = match form {
                Form::Full if way.exact && name.tongue & language != 0 => 0,
                Form::Full if way.exact => 1,
                Form::Moved if way.exact => 2,
                Form::Full | Form::Moved if own_tree => 3,
                Form::Full | Form::Moved => 4,
                Form::Tail | Form::Head if way.exact => RANK_OF_PART,
                Form::Tail | Form::Head if own_tree => RANK_OF_PART + 1,
                Form::Tail | Form::Head => RANK_OF_PART + 2,
            };
            Some((rank.max(least), form, name))
        })
    }
}

/// From this rank on a part of a name was taken for the whole.
const RANK_OF_PART: u8 = 5;

/// For each word that and the next as one, where a name has such a word.
fn joined(words: &[Word], book: &NameBook, lexicons: &Lexicons) -> Vec<Option<Arc<Sense>>> {
    let mut joined = String::new();
    let mut join = |at: usize| {
        let (first, second) = (&words[at].token, &words.get(at + 1)?.token);
        if first.kind != Kind::Word || second.kind != Kind::Word {
            return None;
        }
        joined.clear();
        joined.push_str(&first.text);
        joined.push_str(&second.text);
        book.words.has(&joined).then(|| book.sense(&joined, lexicons))
    };
    (0..words.len()).map(&mut join).collect()
}

/// Whether a word may be one of a phrase or a name, and is no mark.
fn is_of_phrase(word: &Word) -> bool {
    matches!(word.token.kind, Kind::Word | Kind::Number | Kind::Sign)
}

fn take(segment: &mut Segment, meaning: Meaning) {
    segment.roles = meaning.roles;
    segment.number = meaning.number;
    segment.ordinal = meaning.ordinal;
}

/// Sorts what names of equal rank stand for into the segment.
fn gather(segment: &mut Segment, names: &[(Form, &Name)], book: &NameBook, part: bool, heads_only: bool) {
    let (mut products, mut choices, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for (_, name) in names {
        match name.thing {
            Thing::Product(at) => products.push(at),
            Thing::Choice(group, at) => choices.extend(book.choices(group, at)),
            Thing::Category(at) => classes.push(at),
            Thing::Group(at) => segment.groups.push(at),
        }
    }
    products.sort_unstable();
    products.dedup();
    choices.sort_unstable();
    choices.dedup();
    classes.sort_unstable();
    classes.dedup();
    segment.class = match classes[..] {
        [] => Arc::default(),
        [one] => book.members[one].clone(),
        _ => united(classes.iter().flat_map(|&class| book.members[class].iter().copied())),
    };
    if part {
        if products.len() > most_of_part(heads_only) {
            let class = segment.class.iter().copied().chain(products.drain(..));
            segment.class = united(class);
        }
        if choices.len() > most_of_part(heads_only) {
            choices.clear();
        }
    }
    segment.products = products;
    segment.choices = choices;
}

/// The same of a part of many names.
fn take_gathered(segment: &mut Segment, gathered: &Gathered) {
    let most = most_of_part(gathered.heads_only);
    if gathered.products.len() > most {
        segment.class = gathered.products.clone();
    } else {
        segment.products = gathered.products.to_vec();
    }
    if gathered.choices.len() <= most {
        segment.choices = gathered.choices.clone();
    }
}

/// Most things that a part of a name may mean before it means a class of things.
fn most_of_part(heads_only: bool) -> usize {
    if heads_only { 1 } else { MOST_AMBIGUOUS }
}

/// These products in ascending order, each once.
fn united(products: impl Iterator<Item = usize>) -> Arc<[usize]> {
    let mut products: Vec<usize> = products.collect();
    products.sort_unstable();
    products.dedup();
    products.into()
}

/// Reads a word with a "2" written to it twice: "gado2" is "gado gado", "dua2nya" is "dua duanya".
fn repeat(words: &mut Vec<Word>, book: &NameBook, lexicons: &Lexicons) {
    let mut at = 1;
    while at < words.len() {
        let (before, token) = (&words[at - 1].token, &words[at].token);
        let repeats = before.kind == Kind::Word
            && before.text.chars().count() >= SHORTEST_REPEATED
            && token.kind == Kind::Number
            && token.text == "2"
            && token.from == before.to;
        if repeats {
            let mut token = Token { kind: Kind::Word, text: before.text.clone(), ..token.clone() };
            let ending = words.get(at + 1).filter(|w| w.token.kind == Kind::Word && w.token.from == token.to);
            if let Some(ending) = ending {
                token.text.push_str(&ending.token.text);
                token.to = ending.token.to;
                words.remove(at + 1);
            }
            let sense = book.sense(&token.text, lexicons);
            words[at] = Word { token, sense, mended: false, capital: false };
        }
        at += 1;
    }
}

/// Writes "one" apart from what it is written to: "serenteng" is "satu" and "renteng".
fn part_ones(words: &mut Vec<Word>, prefix: &str, one: &str, language: usize, book: &NameBook, lexicons: &Lexicons) {
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        let known = word.sense.tongues[language].meaning.is_some() || !word.sense.steps.is_empty();
        let rest = word.token.text.strip_prefix(prefix).filter(|rest| rest.chars().count() >= SHORTEST_COUNTED);
        if let Some(rest) = rest.filter(|_| !known && word.token.kind == Kind::Word) {
            let sense = book.sense(rest, lexicons);
            let meaning = sense.tongues[language].meaning;
            let counted = !sense.steps.is_empty() || meaning.is_some_and(|meaning| meaning.roles.has(Role::Unit));
            if counted {
                let part = |text: &str, sense: Arc<Sense>| {
                    let token = Token { text: text.into(), ..word.token.clone() };
                    Word { token, sense, mended: false, capital: word.capital }
                };
                let parts = [part(one, book.sense(one, lexicons)), part(rest, sense)];
                words.splice(at..=at, parts);
                at += 1;
            }
        }
        at += 1;
    }
}

/// Writes apart what a language writes together: "keramiekbak" is "keramiek" and "bak". Says whether any word was.
fn part_compounds(
    words: &mut Vec<Word>,
    segments: &[Segment],
    language: usize,
    book: &NameBook,
    lexicons: &Lexicons,
) -> bool {
    let lexicon = &lexicons.all()[language];
    let mut parted = false;
    for segment in segments.iter().rev().filter(|segment| segment.unknown) {
        let word = &words[segment.from];
        let Some((left, right)) = book.spellings.parts(&word.token.text, |part| lexicon.stem(part)) else { continue };
        let part = |text: String| {
            let sense = book.sense(&text, lexicons);
            let token = Token { text, ..word.token.clone() };
            Word { token, sense, mended: true, capital: word.capital }
        };
        let parts = [part(left), part(right)];
        words.splice(segment.from..=segment.from, parts);
        parted = true;
    }
    parted
}

/// Replaces unknown words by the one word of the catalogue that they are surely meant to be. Says whether any was.
fn mend(words: &mut [Word], segments: &[Segment], language: usize, book: &NameBook, lexicons: &Lexicons) -> bool {
    let mut known: HashMap<String, Option<String>> = HashMap::default();
    let mut changed = false;
    // "Anne Lise Berg" is somebody, however near to goods.
    let named = |at: usize| segments.get(at).is_some_and(|s| s.unknown && words[s.from].capital);
    let people: Vec<bool> =
        (0..segments.len()).map(|at| named(at) && (named(at + 1) || at.checked_sub(1).is_some_and(named))).collect();
    for (segment, _) in segments.iter().zip(people).filter(|(segment, person)| segment.unknown && !person) {
        let word = &words[segment.from].token.text;
        let mended = match known.get(word) {
            Some(mended) => mended.clone(),
            None if known.len() >= MOST_FUZZY => continue,
            None => {
                let mended =
                    book.spellings.nearest(word, &words[segment.from].sense.stems[language]).map(str::to_owned);
                known.insert(word.clone(), mended.clone());
                mended
            }
        };
        if let Some(mended) = mended {
            let word = &mut words[segment.from];
            word.sense = book.sense(&mended, lexicons);
            word.token.text = mended;
            word.mended = true;
            changed = true;
        }
    }
    changed
}
