//! Misspelt and clipped words, and the words of the catalogue that they are meant to be. A word is near to another by the
//! letters that were left out, put in, changed or swapped; by its sound, where only vowels and doubled letters differ;
//! and by its beginning, where it was cut short. It is taken only where one word is meant, or several of one thing.
//! Words are compared without endings too, since a case changes more letters than a slip does.

use foldhash::HashMap;

use super::names::Thing;

/// Fewest letters of a word that may be misspelt: shorter ones are too close to too many others.
const SHORTEST_FUZZY: usize = 5;

/// From so many letters on two slips are forgiven.
const TWO_SLIPS: usize = 8;

/// Fewest letters of a word that may be misspelt by ear in more letters than one slip changes.
const SHORTEST_BY_EAR: usize = 6;

/// Most letters by which a word and one that differs from it in doubled letters alone may differ in length.
const MOST_DOUBLED: usize = 2;

/// Most letters in which a word written by ear may differ.
const MOST_BY_EAR: usize = 2;

/// Fewest letters of a part of a word that is written together.
const SHORTEST_PART_OF_COMPOUND: usize = 3;

/// Letters that join the parts of such a word.
const LINKS: [&str; 3] = ["s", "e", "er"];

/// Most letters of an ending that is left aside where nothing else is near.
const LONGEST_ENDING: usize = 3;

/// Fewest letters of a word that may be cut short, as "mayo" is.
const SHORTEST_CUT: usize = 4;

/// Most things that a word is remembered to name; a word of more is no sign of any of them.
const MOST_THINGS: usize = 4;

/// The words of a catalogue as misspelt ones are compared with them. A word is compared with the few that can be near:
/// those of about as many letters and mostly the same ones, those that sound alike, those that are the same but for
/// doubled letters, and those that begin like it.
#[derive(Default)]
pub struct Spellings {
    words: Vec<Known>,
    at: HashMap<String, usize>,
    /// By number of letters, which letters each word has, and its place.
    by_letters: Vec<Vec<(u64, u32)>>,
    by_sound: HashMap<String, Vec<u32>>,
    /// By the word without doubled letters.
    by_single: HashMap<String, Vec<u32>>,
    /// Places by the words' own order.
    sorted: Vec<u32>,
}

struct Known {
    /// A word of a name, or one without its ending.
    text: String,
    /// The place of the word of a name that it stands for.
    word: usize,
    letters: usize,
    things: Vec<Thing>,
}

impl Spellings {
    /// The place of a word of a name, or of such a word without its ending, which is added where it is new.
    pub fn add(&mut self, text: &str, word: &str) -> usize {
        if let Some(&at) = self.at.get(text) {
            return at;
        }
        let at = self.words.len();
        let word = if text == word { at } else { self.at.get(word).copied().unwrap_or(at) };
        self.at.insert(text.to_owned(), at);
        self.words.push(Known { text: text.to_owned(), word, letters: text.chars().count(), things: Vec::new() });
        at
    }

    /// Notes that the word at this place names a thing.
    pub fn note(&mut self, at: usize, thing: Thing) {
        let things = &mut self.words[at].things;
        if things.len() <= MOST_THINGS && !things.contains(&thing) {
            things.push(thing);
        }
    }

    /// Sorts the words for being found, once all are added.
    pub fn settle(&mut self) {
        for (at, known) in self.words.iter().enumerate() {
            let at = at as u32;
            if self.by_letters.len() <= known.letters {
                self.by_letters.resize_with(known.letters + 1, Vec::new);
            }
            self.by_letters[known.letters].push((mask(&known.text), at));
            self.by_sound.entry(sound(&known.text)).or_default().push(at);
            self.by_single.entry(single(&known.text)).or_default().push(at);
            self.sorted.push(at);
        }
        self.sorted.sort_unstable_by(|a, b| self.words[*a as usize].text.cmp(&self.words[*b as usize].text));
    }

    /// The word of the catalogue that is surely meant by one that it lacks; `stem` is that word without its ending.
    pub fn nearest(&self, word: &str, stem: &str) -> Option<&str> {
        let query = Query::of(word)?;
        self.near(&query)
            .or_else(|| {
                Query::of(stem).filter(|_| stem != word).and_then(|stem| self.near(&Query { sound: None, ..stem }))
            })
            .or_else(|| self.longer(&query, stem))
            .or_else(|| self.shorter(&query))
    }

