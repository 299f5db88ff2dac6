//! Misspelt and clipped words, and the words of the catalogue that they are meant to be. A word is near to another by the
//! letters that were left out, put in, changed or swapped; by its sound, where only vowels and doubled letters differ;
//! and by its beginning, where it was cut short. It is taken only where one word is meant, or several of one thing.
//! Words are compared without endings too, since a case changes more letters than a slip does.

use std::collections::HashMap;

use super::{lexicon::Lexicon, names::Thing};

/// Fewest letters of a word that may be misspelt: shorter ones are too close to too many others.
const SHORTEST_FUZZY: usize = 5;

/// From so many letters on two slips are forgiven.
const TWO_SLIPS: usize = 8;

/// Fewest letters of a word that may be misspelt by ear in more letters than one slip changes.
const SHORTEST_BY_EAR: usize = 6;

/// Most letters in which a word written by ear may differ.
const MOST_BY_EAR: usize = 2;

/// Fewest letters of a part of a word that is written together.
const SHORTEST_PART_OF_COMPOUND: usize = 3;

/// Letters that join the parts of such a word.
const LINKS: [&str; 3] = ["s", "e", "er"];

/// Fewest letters of a word that may be cut short, as "mayo" is.
const SHORTEST_CUT: usize = 4;

/// Most things that a word is remembered to name; a word of more is no sign of any of them.
const MOST_THINGS: usize = 4;

/// The words of a catalogue as misspelt ones are compared with them.
#[derive(Default)]
pub struct Spellings {
    words: Vec<Known>,
    at: HashMap<String, usize>,
}

struct Known {
    /// A word of a name, or one without its ending.
    text: String,
    /// The word of a name that it stands for.
    word: String,
    letters: usize,
    mask: u64,
    sound: String,
    things: Vec<Thing>,
}

impl Spellings {
    /// Adds a word of a thing's name, and its stem in the language of the name.
    pub fn insert(&mut self, word: &str, lexicon: Option<&Lexicon>, thing: Thing) {
        self.add(word, word, thing);
        if let Some(stem) = lexicon.map(|lexicon| lexicon.stem(word)).filter(|stem| stem != word) {
            self.add(&stem, word, thing);
        }
    }

    fn add(&mut self, text: &str, word: &str, thing: Thing) {
        let at = *self.at.entry(text.to_owned()).or_insert_with(|| {
            self.words.push(Known {
                text: text.to_owned(),
                word: word.to_owned(),
                letters: text.chars().count(),
                mask: mask(text),
                sound: sound(text),
                things: Vec::new(),
            });
            self.words.len() - 1
        });
        let things = &mut self.words[at].things;
        if things.len() <= MOST_THINGS && !things.contains(&thing) {
            things.push(thing);
        }
    }

    /// The word of the catalogue that is surely meant by one that it lacks; `stem` is that word without its ending.
    pub fn nearest(&self, word: &str, stem: &str) -> Option<&str> {
        let query = Query::of(word)?;
        self.near(&query)
            .or_else(|| {
                Query::of(stem).filter(|_| stem != word).and_then(|stem| self.near(&Query { sound: None, ..stem }))
            })
            .or_else(|| self.longer(&query, stem))
    }

    /// The two words of the catalogue of which a word is made, with a linking letter between them perhaps.
    pub fn parts(&self, word: &str, stem: impl Fn(&str) -> String) -> Option<(String, String)> {
        if word.chars().count() < 2 * SHORTEST_PART_OF_COMPOUND {
            return None;
        }
        let known = |part: &str| {
            part.chars().count() >= SHORTEST_PART_OF_COMPOUND
                && (self.at.contains_key(part) || self.at.contains_key(&stem(part)))
        };
        let places = word.char_indices().map(|(at, _)| at).skip(SHORTEST_PART_OF_COMPOUND);
        places.collect::<Vec<_>>().into_iter().rev().find_map(|at| {
            let (left, right) = word.split_at(at);
            if !known(right) {
                return None;
            }
            let linked = LINKS.iter().filter_map(|link| left.strip_suffix(link)).find(|left| known(left));
            let left = if known(left) { Some(left) } else { linked };
            left.map(|left| (left.to_owned(), right.to_owned()))
        })
    }

    fn near(&self, query: &Query<'_>) -> Option<&str> {
        let mut best: Option<(usize, &Known)> = None;
        let mut tied = false;
        for known in &self.words {
            let Some(distance) = query.distance(known) else { continue };
            match best {
                Some((least, _)) if distance > least => {}
                Some((least, other)) if distance == least => {
                    // A singular and its plural, or two names of one thing, are equally near: either will do.
                    tied |= !known.things.iter().any(|thing| other.things.contains(thing));
                    // Which of equals is named must not depend on the order in which they came.
                    best = Some((least, if other.text <= known.text { other } else { known }));
                }
                _ => {
                    tied = false;
                    best = Some((distance, known));
                }
            }
        }
        // Two slips of a long word leave little doubt.
        best.filter(|_| !tied || query.letters >= TWO_SLIPS).map(|(_, known)| known.word.as_str())
    }

