//! The words of the languages that the program speaks, read from `config/locales/<tag>/lexicon.toml`. A language is
//! data: what a word does in an order is one of a few [`Role`]s, what a message is for is a list of phrases, and
//! inflection is a stemmer by name or a list of endings. A seventh language is a seventh folder.
//!
//! Phrases of `[intents]` are words, `(a|b|)` for alternatives (an empty one may be left out), `*` for up to
//! [`WIDEST_GAP`] words of any kind, and a leading `=` for a phrase that must be the whole message.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use compact_str::CompactString;
use foldhash::{HashMap, HashSet};
use include_dir::{Dir, include_dir};
use rust_stemmers::{Algorithm, Stemmer};

use super::{Intent, text};
use crate::language::Language;

/// Most words that `*` stands for in a phrase.
pub const WIDEST_GAP: usize = 4;

/// Fewest letters that an ending leaves of a word.
const SHORTEST_STEM: usize = 3;

/// A folder for each language, with all that is written in it or about it.
pub(crate) static LOCALES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/locales");

/// How often a word counts as used at most: beyond, it is simply frequent.
const MOST_USES: u32 = 40;

/// What a word counts that does something in orders, beside one use of it.
const WEIGHT_OF_ROLE: f32 = 2.0;

/// What a word counts that is merely listed: lexicons list borrowed words too.
const WEIGHT_OF_LISTED: f32 = 0.5;

/// Fewest letters of a stem by which another form of a word is known.
const SHORTEST_KNOWN_STEM: usize = 3;

/// Fewest letters of another spelling whose inflected forms are spelt otherwise too.
const SHORTEST_SPELT_STEM: usize = 4;

/// What a word or phrase does in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// "a": one of it, and the left edge of an item.
    Article,
    /// "the", "my", "some".
    Definite,
    /// Joins.
    And,
    /// Joins alternatives; extends a "without".
    Or,
    /// What follows is wished for.
    With,
    /// What follows is to be left out.
    Without,
    /// What follows was named only to be refused.
    Not,
    /// More of what follows.
    Extra,
    /// Less of what follows.
    Light,
    /// As usual, of what follows.
    Neutral,
    /// So many and no more of what follows.
    Only,
    /// What follows gives way to what stood before.
    Instead,
    /// What follows is taken out of the cart.
    Remove,
    /// What follows is put in.
    Add,
    /// One more.
    Another,
    /// The last line once more.
    Again,
    /// Like the last line, with a change.
    Same,
    /// Said of every item.
    Each,
    /// Said of all lines.
    All,
    /// Said of both lines.
    Both,
    /// The line named last.
    Last,
    /// The lines that were not named.
    Rest,
    /// One of two halves of what was said before.
    Half,
    /// The line named last becomes what follows.
    Make,
    /// What follows gives way to what comes after [`Role::Into`].
    Change,
    /// Between the old and the new of a change.
    Into,
    /// Points at a line.
    On,
    /// Stands for the thing named before.
    One,
    /// What was said just before was a slip.
    Correction,
    /// What follows is an item of its own.
    SideOf,
    /// What stood before is an item of its own.
    OnSide,
    /// Pieces, bottles, portions: no meaning beside a number.
    Unit,
    /// A measure of what is added: a pump, a spoon. A number before it counts no items.
    Dose,
    /// Glue.
    Of,
    /// "x" of "2x".
    Times,
    /// Opens an order.
    Open,
    /// Courtesy and filling, skipped.
    Polite,
    /// The last order.
    Usual,
    /// Turns against what stood before.
    But,
    /// The customer comes for it.
    Pickup,
    /// The shop brings it.
    Delivery,
    /// An address follows.
    Address,
    /// An address follows where one was asked for.
    WeakAddress,
    /// A person's name follows where one was asked for.
    Name,
    /// Yes.
    Yes,
    /// No, as an answer.
    No,
    /// Empties the cart.
    Clear,
    /// Opens a question.
    Question,
    /// A number beside it is a time of day or a span, not a quantity.
    Clock,
    /// A day or an hour: when an order is wanted.
    When,
    /// A person's name follows, whatever was asked.
    Called,
    /// Tells of an allergy.
    Allergy,
    /// A frequent word that says nothing by itself.
    Stop,
    /// A word of everyday talk that names nothing to buy.
    Chatter,
    /// Takes the last change of the cart back, where it is the whole message.
    Undo,
    /// What was said of all is not said of what follows.
    Except,
    /// So many of what stands before are taken out.
    Fewer,
}

