//! What words mean whatever the shop, read from two files in a language's folder, both of which may be missing:
//!
//! - `config/locales/<tag>/concepts.txt`: words of trade that customers use for the same thing, a concept a line, as
//!   `deliver: ship* courier parcel*`, where `*` stands for any ending. A concept has the same name in every language,
//!   so that a question of one language is found by what the shop wrote in another.
//! - `config/locales/<tag>/meanings.txt`: common words, the commonest first, each with its place among all meanings:
//!   [`DIMENSIONS`] characters from `0` to `o`, whose middle is nothing. Words that stand in each other's stead are near
//!   each other, and those that say little are near the middle. `#` opens a comment: whence the numbers come.
//!
//! Promises: words are looked up as [`Answerer`](super::Answerer) writes them, in small letters without accents; a word
//! that no file has is no error, it only means nothing here.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use include_dir::Dir;

use super::{answer::plain, lexicon::LOCALES};

/// How many numbers make a place. With twice as many no question more was answered.
pub const DIMENSIONS: usize = 64;

/// Where a word or a text stands among all meanings.
pub type Place = [f32; DIMENSIONS];

/// The character that stands for 0 in a place.
const MIDDLE: u8 = b'P';

/// So common are the words that say least: "the", "my", "is".
const SAYS_LEAST: f32 = 40.0;

/// From here on a word is rare enough to count in full.
const SAYS_ALL: f32 = 1_000.0;

/// How much the commonest words count.
const LEAST: f32 = 0.5;

/// The embedded files of all languages.
pub struct Meanings {
    /// By word: its rank among the words of its language, from 1, and its place.
    words: HashMap<&'static str, (usize, &'static [u8])>,
    /// Whole words and stems of concepts.
    whole: HashMap<String, Vec<&'static str>>,
    stems: HashMap<String, Vec<&'static str>>,
    /// By concept: the mean of the places of its words.
    concepts: HashMap<&'static str, Place>,
}

impl Meanings {
    /// Those that the program was built with.
    pub fn embedded() -> &'static Meanings {
        static READ: LazyLock<Meanings> = LazyLock::new(Meanings::read);
        &READ
    }

    fn read() -> Meanings {
        let read = |folder: &'static Dir<'static>, name: &str| {
            let file = folder.get_file(folder.path().join(name)).and_then(|file| file.contents_utf8());
            file.unwrap_or_default().lines().filter(|line| !line.starts_with('#'))
        };
        let mut words = HashMap::new();
        for folder in LOCALES.dirs() {
            for (rank, line) in read(folder, "meanings.txt").enumerate() {
                if let Some((word, place)) = line.split_once(' ') {
                    words.entry(word).or_insert((rank + 1, place.as_bytes()));
                }
            }
        }
        let (mut whole, mut stems) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        let mut sums: HashMap<&'static str, (Place, f32)> = HashMap::new();
        for folder in LOCALES.dirs() {
            for (concept, line) in read(folder, "concepts.txt").filter_map(|line| line.split_once(':')) {
                for listed in line.split_whitespace() {
                    let stem = listed.strip_suffix('*');
                    let word = plain(stem.unwrap_or(listed));
                    if let Some((_, place)) = words.get(word.as_str()) {
                        let (sum, count) = sums.entry(concept).or_insert(([0.0; DIMENSIONS], 0.0));
                        add(sum, place);
                        *count += 1.0;
                    }
                    let into = if stem.is_some() { &mut stems } else { &mut whole };
                    into.entry(word).or_default().push(concept);
                }
            }
        }
        let concepts = sums.into_iter().map(|(concept, (sum, count))| (concept, sum.map(|number| number / count)));
        Meanings { words, whole, stems, concepts: concepts.collect() }
    }

    /// Whether a word is one of a language, and so no slip.
    pub fn knows(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// How much a word says by how common it is, from [`LEAST`] to 1; nothing where no file has it.
    pub fn says(&self, word: &str) -> Option<f32> {
        let (rank, _) = self.words.get(word)?;
        let rarity = (*rank as f32 / SAYS_LEAST).ln() / (SAYS_ALL / SAYS_LEAST).ln();
        Some(LEAST + (1.0 - LEAST) * rarity.clamp(0.0, 1.0))
    }

    /// The concepts that a word names, each once.
    pub fn concepts(&self, word: &str) -> BTreeSet<&'static str> {
        let stems = word.char_indices().skip(1).map(|(at, _)| &word[..at]).chain([word]);
        let stems = stems.filter_map(|stem| self.stems.get(stem));
        stems.chain(self.whole.get(word)).flatten().copied().collect()
    }

    /// The place of a text of these words: as far from the middle as they are known, 1 where all of them are. A word
    /// that has no place of its own stands where the concepts stand that it names.
    pub fn place<'a>(&self, words: impl Iterator<Item = &'a str>) -> Place {
        let mut place = [0.0; DIMENSIONS];
        let (mut all, mut known) = (0.0_f32, 0.0);
        for word in words {
            all += 1.0;
            if let Some((_, numbers)) = self.words.get(word) {
                add(&mut place, numbers);
                known += 1.0;
                continue;
            }
            let concepts = self.concepts(word);
            let places: Vec<&Place> = concepts.iter().filter_map(|concept| self.concepts.get(concept)).collect();
            for concept in &places {
                place.iter_mut().zip(*concept).for_each(|(sum, number)| *sum += number / places.len() as f32);
            }
            known += if places.is_empty() { 0.0 } else { 1.0 };
        }
        let length = place.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        place.map(|number| number / length * (known / all.max(1.0)))
    }
}

/// Adds a place, as it is written, to another.
fn add(sum: &mut Place, written: &[u8]) {
    for (sum, number) in sum.iter_mut().zip(written) {
        *sum += f32::from(*number) - f32::from(MIDDLE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: &str, other: &str) -> f32 {
        let place = |text: &str| Meanings::embedded().place(text.split(' '));
        place(one).iter().zip(place(other)).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn files_are_in_order() {
        for (word, (_, place)) in &Meanings::embedded().words {
            assert_eq!(plain(word), *word);
            assert_eq!(place.len(), DIMENSIONS, "{word}");
            assert!(place.iter().all(|number| (b'0'..=b'o').contains(number)), "{word}");
        }
    }

    #[test]
    fn what_means_the_same_is_near() {
        assert!(near("cheap", "price") > near("cheap", "window"));
        assert!(near("ship it abroad", "deliver to another country") > near("ship it abroad", "i forgot my password"));
        assert_eq!(near("qqqq", "price"), 0.0);
    }

    #[test]
    fn common_words_say_less() {
        let says = |word| Meanings::embedded().says(word);
        assert_eq!(says("the"), Some(LEAST));
        assert_eq!(says("refund"), Some(1.0));
        assert_eq!(says("qqqq"), None);
    }

    #[test]
    fn concepts_join_words_and_languages() {
        let concepts = |word: &str| Meanings::embedded().concepts(&plain(word));
        for word in ["shipping", "levering", "доставка", "pengiriman", "livrare", "aflewering"] {
            assert!(concepts(word).contains("deliver"), "{word}");
        }
        assert!(concepts("qqqq").is_empty());
    }
}
