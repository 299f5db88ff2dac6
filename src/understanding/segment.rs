//! A message cut into segments, each a name of the catalogue, a phrase of the language, a number, a mark or an unknown
//! word. Of all ways to cut it the cheapest is taken: few segments, names as written before inflected ones, known
//! words before unknown. Unknown words are then compared with the catalogue's, letter by letter, and cut once more.

use std::collections::HashMap;

use super::{
    lexicon::{Lexicons, Meaning, Role, Roles},
    names::{Form, MOST_AMBIGUOUS, Name, NameBook, Thing},
    shop::Shop,
    text::{Kind, Token},
};
use crate::language::Language;

/// Longest run of digits that can be a quantity; longer ones are postcodes, telephone numbers and the like.
pub const LONGEST_QUANTITY: usize = 5;

/// Fewest letters of a word that a "2" repeats; shorter ones are units.
const SHORTEST_REPEATED: usize = 3;

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
    /// Products of the class that it names.
    pub class: Vec<usize>,
    /// Groups of options of that name.
    pub groups: Vec<usize>,
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

/// A token with its stems, one for each lexicon.
#[derive(Debug, Clone)]
pub struct Word {
    /// As it stands in the message.
    pub token: Token,
    /// By lexicon.
    pub stems: Vec<String>,
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

    /// Whether it has the role, and is still to be read.
    pub fn is(&self, role: Role) -> bool {
        !self.dead && self.roles.has(role)
    }

    /// Whether it is a mark that ends a sentence.
    pub fn ends_sentence(&self) -> bool {
        matches!(self.mark, Some(Kind::Stop | Kind::Question))
    }
}

/// Stems each token of a text for each language.
pub fn words(text: &str, tokens: Vec<Token>, lexicons: &Lexicons) -> Vec<Word> {
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    tokens
        .into_iter()
        .map(|token| {
            let stems = known
                .entry(token.text.clone())
                .or_insert_with(|| lexicons.all().iter().map(|lexicon| lexicon.stem(&token.text)).collect())
                .clone();
            let capital = text[token.from..].starts_with(char::is_uppercase);
            Word { token, stems, mended: false, capital }
        })
        .collect()
}

/// Cuts a message; `language` is the place of its lexicon. Misspelt words are mended in `words`.
pub fn segments(
    words: &mut Vec<Word>,
    language: usize,
    book: &NameBook,
    shop: &Shop,
    lexicons: &Lexicons,
) -> Vec<Segment> {
    if lexicons.all()[language].reduplicates {
        repeat(words, lexicons);
    }
    let first = cut(words, language, book, lexicons);
    let parted = lexicons.all()[language].compounds && part_compounds(words, &first, language, book, lexicons);
    let first = if parted { cut(words, language, book, lexicons) } else { first };
    let mended = mend(words, &first, language, book, lexicons);
    let mut segments = if mended { cut(words, language, book, lexicons) } else { first };
    join_neighbours(&mut segments);
    drop_loose_parts(&mut segments, shop);
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
                && let Some(meaning) = lexicons.all()[language].meaning(&token.text)
            {
                segment.roles = meaning.roles;
            }
            offer(0.0, segment);
            continue;
        }
        for (cost, segment) in candidates(words, at, language, book, lexicons) {
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

/// A way into a tree of names.
#[derive(Clone)]
struct Way {
    place: u32,
    next: usize,
    squashed: String,
    skipped: Skipped,
}

/// Which word within a name was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skipped {
    None,
    /// The one before; whether the name goes on is yet to be seen.
    Now,
    /// "and".
    And,
    /// "the", "of".
    Small,
}