/// Names of the roles in a lexicon file.
const ROLES: [(&str, Role); 57] = [
    ("article", Role::Article),
    ("definite", Role::Definite),
    ("and", Role::And),
    ("or", Role::Or),
    ("with", Role::With),
    ("without", Role::Without),
    ("not", Role::Not),
    ("extra", Role::Extra),
    ("light", Role::Light),
    ("neutral", Role::Neutral),
    ("only", Role::Only),
    ("instead", Role::Instead),
    ("remove", Role::Remove),
    ("add", Role::Add),
    ("another", Role::Another),
    ("again", Role::Again),
    ("same", Role::Same),
    ("each", Role::Each),
    ("all", Role::All),
    ("both", Role::Both),
    ("last", Role::Last),
    ("rest", Role::Rest),
    ("half", Role::Half),
    ("make", Role::Make),
    ("change", Role::Change),
    ("into", Role::Into),
    ("on", Role::On),
    ("one", Role::One),
    ("correction", Role::Correction),
    ("side_of", Role::SideOf),
    ("on_side", Role::OnSide),
    ("unit", Role::Unit),
    ("dose", Role::Dose),
    ("of", Role::Of),
    ("times", Role::Times),
    ("open", Role::Open),
    ("polite", Role::Polite),
    ("usual", Role::Usual),
    ("but", Role::But),
    ("pickup", Role::Pickup),
    ("delivery", Role::Delivery),
    ("address", Role::Address),
    ("weak_address", Role::WeakAddress),
    ("name", Role::Name),
    ("yes", Role::Yes),
    ("no", Role::No),
    ("clear", Role::Clear),
    ("question", Role::Question),
    ("clock", Role::Clock),
    ("when", Role::When),
    ("called", Role::Called),
    ("allergy", Role::Allergy),
    ("stop", Role::Stop),
    ("chatter", Role::Chatter),
    ("undo", Role::Undo),
    ("except", Role::Except),
    ("fewer", Role::Fewer),
];

/// A set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles(u64);

/// What a phrase of a lexicon means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meaning {
    /// What it does.
    pub roles: Roles,
    /// How many it says.
    pub number: Option<u32>,
    /// Which in a row it says.
    pub ordinal: Option<u32>,
}

/// A phrase that tells what a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What for.
    pub intent: Intent,
    /// Whether nothing but courtesy may stand beside it.
    pub alone: bool,
    pieces: Vec<Piece>,
    /// For each piece that may not be left out, the last first, the stems of which a message must have one, as
    /// [`StemId::bit`]s.
    needs: Vec<u128>,
}

/// A part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Up to [`WIDEST_GAP`] words.
    Gap,
    /// This stem.
    Word(StemId),
    /// One of these rows of stems; an empty row lets the piece be left out.
    OneOf(Vec<Vec<StemId>>),
}

/// The number of a stem that occurs in patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StemId(u32);

impl StemId {
    /// Punctuation, which no pattern reaches over.
    pub const MARK: StemId = StemId(u32::MAX);
    /// A word that no pattern has.
    pub const OTHER: StemId = StemId(u32::MAX - 1);

    /// One of 128 bits, which it shares with other stems: a stem whose bit is not among a message's is not in it.
    pub fn bit(self) -> u128 {
        1 << (self.0 % u128::BITS)
    }
}

/// One language.
pub struct Lexicon {
    /// Its tag.
    pub language: Language,
    /// Its name in itself.
    pub name: String,
    phrases: HashMap<CompactString, Meaning>,
    longest_phrase: usize,
    /// Whole messages that ask to be waited for, as folded words joined by spaces, by their first word.
    pauses: HashMap<CompactString, Vec<CompactString>>,
    /// Words of the longest phrase that begins with a word.
    longest_from: HashMap<CompactString, usize>,
    /// Single words for numbers.
    number_words: HashMap<u32, Vec<CompactString>>,
    vocabulary: HashSet<CompactString>,
    /// Stems of words that occur in phrases but in no pattern.
    known_stems: HashSet<CompactString>,
    /// How often a word occurs in messages.
    uses: HashMap<CompactString, u32>,
    definite_endings: Vec<String>,
    /// Whether nouns are written together.
    pub compounds: bool,
    /// Whether a "2" written to a word repeats the word.
    pub reduplicates: bool,
    /// Whether a noun stands before all that tells what kind of thing it is: "krupuk putih" is a kind of krupuk.
    pub noun_first: bool,
    /// What is written to a word and says one of it: Indonesian "serenteng" is one "renteng".
    pub one_prefix: Option<String>,
    /// Whether an adjective may as well stand behind its noun.
    pub free_order: bool,
    spellings: HashMap<CompactString, CompactString>,
    /// The same by stems, for other forms of those words.
    spelt_stems: HashMap<CompactString, CompactString>,
    patterns: Vec<Pattern>,
    /// By the stem that a phrase may begin with.
    patterns_by_first: Vec<Vec<usize>>,
    /// The stems of patterns.
    stem_ids: HashMap<CompactString, StemId>,
    /// The words of patterns, with their stems.
    pattern_words: HashMap<CompactString, StemId>,
    stemming: Stemming,
}

