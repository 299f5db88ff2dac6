//! What is known of single words: in each lexicon and in the catalogue's names. Taking a word's endings off in every
//! language is what a reading would otherwise spend most of its time on, and customers use the same few thousand words,
//! so what was found out of a word is kept.

use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use super::{
    lexicon::{Lexicons, Meaning, Role, StemId},
    names::{NameWords, WordId},
};
use crate::language::Language;

/// Most words that are remembered. Customers of one shop write some thousands; what a hostile text fills the memory
/// with is forgotten when it is full, at about a kilobyte a word.
const MOST_REMEMBERED: usize = 4_096;

/// A set of lexicons, a bit for each by its place. Lexicons past the 64th take no part in reading names.
pub type Tongues = u64;

/// The set of the one lexicon at this place.
pub fn only(lexicon: usize) -> Tongues {
    u32::try_from(lexicon).ok().and_then(|at| 1u64.checked_shl(at)).unwrap_or(0)
}

/// All that is known of a folded word.
#[derive(Debug)]
pub struct Sense {
    /// Without its ending, by lexicon.
    pub stems: Arc<[String]>,
    /// What each lexicon says of it.
    pub tongues: Box<[Tongue]>,
    /// What it means in any language, where the message's own does not know it.
    pub foreign: Option<Meaning>,
    /// The word of names that it is, letter by letter.
    pub word: Option<WordId>,
    /// The languages of the names that have it.
    pub languages: Box<[Language]>,
    /// The words of names that it may be a form of.
    pub steps: Box<[Step]>,
}

/// A word as one lexicon knows it.
#[derive(Debug)]
pub struct Tongue {
    /// What it does by itself.
    pub meaning: Option<Meaning>,
    /// Its stem, as patterns have it.
    pub stem: StemId,
    /// How the lexicon spells it, where that is otherwise.
    pub spelt: Option<Box<str>>,
    /// Words of the longest phrase that begins with it.
    pub longest_phrase: usize,
    /// How much of a word of this language it is.
    pub weight: f32,
    /// Whether it or another form of it occurs in any phrase.
    pub is_known: bool,
    /// Whether it has an ending that says "the".
    pub is_definite: bool,
}

/// A word within a name, or two in a row, that a word of a message may be a form of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The word.
    pub first: WordId,
    /// The next, where the message writes both as one.
    pub second: Option<WordId>,
    /// The lexicons whose endings hide the difference.
    pub tongues: Tongues,
    /// Whether there is none.
    pub exact: bool,
}

/// The senses of the words met so far.
#[derive(Default)]
pub struct Senses {
    known: Mutex<HashMap<Arc<str>, Arc<Sense>>>,
}

impl Senses {
    /// The senses of these folded words, in their order.
    pub fn of<'a>(
        &self,
        words: impl Iterator<Item = &'a str>,
        names: &NameWords,
        lexicons: &Lexicons,
    ) -> Vec<Arc<Sense>> {
        // What a panic left behind is whole: an entry is put in at once.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        words
            .map(|word| {
                if let Some(sense) = known.get(word) {
                    return sense.clone();
                }
                if known.len() == MOST_REMEMBERED {
                    known.clear();
                }
                let sense = Arc::new(Sense::of(word, names, lexicons));
                known.insert(word.into(), sense.clone());
                sense
            })
            .collect()
    }
}

impl Sense {
    /// Whether the word may be a form of this word of names.
    pub fn is_form_of(&self, name: WordId) -> bool {
        self.steps.iter().any(|step| step.first == name && step.second.is_none())
    }

    fn of(word: &str, names: &NameWords, lexicons: &Lexicons) -> Sense {
        let all = lexicons.all();
        let stems: Arc<[String]> = all.iter().map(|lexicon| lexicon.stem(word)).collect();
        let tongues = all
            .iter()
            .zip(stems.iter())
            .map(|(lexicon, stem)| {
                let spelt = lexicon.respelt(word);
                Tongue {
                    meaning: lexicon.meaning(word),
                    stem: lexicon.stem_id(stem),
                    longest_phrase: lexicon
                        .longest_phrase_from(word)
                        .max(spelt.map_or(1, |w| lexicon.longest_phrase_from(w))),
                    spelt: spelt.map(Box::from),
                    weight: lexicon.weight(word),
                    is_known: lexicon.knows(word) || lexicon.knows_stem(stem),
                    is_definite: lexicon.is_definite(word),
                }
            })
            .collect();
        let foreign = all.iter().filter_map(|lexicon| lexicon.meaning(word)).reduce(|first, next| {
            // "da" is a filler in one language and yes in another: an answer in any language is one.
            let roles = if next.roles.any(&[Role::Yes, Role::No]) { first.roles.or(next.roles) } else { first.roles };
            Meaning { roles, ..first }
        });
        let id = names.find(word);
        Sense {
            tongues,
            foreign,
            word: id,
            languages: id.map(|id| names.languages(id).into()).unwrap_or_default(),
            steps: names.steps(word, &stems),
            stems,
        }
    }
}