/// Everything that may begin at a word, with its cost.
fn candidates(words: &[Word], at: usize, language: usize, book: &NameBook, lexicons: &Lexicons) -> Vec<(f32, Segment)> {
    let mut found: Vec<(f32, Segment)> = Vec::new();
    let lexicon = &lexicons.all()[language];
    let token = &words[at].token;
    // Names, by length.
    let mut by_length: Vec<Vec<(u8, &Name)>> = Vec::new();
    for (tree_at, tree) in book.trees.iter().enumerate() {
        // Two words may be one word of a name, and "all the toppings" are all toppings; so at each place there may be
        // several ways on.
        let mut open = vec![Way { place: 0, next: at, squashed: String::new(), skipped: Skipped::None }];
        while let Some(way) = open.pop() {
            let next = way.next;
            if next > at && way.skipped != Skipped::Now {
                let length = next - at - 1;
                if by_length.len() <= length {
                    by_length.resize_with(length + 1, Vec::new);
                }
                // Endings are those of the message's language, or of the name's own.
                let own = tree_at == language;
                let names = tree.names(way.place).iter().filter(|name| {
                    (own || name.language == lexicons.all()[tree_at].language)
                        // "ham and eggs" is what is called so, not what is called "ham eggs".
                        && (way.skipped != Skipped::And || name.form == Form::Moved)
                });
                let least = if way.skipped == Skipped::None { 0 } else { 2 };
                let ranked = |name| (rank(name, &way.squashed, lexicon.language, tree_at == language).max(least), name);
                by_length[length].extend(names.map(ranked));
            }
            let Some(word) = words.get(next) else { continue };
            if !matches!(word.token.kind, Kind::Word | Kind::Number | Kind::Sign) {
                continue;
            }
            if next > at
                && way.skipped == Skipped::None
                && let Some(meaning) = lexicon.meaning(&word.token.text)
                && meaning.number.is_none()
            {
                // "with mushrooms and swiss" is a list.
                let listed = at.checked_sub(1).is_some_and(|b| {
                    let before = lexicon.meaning(&words[b].token.text);
                    before.is_some_and(|meaning| meaning.roles.any(&[Role::With, Role::Without]))
                });
                let and = meaning.roles.has(Role::And) && !listed;
                if and || meaning.roles.any(&[Role::Definite, Role::Of]) && !meaning.roles.has(Role::Without) {
                    open.push(Way { skipped: Skipped::Now, next: next + 1, ..way.clone() });
                }
            }
            let skipped = match way.skipped {
                Skipped::Now => {
                    let skipped = words[next - 1].token.text.as_str();
                    let and = lexicon.meaning(skipped).is_some_and(|meaning| meaning.roles.has(Role::And));
                    if and { Skipped::And } else { Skipped::Small }
                }
                before => before,
            };
            if let Some((joined, stem)) = joined(words, next, tree_at, book, lexicons)
                && let Some(place) = tree.step(way.place, &stem)
            {
                open.push(Way { place, next: next + 2, squashed: format!("{}{joined}", way.squashed), skipped });
            }
            if let Some(place) = tree.step(way.place, &word.stems[tree_at]) {
                open.push(Way {
                    place,
                    next: next + 1,
                    squashed: format!("{}{}", way.squashed, word.token.text),
                    skipped,
                });
            }
        }
    }
    for (length, names) in by_length.iter().enumerate() {
        let Some(rank) = names.iter().map(|(rank, _)| *rank).min() else { continue };
        // Parts of one form are as good stemmed as exact.
        let names: Vec<&Name> = names.iter().filter(|(r, _)| *r == rank).map(|(_, name)| *name).collect();
        let mut segment = Segment { from: at, to: at + length + 1, loose: rank >= 5, ..Segment::default() };
        let mended = words[at..=at + length].iter().any(|word| word.mended);
        segment.loose |= mended;
        gather(&mut segment, &names, book, rank >= 5);
        segment.definite = rank >= 2 && lexicon.is_definite(&words[at + length].token.text);
        if rank >= 5 {
            let head = names.iter().all(|name| name.form == Form::Head);
            segment.part = Some(if head { Form::Head } else { Form::Tail });
        }
        let phrase = phrase(words, at, at + length + 1);
        if let Some(meaning) = phrase.and_then(|p| lexicon.meaning(&p)) {
            // A word of the message's language is that word rather than a foreign name, an inflected name that it
            // merely resembles or a part of one.
            let own = names.iter().any(|name| name.language == lexicon.language);
            let plain = meaning.number.is_none() && meaning.roles.only(&[Role::Stop, Role::Chatter, Role::Polite]);
            if !(own && rank <= 2 || rank == 0 || (rank == 3 && plain)) {
                continue;
            }
            take(&mut segment, meaning);
        }
        if !segment.is_name() && segment.class.is_empty() && segment.groups.is_empty() {
            continue;
        }
        let extra = match rank {
            0 | 1 => 0.0,
            2 => COST_MOVED,
            3 => COST_STEMMED,
            4 => COST_FOREIGN,
            _ => COST_PART,
        };
        // "nappies size" is nappies, and their size, before it is the heading of the sizes.
        let heading = if segment.is_name() { 0.0 } else { COST_HEADING * length as f32 };
        found.push((COST_KNOWN + extra + heading, segment));
    }
    // Phrases of the language.
    for length in 1..=lexicon.longest_phrase() {
        let Some(phrase) = phrase(words, at, at + length) else { break };
        if let Some(meaning) = lexicon.meaning(&phrase) {
            let mut segment = Segment { from: at, to: at + length, ..Segment::default() };
            take(&mut segment, meaning);
            // Names of the same words carry the meaning already.
            if !found.iter().any(|(_, other)| other.to == segment.to) {
                found.push((COST_KNOWN, segment));
            }
        }
    }
    if token.kind == Kind::Number {
        // "0556" is a postcode, no quantity.
        let counts = |t: &&String| t.len() <= LONGEST_QUANTITY && (t.len() == 1 || !t.starts_with('0'));
        let number = Some(&token.text).filter(counts).and_then(|t| t.parse().ok());
        found.push((COST_KNOWN, Segment { from: at, to: at + 1, number, digits: true, ..Segment::default() }));
    }
    if !found.iter().any(|(_, segment)| segment.to == at + 1) {
        let mut segment = Segment { from: at, to: at + 1, unknown: true, ..Segment::default() };
        // A word of another language that the program speaks is at least no thing to buy.
        let foreign = lexicons.all().iter().filter_map(|other| other.meaning(&token.text)).reduce(|first, next| {
            // "da" is a filler in one language and yes in another: an answer in any language is one.
            let roles = if next.roles.any(&[Role::Yes, Role::No]) { first.roles.or(next.roles) } else { first.roles };
            Meaning { roles, ..first }
        });
        if let Some(meaning) = foreign {
            segment.unknown = false;
            take(&mut segment, meaning);
        } else if lexicons.all()[language].knows(&token.text)
            || lexicons.all()[language].knows_stem(&words[at].stems[language])
        {
            segment.unknown = false;
        }
        found.push((COST_UNKNOWN, segment));
    }
    found
}