/// All languages that the program speaks. Copies share their words.
#[derive(Clone)]
pub struct Lexicons {
    all: Arc<[Lexicon]>,
}

/// What is wrong with a lexicon file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLexicon {
    /// Folder of the file.
    pub tag: String,
    /// What to mend.
    pub fault: String,
}

/// How a language's words lose their endings.
struct Stemming {
    snowball: Option<Stemmer>,
    passes: usize,
    endings: Vec<(String, String)>,
}

/// A lexicon file as written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    stemmer: Option<String>,
    #[serde(default)]
    passes: Option<usize>,
    #[serde(default)]
    endings: Vec<String>,
    /// Endings that say "the".
    #[serde(default)]
    definite_endings: Vec<String>,
    /// Whether nouns are written together: "dog food" is one word.
    #[serde(default)]
    compounds: bool,
    /// Whether a "2" written to a word repeats the word: "gado2".
    #[serde(default)]
    reduplicates: bool,
    /// Whether a noun stands before all that tells what kind of thing it is.
    #[serde(default)]
    noun_first: bool,
    /// What is written to a word and says one of it: "serenteng".
    #[serde(default)]
    one_prefix: Option<String>,
    /// Whether an adjective may as well stand behind its noun.
    #[serde(default)]
    free_order: bool,
    /// Whole messages that ask to be waited for.
    #[serde(default)]
    pause: Vec<String>,
    numbers: BTreeMap<String, u32>,
    #[serde(default)]
    ordinals: BTreeMap<String, u32>,
    /// Other spellings of words: short forms, slang, dialect, diminutives, units.
    #[serde(default)]
    spellings: BTreeMap<String, String>,
    words: BTreeMap<String, Vec<String>>,
    intents: BTreeMap<String, Vec<String>>,
}

impl Roles {
    /// Whether the role is among them.
    pub fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    /// Whether any of these is among them.
    pub fn any(self, roles: &[Role]) -> bool {
        roles.iter().any(|&role| self.has(role))
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether there is nothing but these.
    pub fn only(self, roles: &[Role]) -> bool {
        let mask = roles.iter().fold(0u64, |mask, &role| mask | (1 << role as u8));
        self.0 & !mask == 0
    }

    /// Those of both.
    pub fn or(self, other: Roles) -> Roles {
        Roles(self.0 | other.0)
    }

    fn with(self, role: Role) -> Roles {
        Roles(self.0 | (1 << role as u8))
    }
}

impl Lexicons {
    /// Those that the program was built with. Fails where a file is wrong, which a test rules out.
    pub fn embedded() -> Result<Lexicons, BadLexicon> {
        static READ: LazyLock<Result<Lexicons, BadLexicon>> = LazyLock::new(Lexicons::read_embedded);
        READ.clone()
    }

    /// The same, read anew.
    pub fn read_embedded() -> Result<Lexicons, BadLexicon> {
        let mut all = Vec::new();
        for folder in LOCALES.dirs() {
            let tag = folder.path().file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let Some(file) = folder.get_file(folder.path().join("lexicon.toml")) else { continue };
            let fault = |fault: &str| BadLexicon { tag: tag.clone(), fault: fault.into() };
            let language = tag.parse().map_err(|_| fault("the folder's name is no language tag"))?;
            let text = file.contents_utf8().ok_or_else(|| fault("the file is not UTF-8"))?;
            let examples = folder.get_file(folder.path().join("intents.txt")).and_then(|file| file.contents_utf8());
            all.push(Lexicon::read(language, text, examples.unwrap_or_default())?);
        }
        match all.is_empty() {
            true => Err(BadLexicon { tag: "config/locales".into(), fault: "no lexicon at all".into() }),
            false => Ok(Lexicons::of(all)),
        }
    }