    /// The word that was given an ending which no stemmer takes off: a diminutive.
    fn shorter(&self, query: &Query<'_>) -> Option<&str> {
        let cuts = query.text.char_indices().rev().take(LONGEST_ENDING);
        let most = query.letters.saturating_sub(SHORTEST_FUZZY);
        cuts.take(most).find_map(|(at, _)| self.at.get(&query.text[..at])).map(|&at| self.named(&self.words[at]))
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
        for (distance, known) in self.near_enough(query) {
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
        best.filter(|_| !tied || query.letters >= TWO_SLIPS).map(|(_, known)| self.named(known))
    }

    /// The words that are near enough, with how far they are, in the order in which they came.
    fn near_enough(&self, query: &Query<'_>) -> Vec<(usize, &Known)> {
        let mut found: Vec<(u32, usize)> = Vec::new();
        for &at in self.by_single.get(&single(query.text)).into_iter().flatten() {
            let known = &self.words[at as usize];
            if self.words[at as usize].letters.abs_diff(query.letters) <= MOST_DOUBLED && known.text != query.text {
                found.push((at, 1));
            }
        }
        if query.letters >= SHORTEST_FUZZY {
            let most = if query.letters >= TWO_SLIPS { 2 } else { 1 };
            let about = query.letters - most..=query.letters + most;
            for letters in about.filter(|&letters| SHORTEST_FUZZY <= letters && letters < self.by_letters.len()) {
                let slips = if letters >= TWO_SLIPS { most } else { 1 };
                if letters.abs_diff(query.letters) > slips {
                    continue;
                }
                for &(mask, at) in &self.by_letters[letters] {
                    if (query.mask ^ mask).count_ones() as usize <= slips * 2 {
                        let distance = strsim::osa_distance(query.text, &self.words[at as usize].text);
                        if distance <= slips {
                            found.push((at, distance));
                        }
                    }
                }
            }
        }
        if let Some(sound) = query.sound.as_ref().filter(|_| query.letters >= SHORTEST_BY_EAR) {
            for &at in self.by_sound.get(sound).into_iter().flatten() {
                let known = &self.words[at as usize];
                if known.letters >= SHORTEST_BY_EAR
                    && known.letters.abs_diff(query.letters) <= MOST_BY_EAR
                    && query.text.chars().next() == known.text.chars().next()
                    && strsim::osa_distance(query.text, &known.text) <= MOST_BY_EAR
                {
                    found.push((at, MOST_BY_EAR + 1));
                }
            }
        }
        // Of the ways in which a word is near the first that was tried counts: doubled letters, slips, the ear.
        found.sort_by_key(|&(at, _)| at);
        found.dedup_by_key(|(at, _)| *at);
        found.into_iter().map(|(at, distance)| (distance, &self.words[at as usize])).collect()
    }

    /// The word that was cut short.
    fn longer(&self, query: &Query<'_>, stem: &str) -> Option<&str> {
        let stem = Some(stem).filter(|stem| stem.chars().count() >= SHORTEST_CUT);
        let mut found = self.beginning(query.text).chain(stem.into_iter().flat_map(|stem| self.beginning(stem)));
        let first = found.next()?;
        // Several words are fine where one thing has them all.
        let mut common = first.things.clone();
        let mut best = first;
        for other in found {
            common.retain(|thing| other.things.contains(thing));
            if other.letters < best.letters || other.letters == best.letters && other.text < best.text {
                best = other;
            }
            if common.is_empty() {
                return None;
            }
        }
        (!common.is_empty()).then(|| self.named(best))
    }

    /// The words that begin so and go on for two letters at least.
    fn beginning<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a Known> {
        let letters = start.chars().count();
        let from = self.sorted.partition_point(|&at| self.words[at as usize].text.as_str() < start);
        self.sorted[from..]
            .iter()
            .map(|&at| &self.words[at as usize])
            .take_while(move |known| known.text.starts_with(start))
            .filter(move |known| known.letters > letters + 1)
    }

    /// The word of a name that a known word stands for.
    fn named(&self, known: &Known) -> &str {
        &self.words[known.word].text
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
}

/// Which letters a word has, a bit for each; letters far apart may share one.
fn mask(text: &str) -> u64 {
    text.chars().fold(0, |mask, c| mask | 1 << (c as u32 % 64))
}

/// A word without doubled letters: "piza".
fn single(text: &str) -> String {
    let mut last = None;
    text.chars().filter(|&c| last.replace(c) != Some(c)).collect()
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
            let at = spellings.add(name, name);
            spellings.note(at, Thing::Product(*product));
        }
        spellings.settle();
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