/// How well a name fits the words, 0 being best.
fn rank(name: &Name, squashed: &str, language: Language, own_tree: bool) -> u8 {
    let exact = name.squashed == squashed;
    match name.form {
        Form::Full if exact && name.language == language => 0,
        Form::Full if exact => 1,
        Form::Moved if exact => 2,
        Form::Full | Form::Moved if own_tree => 3,
        Form::Full | Form::Moved => 4,
        Form::Tail | Form::Head if exact => 5,
        Form::Tail | Form::Head if own_tree => 6,
        Form::Tail | Form::Head => 7,
    }
}

/// This word and the next as one, where a name has such a word, and its stem for a tree.
fn joined(words: &[Word], at: usize, tree: usize, book: &NameBook, lexicons: &Lexicons) -> Option<(String, String)> {
    let (first, second) = (&words.get(at)?.token, &words.get(at + 1)?.token);
    if first.kind != Kind::Word || second.kind != Kind::Word {
        return None;
    }
    let joined = format!("{}{}", first.text, second.text);
    let stem = book.words.contains_key(&joined).then(|| lexicons.all()[tree].stem(&joined))?;
    Some((joined, stem))
}

fn take(segment: &mut Segment, meaning: Meaning) {
    segment.roles = meaning.roles;
    segment.number = meaning.number;
    segment.ordinal = meaning.ordinal;
}

/// The words from `from` to `to` joined by spaces, where no mark stands between them.
fn phrase(words: &[Word], from: usize, to: usize) -> Option<String> {
    let words = words.get(from..to)?;
    let good = words.iter().all(|w| matches!(w.token.kind, Kind::Word | Kind::Number | Kind::Sign));
    good.then(|| words.iter().map(|w| w.token.text.as_str()).collect::<Vec<_>>().join(" "))
}

/// Sorts what names of equal rank stand for into the segment.
fn gather(segment: &mut Segment, names: &[&Name], book: &NameBook, part: bool) {
    let mut products = Vec::new();
    let mut choices = Vec::new();
    for name in names {
        match name.thing {
            Thing::Product(at) => products.push(at),
            Thing::Choice(group, at) => match book.either.get(&(group, at)) {
                Some(either) => choices.extend(either),
                None => choices.push((group, at)),
            },
            Thing::Category(at) => segment.class.extend(&book.members[at]),
            Thing::Group(at) => segment.groups.push(at),
        }
    }
    products.sort_unstable();
    products.dedup();
    choices.sort_unstable();
    choices.dedup();
    if part {
        let heads_only = names.iter().all(|name| name.form == Form::Head);
        let most = if heads_only { 1 } else { MOST_AMBIGUOUS };
        if products.len() > most {
            segment.class.append(&mut products);
        }
        if choices.len() > most {
            choices.clear();
        }
    }
    segment.class.sort_unstable();
    segment.class.dedup();
    segment.products = products;
    segment.choices = choices;
}

/// Reads a word with a "2" written to it twice: "gado2" is "gado gado", "dua2nya" is "dua duanya".
fn repeat(words: &mut Vec<Word>, lexicons: &Lexicons) {
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
            let stems = lexicons.all().iter().map(|lexicon| lexicon.stem(&token.text)).collect();
            words[at] = Word { token, stems, mended: false, capital: false };
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
            let stems = lexicons.all().iter().map(|lexicon| lexicon.stem(&text)).collect();
            Word { token: Token { text, ..word.token.clone() }, stems, mended: true, capital: word.capital }
        };
        let parts = [part(left), part(right)];
        words.splice(segment.from..=segment.from, parts);
        parted = true;
    }
    parted
}

/// Replaces unknown words by the one word of the catalogue that they are surely meant to be. Says whether any was.
fn mend(words: &mut [Word], segments: &[Segment], language: usize, book: &NameBook, lexicons: &Lexicons) -> bool {
    let mut known: HashMap<String, Option<String>> = HashMap::new();
    let mut changed = false;
    for segment in segments.iter().filter(|segment| segment.unknown) {
        let word = &words[segment.from].token.text;
        let mended = match known.get(word) {
            Some(mended) => mended.clone(),
            None if known.len() >= MOST_FUZZY => continue,
            None => {
                let mended = book.spellings.nearest(word, &words[segment.from].stems[language]).map(str::to_owned);
                known.insert(word.clone(), mended.clone());
                mended
            }
        };
        if let Some(mended) = mended {
            let word = &mut words[segment.from];
            word.stems = lexicons.all().iter().map(|lexicon| lexicon.stem(&mended)).collect();
            word.token.text = mended;
            word.mended = true;
            changed = true;
        }
    }
    changed
}