    /// These, whose order does not matter.
    pub fn of(mut all: Vec<Lexicon>) -> Lexicons {
        all.sort_by_key(|lexicon| (lexicon.language != Language::ENGLISH, lexicon.language));
        Lexicons { all: all.into() }
    }

    /// Each, English first.
    pub fn all(&self) -> &[Lexicon] {
        &self.all
    }

    /// Where the lexicon of that language, or of its base, stands in [`Lexicons::all`].
    pub fn position(&self, language: Language) -> Option<usize> {
        let at = |language: Language| self.all.iter().position(|lexicon| lexicon.language == language);
        at(language).or_else(|| at(language.base()))
    }

    /// The languages.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        self.all.iter().map(|lexicon| lexicon.language)
    }
}

impl Lexicon {
    /// Reads a lexicon file and messages as people write them, one a line, headings in square brackets.
    pub fn read(language: Language, text: &str, examples: &str) -> Result<Lexicon, BadLexicon> {
        let fault = |fault: String| BadLexicon { tag: language.tag().into(), fault };
        let file: File = toml::from_str(text).map_err(|e| fault(e.to_string()))?;
        let stemming = Stemming::read(&file).map_err(fault)?;
        let mut lexicon = Lexicon {
            language,
            name: file.name,
            phrases: HashMap::default(),
            longest_phrase: 1,
            pauses: HashMap::default(),
            longest_from: HashMap::default(),
            number_words: HashMap::default(),
            vocabulary: HashSet::default(),
            known_stems: HashSet::default(),
            uses: HashMap::default(),
            compounds: file.compounds,
            reduplicates: file.reduplicates,
            noun_first: file.noun_first,
            one_prefix: file.one_prefix,
            free_order: file.free_order,
            definite_endings: file.definite_endings.iter().map(|ending| text::fold(ending)).collect(),
            spellings: HashMap::default(),
            spelt_stems: HashMap::default(),
            patterns: Vec::new(),
            patterns_by_first: Vec::new(),
            stem_ids: HashMap::default(),
            pattern_words: HashMap::default(),
            stemming,
        };
        for (other, word) in &file.spellings {
            let (key, value) = (text::words(other), text::words(word));
            let ([key], [value]) = (key.as_slice(), value.as_slice()) else {
                return Err(fault(format!("[spellings] has \"{other}\" = \"{word}\"; write one word for one word")));
            };
            if key.chars().count() >= SHORTEST_SPELT_STEM {
                let (key, value) = (lexicon.stemming.stem(key), lexicon.stemming.stem(value));
                lexicon.spelt_stems.insert(key.into(), value.into());
            }
            lexicon.spellings.insert(key.into(), value.into());
        }
        for phrase in &file.pause {
            let words = text::words(phrase);
            let Some(first) = words.first() else { return Err(fault(format!("pause has \"{phrase}\"; write words"))) };
            lexicon.pauses.entry(first.into()).or_default().push(words.join(" ").into());
        }
        for (phrase, number) in &file.numbers {
            lexicon.phrase(phrase).number = Some(*number);
        }
        for (phrase, ordinal) in &file.ordinals {
            lexicon.phrase(phrase).ordinal = Some(*ordinal);
        }
        for (key, phrases) in &file.words {
            let (_, role) = ROLES
                .iter()
                .find(|(name, _)| name == key)
                .ok_or_else(|| fault(format!("[words] has \"{key}\", which is no role")))?;
            for phrase in phrases {
                let meaning = lexicon.phrase(phrase);
                meaning.roles = meaning.roles.with(*role);
            }
        }
        lexicon.phrases.remove("");
        for (phrase, meaning) in &lexicon.phrases {
            if let Some(number) = meaning.number.filter(|_| !phrase.contains(' ')) {
                lexicon.number_words.entry(number).or_default().push(phrase.clone());
            }
        }
        for (key, phrases) in &file.intents {
            let intent =
                serde::Deserialize::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(key))
                    .map_err(|_| fault(format!("[intents] has \"{key}\", which is no intent")))?;
            for phrase in phrases {
                lexicon.pattern(intent, phrase).map_err(fault)?;
            }
        }
        for line in examples.lines().filter(|line| !line.starts_with('[')) {
            // "{p}" and its like stand for names.
            let plain: String = line.split(['{', '}']).step_by(2).collect::<Vec<_>>().join(" ");
            for word in text::words(&plain) {
                *lexicon.uses.entry(word.into()).or_default() += 1;
            }
        }
        // Words of patterns have theirs already.
        lexicon.known_stems = lexicon
            .vocabulary
            .iter()
            .filter(|word| !lexicon.pattern_words.contains_key(*word))
            .map(|word| lexicon.stem(word))
            .filter(|stem| stem.chars().count() >= SHORTEST_KNOWN_STEM)
            .map(CompactString::from)
            .collect();
        Ok(lexicon)
    }

    /// What the phrase of these words, joined by spaces, means; a phrase as written is taken before one whose words
    /// are spelt in another way.
    pub fn meaning(&self, phrase: &str) -> Option<Meaning> {
        let written = self.phrases.get(phrase).copied();
        if written.is_some() || !phrase.split(' ').any(|word| self.spellings.contains_key(word)) {
            return written;
        }
        let spelt: Vec<&str> = phrase.split(' ').map(|word| self.spelt(word)).collect();
        self.phrases.get(spelt.join(" ").as_str()).copied()
    }

    /// What a phrase of several words means, given as written and as the lexicon spells it.
    pub fn phrase_meaning(&self, written: &str, spelt: &str) -> Option<Meaning> {
        self.phrases.get(written).or_else(|| self.phrases.get(spelt)).copied()
    }

    /// The lexicon's own spelling of a word, where that is another.
    pub fn respelt(&self, word: &str) -> Option<&str> {
        self.spellings.get(word).map(CompactString::as_str)
    }

    /// Whether a phrase begins with the folded word.
    pub fn begins(&self, word: &str) -> bool {
        self.longest_from.contains_key(word)
    }

    /// Words of the longest phrase that begins with the folded word; at least 1.
    pub fn longest_phrase_from(&self, word: &str) -> usize {
        self.longest_from.get(word).map_or(1, |&words| words)
    }

    /// The word as the lexicon and merchants spell it.
    fn spelt<'a>(&'a self, word: &'a str) -> &'a str {
        self.spellings.get(word).map_or(word, CompactString::as_str)
    }

    /// Whether these folded words are, all together, a phrase that does something or tells what a message is for.
    pub fn says(&self, words: &[&str]) -> bool {
        let phrase = self.meaning(&words.join(" "));
        let stems: Vec<StemId> = words.iter().map(|word| self.stem_id(&self.stem(word))).collect();
        let Some(&first) = stems.first() else { return false };
        phrase.is_some_and(|meaning| !meaning.roles.only(&[Role::Stop, Role::Chatter]))
            || self.patterns(first).any(|pattern| pattern.reach(&stems).is_some_and(|(reach, _)| reach == stems.len()))
    }

    /// Whether folded words, joined by spaces, ask to be waited for, with nothing beside it but courtesy and a yes: "ok, one
    /// moment".
    pub fn is_pause(&self, said: &str) -> bool {
        let mut places = std::iter::once(0).chain(said.match_indices(' ').map(|(at, _)| at + 1));
        places.any(|from| {
            let (before, rest) = said.split_at(from);
            let first = rest.split(' ').next().unwrap_or_default();
            self.pauses.get(first).into_iter().flatten().any(|phrase| {
                rest.strip_prefix(phrase.as_str()).is_some_and(|after| {
                    let whole = after.is_empty() || after.starts_with(' ');
                    whole && self.is_courtesy(before.trim_end()) && self.is_courtesy(after.trim_start())
                })
            })
        })
    }

    /// Whether folded words, joined by spaces, are courtesy or a yes, or nothing at all.
    fn is_courtesy(&self, said: &str) -> bool {
        let polite = |meaning: Meaning| meaning.roles.any(&[Role::Polite, Role::Yes]);
        let mut ends = said.match_indices(' ').map(|(at, _)| at).chain([said.len()]);
        said.is_empty()
            || ends.any(|to| self.meaning(&said[..to]).is_some_and(polite) && self.is_courtesy(said[to..].trim_start()))
    }

    /// The number of words of the longest phrase.
    pub fn longest_phrase(&self) -> usize {
        self.longest_phrase
    }

    /// Whether the folded word occurs in any phrase.
    pub fn knows(&self, word: &str) -> bool {
        self.vocabulary.contains(word) || self.vocabulary.contains(self.spelt(word))
    }

    /// How much a word is of this language: by how often people write it, and by whether it does something.
    pub fn weight(&self, word: &str) -> f32 {
        let used = self.uses.get(word).map_or(0, |&uses| uses.min(MOST_USES)) as f32;
        let does = self.phrases.get(word).is_some_and(|meaning| {
            meaning.number.is_some() || !meaning.roles.only(&[Role::Stop, Role::Chatter, Role::Polite])
        });
        let listed = if does {
            WEIGHT_OF_ROLE
        } else if self.knows(word) {
            WEIGHT_OF_LISTED
        } else {
            0.0
        };
        used + listed
    }

    /// Whether a word that is not as in the dictionary has an ending that says "the".
    pub fn is_definite(&self, word: &str) -> bool {
        self.definite_endings
            .iter()
            .any(|ending| word.strip_suffix(ending.as_str()).is_some_and(|rest| rest.chars().count() >= SHORTEST_STEM))
    }

    /// Whether a word of any phrase has this stem.
    pub fn knows_stem(&self, stem: &str) -> bool {
        self.known_stems.contains(stem)
            || self.stem_ids.contains_key(stem) && stem.chars().count() >= SHORTEST_KNOWN_STEM
    }

    /// Whether the language is written in Cyrillic letters.
    pub fn is_cyrillic(&self) -> bool {
        self.name.chars().any(text::is_cyrillic)
    }

    /// The folded word without its ending.
    pub fn stem(&self, word: &str) -> String {
        let stem = self.stemming.stem(self.spelt(word));
        self.spelt_stems.get(stem.as_str()).map_or(stem, CompactString::to_string)
    }

    /// The single words for a number.
    pub fn number_words(&self, number: u32) -> impl Iterator<Item = &str> {
        self.number_words.get(&number).into_iter().flatten().map(CompactString::as_str)
    }

    /// The phrases that do this.
    pub fn phrases_of(&self, role: Role) -> impl Iterator<Item = &str> {
        self.phrases.iter().filter(move |(_, meaning)| meaning.roles.has(role)).map(|(phrase, _)| phrase.as_str())
    }

    /// Phrases that begin with this stem.
    pub fn patterns(&self, first: StemId) -> impl Iterator<Item = &Pattern> {
        self.patterns_by_first.get(first.0 as usize).into_iter().flatten().map(|&at| &self.patterns[at])
    }

    /// The number of a stem.
    pub fn stem_id(&self, stem: &str) -> StemId {
        self.stem_ids.get(stem).copied().unwrap_or(StemId::OTHER)
    }

    fn phrase(&mut self, phrase: &str) -> &mut Meaning {
        let words = text::words(phrase);
        self.longest_phrase = self.longest_phrase.max(words.len());
        let key = words.join(" ");
        if let Some(first) = words.first() {
            let longest = self.longest_from.entry(first.into()).or_default();
            *longest = (*longest).max(words.len());
        }
        self.vocabulary.extend(words.into_iter().map(CompactString::from));
        self.phrases.entry(key.into()).or_default()
    }

    fn pattern(&mut self, intent: Intent, phrase: &str) -> Result<(), String> {
        let (alone, body) = match phrase.strip_prefix('=') {
            Some(rest) => (true, rest),
            None => (false, phrase),
        };
        let pieces = self.pieces(body)?;
        let mut firsts = HashSet::default();
        let mut may_be_empty = true;
        for piece in &pieces {
            match piece {
                Piece::Gap => break,
                Piece::Word(stem) => {
                    firsts.insert(*stem);
                    may_be_empty = false;
                    break;
                }
                Piece::OneOf(rows) => {
                    firsts.extend(rows.iter().filter_map(|row| row.first()));
                    if !rows.iter().any(Vec::is_empty) {
                        may_be_empty = false;
                        break;
                    }
                }
            }
        }
        if may_be_empty || pieces.last() == Some(&Piece::Gap) {
            return Err(format!("\"{phrase}\" may not be empty, nor begin or end with a gap"));
        }
        for first in firsts {
            self.patterns_by_first[first.0 as usize].push(self.patterns.len());
        }
        let need = |piece: &Piece| match piece {
            Piece::Gap => None,
            Piece::Word(stem) => Some(stem.bit()),
            // Where a row is empty, none is needed.
            Piece::OneOf(rows) => rows.iter().try_fold(0, |bits, row| Some(bits | row.first()?.bit())),
        };
        let needs = pieces.iter().rev().filter_map(need).collect();
        self.patterns.push(Pattern { intent, alone, pieces, needs });
        Ok(())
    }
}