    /// The word that was cut short.
    fn longer(&self, query: &Query<'_>, stem: &str) -> Option<&str> {
        let begins = |known: &Known| {
            known.letters > query.letters + 1 && known.text.starts_with(query.text)
                || stem.chars().count() >= SHORTEST_CUT
                    && known.letters > stem.chars().count() + 1
                    && known.text.starts_with(stem)
        };
        let mut found = self.words.iter().filter(|known| begins(known));
        let first = found.next()?;
        // Several words are fine where one thing has them all.
        let mut common = first.things.clone();
        let mut best = first;
        for other in found {
            common.retain(|thing| other.things.contains(thing));
            if other.letters < best.letters || other.letters == best.letters && other.text < best.text {
                best = other;
            }
        }
        (!common.is_empty()).then_some(best.word.as_str())
    }
}

struct Query<'a> {
    text: &'a str,
    letters: usize,
    mask: u64,
    /// Where it is to be compared by ear: a stem is too little of a word for that.
    sound: Option<String>,
}

impl Query<'_> {
    fn of(text: &str) -> Option<Query<'_>> {
        let letters = text.chars().count();
        if letters < SHORTEST_CUT || text.chars().any(|c| !c.is_alphabetic()) {
            return None;
        }
        Some(Query { text, letters, mask: mask(text), sound: Some(sound(text)) })
    }

    /// How far a word is, where that is near enough.
    fn distance(&self, known: &Known) -> Option<usize> {
        if self.letters.abs_diff(known.letters) <= 2
            && self.text != known.text
            && same_but_doubled(self.text, &known.text)
        {
            return Some(1);
        }
        if self.letters < SHORTEST_FUZZY || known.letters < SHORTEST_FUZZY {
            return None;
        }
        let slips = if self.letters >= TWO_SLIPS && known.letters >= TWO_SLIPS { 2 } else { 1 };
        let differ = (self.mask ^ known.mask).count_ones() as usize;
        if known.letters.abs_diff(self.letters) <= slips && differ <= slips * 2 {
            let distance = strsim::osa_distance(self.text, &known.text);
            if distance <= slips {
                return Some(distance);
            }
        }
        let by_ear = self.letters >= SHORTEST_BY_EAR
            && known.letters >= SHORTEST_BY_EAR
            && known.letters.abs_diff(self.letters) <= MOST_BY_EAR
            && self.sound.as_ref() == Some(&known.sound)
            && self.text.chars().next() == known.text.chars().next();
        (by_ear && strsim::osa_distance(self.text, &known.text) <= MOST_BY_EAR).then_some(MOST_BY_EAR + 1)
    }
}

/// Which letters a word has, a bit for each; letters far apart may share one.
fn mask(text: &str) -> u64 {
    text.chars().fold(0, |mask, c| mask | 1 << (c as u32 % 64))
}

/// Whether two words differ only in letters that stand twice: "piza".
fn same_but_doubled(a: &str, b: &str) -> bool {
    let mut last = None;
    let mut single = |c: &char| last.replace(*c) != Some(*c);
    let a: Vec<char> = a.chars().filter(|c| single(c)).collect();
    let mut last = None;
    let mut single = |c: &char| last.replace(*c) != Some(*c);
    a.into_iter().eq(b.chars().filter(single))
}

/// A word without vowels and doubled letters.
fn sound(text: &str) -> String {
    let mut sound = String::with_capacity(text.len());
    let mut last = None;
    for c in text.chars() {
        if last != Some(c) && !is_vowel(c) {
            sound.push(c);
        }
        last = Some(c);
    }
    sound
}

fn is_vowel(c: char) -> bool {
    "aeiouyаеиоуыэюяй".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(names: &[(&str, usize)], word: &str) -> Option<String> {
        let mut spellings = Spellings::default();
        for (name, product) in names {
            spellings.insert(name, None, Thing::Product(*product));
        }
        spellings.nearest(word, word).map(str::to_owned)
    }

    #[test]
    fn slips_sounds_and_cuts_are_mended() {
        let menu =
            [("margherita", 0), ("margarita", 0), ("hawaiian", 1), ("double", 2), ("mushroom", 3), ("muffin", 4)];
        assert_eq!(nearest(&menu, "hawian").as_deref(), Some("hawaiian"));
        assert_eq!(nearest(&menu, "dubble").as_deref(), Some("double"));
        assert_eq!(nearest(&menu, "marg").as_deref(), Some("margarita"), "two names of one thing");
        assert_eq!(nearest(&menu, "mushrom").as_deref(), Some("mushroom"));
        assert_eq!(nearest(&menu, "umbrella"), None);
    }

    #[test]
    fn what_may_be_two_things_is_none() {
        assert_eq!(nearest(&[("melon", 0), ("lemon", 1)], "lelon"), None);
        assert_eq!(nearest(&[("chocolate", 0), ("chocopie", 1)], "choc"), None);
    }
}