impl Lexicon {
    fn pieces(&mut self, phrase: &str) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        let mut rest = phrase;
        while !rest.is_empty() {
            let open = rest.find('(').unwrap_or(rest.len());
            for word in rest[..open].replace('*', " * ").split_whitespace() {
                match word {
                    "*" => pieces.push(Piece::Gap),
                    word => pieces.extend(self.row(word).into_iter().map(Piece::Word)),
                }
            }
            rest = &rest[open..];
            if let Some(inner) = rest.strip_prefix('(') {
                let close = inner.find(')').ok_or(format!("\"{phrase}\" lacks a bracket"))?;
                pieces.push(Piece::OneOf(inner[..close].split('|').map(|row| self.row(row)).collect()));
                rest = &inner[close + 1..];
            }
        }
        Ok(pieces)
    }

    fn row(&mut self, words: &str) -> Vec<StemId> {
        text::words(words).into_iter().map(|word| self.pattern_word(word)).collect()
    }

    /// The stem of a word of a pattern.
    fn pattern_word(&mut self, word: String) -> StemId {
        if let Some(&known) = self.pattern_words.get(word.as_str()) {
            return known;
        }
        let next = StemId(self.stem_ids.len() as u32);
        let stem = self.stem(&word);
        let stem = *self.stem_ids.entry(stem.into()).or_insert(next);
        if stem == next {
            self.patterns_by_first.push(Vec::new());
        }
        let word = CompactString::from(word);
        self.vocabulary.insert(word.clone());
        self.pattern_words.insert(word, stem);
        stem
    }
}

impl Pattern {
    /// Whether it may be found in a message whose stems have these bits.
    pub fn may_be_in(&self, bits: u128) -> bool {
        self.needs.iter().all(|need| need & bits != 0)
    }

    /// How far the phrase reaches in these stems from the first of them, and how many of its own words it found there:
    /// the reading with the most words.
    pub fn reach(&self, stems: &[StemId]) -> Option<(usize, usize)> {
        reach(&self.pieces, stems, 0)
    }
}

/// Punctuation among the stems ends a gap and equals no stem.
fn reach(pieces: &[Piece], stems: &[StemId], from: usize) -> Option<(usize, usize)> {
    let Some((piece, rest)) = pieces.split_first() else { return Some((from, 0)) };
    match piece {
        Piece::Gap => (0..=WIDEST_GAP)
            .take_while(|skipped| *skipped == 0 || stems.get(from + skipped - 1).is_some_and(|s| *s != StemId::MARK))
            .find_map(|skipped| reach(rest, stems, from + skipped)),
        Piece::Word(stem) => {
            if stems.get(from) != Some(stem) {
                return None;
            }
            reach(rest, stems, from + 1).map(|(to, words)| (to, words + 1))
        }
        Piece::OneOf(rows) => rows
            .iter()
            .filter(|row| row.iter().enumerate().all(|(at, stem)| stems.get(from + at) == Some(stem)))
            .filter_map(|row| reach(rest, stems, from + row.len()).map(|(to, words)| (to, words + row.len())))
            .max_by_key(|&(to, words)| (words, std::cmp::Reverse(to))),
    }
}

impl Stemming {
    fn read(file: &File) -> Result<Stemming, String> {
        let snowball = match file.stemmer.as_deref() {
            None => None,
            Some(name) => Some(Stemmer::create(algorithm(name).ok_or(format!("no stemmer is called \"{name}\""))?)),
        };
        let mut endings = Vec::new();
        for rule in &file.endings {
            let (from, to) = rule.split_once('>').ok_or(format!("an ending is written \"from>to\", not \"{rule}\""))?;
            endings.push((text::fold(from), text::fold(to)));
        }
        Ok(Stemming { snowball, passes: file.passes.unwrap_or(1), endings })
    }

    fn stem(&self, word: &str) -> String {
        let mut stem = word.to_owned();
        if let Some(snowball) = &self.snowball {
            for _ in 0..self.passes {
                let next = snowball.stem(&stem).into_owned();
                if next == stem {
                    break;
                }
                stem = next;
            }
        }
        // The first rule that fits is taken, once: the file lists longer endings first.
        for (from, to) in &self.endings {
            if let Some(rest) = stem.strip_suffix(from.as_str())
                && rest.chars().count() >= SHORTEST_STEM
            {
                stem = format!("{rest}{to}");
                break;
            }
        }
        stem
    }
}

impl std::fmt::Display for BadLexicon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "lexicon {}: {}", self.tag, self.fault)
    }
}

impl std::error::Error for BadLexicon {}

fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "arabic" => Algorithm::Arabic,
        "danish" => Algorithm::Danish,
        "dutch" => Algorithm::Dutch,
        "english" => Algorithm::English,
        "finnish" => Algorithm::Finnish,
        "french" => Algorithm::French,
        "german" => Algorithm::German,
        "greek" => Algorithm::Greek,
        "hungarian" => Algorithm::Hungarian,
        "italian" => Algorithm::Italian,
        "norwegian" => Algorithm::Norwegian,
        "portuguese" => Algorithm::Portuguese,
        "romanian" => Algorithm::Romanian,
        "russian" => Algorithm::Russian,
        "spanish" => Algorithm::Spanish,
        "swedish" => Algorithm::Swedish,
        "tamil" => Algorithm::Tamil,
        "turkish" => Algorithm::Turkish,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_lexicon_is_good() {
        let lexicons = Lexicons::embedded().unwrap();
        for tag in ["en", "af", "nb", "ru", "id", "ro"] {
            assert!(lexicons.position(tag.parse().unwrap()).is_some(), "{tag}");
        }
        assert_eq!(lexicons.all()[0].language, Language::ENGLISH);
    }

    #[test]
    fn every_language_knows_every_role_number_and_intent() {
        for lexicon in Lexicons::embedded().unwrap().all() {
            for (name, role) in ROLES {
                assert!(lexicon.phrases.values().any(|m| m.roles.has(role)), "{} lacks {name}", lexicon.language);
            }
            for number in 1..=20 {
                assert!(lexicon.number_words(number).next().is_some() || number > 10, "{} {number}", lexicon.language);
            }
            let intents: HashSet<Intent> =
                lexicon.patterns.iter().map(|p| p.intent).filter(|intent| *intent != Intent::Other).collect();
            // Order, yes and no are read from the roles; what is left over needs no phrases.
            assert_eq!(intents.len(), 25, "{}: {intents:?}", lexicon.language);
        }
    }

    #[test]
    fn slips_in_a_file_are_named() {
        let read = |text: &str| Lexicon::read(Language::ENGLISH, text, "").map(|_| ()).unwrap_err().fault;
        let head = "name = \"x\"\n[numbers]\n";
        assert!(read(&format!("{head}[words]\nfoo = []\n[intents]\n")).contains("\"foo\""));
        assert!(read(&format!("{head}[words]\n[intents]\nfoo = [\"a\"]\n")).contains("\"foo\""));
        assert!(read(&format!("{head}[words]\n[intents]\nmenu = [\"a (b|c\"]\n")).contains("bracket"));
        assert!(read(&format!("{head}[words]\n[intents]\nmenu = [\"* b\"]\n")).contains("gap"));
        assert!(read(&format!("stemmer = \"klingon\"\n{head}[words]\n[intents]\n")).contains("klingon"));
    }

    #[test]
    fn phrases_reach_over_alternatives_and_gaps() {
        let text = "name = \"x\"\n[numbers]\n[words]\n[intents]\nmenu = [\"(a|) b * (c d|e)\"]\n";
        let lexicon = Lexicon::read(Language::ENGLISH, text, "").unwrap();
        let reach = |words: &[&str]| {
            let stem = |word: &&str| if word.is_empty() { StemId::MARK } else { lexicon.stem_id(word) };
            let stems: Vec<StemId> = words.iter().map(stem).collect();
            lexicon.patterns(stems[0]).find_map(|p| p.reach(&stems))
        };
        assert_eq!(reach(&["a", "b", "x", "y", "c", "d", "z"]), Some((6, 4)));
        assert_eq!(reach(&["b", "e"]), Some((2, 2)));
        assert_eq!(reach(&["b", "", "e"]), None);
        assert_eq!(reach(&["a", "b", "1", "2", "3", "4", "5", "e"]), None);
    }
}
