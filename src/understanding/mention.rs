//! What a message names without asking for it: the products that a question is about, and things whose names are near
//! to something that the shop lacks.

use super::{Engine, alias::Meant, detect, names::WordId, segment, shop::Spoken, text};
use crate::id::ProductId;

/// Most products that a question can be about; a word that names more of them ("pizza") names none.
const MOST_NAMED: usize = 8;

/// Most near names that are told for one piece.
const MOST_NEAR: usize = 2;

/// How alike two names must be, by Jaro and Winkler's measure from 0 to 1, for one to be told in place of the other.
/// Below it the suggestion is more puzzling than none.
const NEAR: f64 = 0.84;

/// The same for short words, in which a letter more or less makes another word.
const NEAR_SHORT: f64 = 0.9;

/// Most letters of a short word.
const SHORT: usize = 5;

/// How much less alike than the nearest name another may be to be told beside it.
const AS_NEAR: f64 = 0.04;

impl Engine {
    /// The products that a text names, in the order in which it names them.
    pub fn named(&self, text: &str) -> Vec<ProductId> {
        let mut named: Vec<usize> = Vec::new();
        for segment in self.segments(super::engine::cut(text)).1 {
            let products = if segment.products.is_empty() { &*segment.class } else { segment.products.as_slice() };
            if products.len() <= MOST_NAMED {
                named.extend(products.iter().filter(|product| !named.contains(product)).copied().collect::<Vec<_>>());
            }
        }
        named.into_iter().map(|product| self.shop.products[product].clone()).collect()
    }

    /// The words of a text that were read as this product, as written.
    pub fn words_for<'a>(&self, text: &'a str, product: &ProductId) -> Option<&'a str> {
        let text = super::engine::cut(text);
        let product = self.shop.product(product)?;
        let (words, segments) = self.segments(text);
        let segment = segments.iter().find(|segment| segment.products.contains(&product))?;
        let (first, last) = (words.get(segment.from)?, words.get(segment.to.checked_sub(1)?)?);
        text.get(first.token.from..last.token.to)
    }

    fn segments(&self, text: &str) -> (Vec<segment::Word>, Vec<segment::Segment>) {
        let mut words = segment::words(text, text::tokens(text), &self.book, &self.lexicons);
        let own = self.shop.languages.first().copied();
        let language = detect::language(&words, &self.lexicons, None, own);
        let segments = segment::segments(&mut words, language, &self.book, &self.shop, &self.lexicons);
        (words, segments)
    }

    /// Products and choices whose names are near to a piece of text that names none, the nearest first.
    pub fn near(&self, piece: &str) -> Vec<Meant> {
        let piece = text::words(piece);
        let products = self.shop.products.iter().zip(&self.shop.names);
        let products = products.map(|(id, names)| (Meant::Product(id.clone()), names));
        // Halves are called as the products that they are halves of.
        let groups = self.shop.groups.iter().enumerate().filter(|(at, _)| self.shop.makes(*at).is_none());
        let choices = groups.flat_map(|(_, group)| {
            let each = group.choices.iter().zip(&group.names);
            each.map(|(id, names)| (Meant::Choice(group.id.clone(), id.clone()), names))
        });
        let letters: usize = piece.iter().map(|word| word.chars().count()).sum();
        let least = if letters <= SHORT { NEAR_SHORT } else { NEAR };
        let whole = Letters::of(&piece.join(" "));
        // Each word of names is compared but once, however many names have it.
        let alike: Vec<f64> = self.book.words.texts().map(|word| alike_in_a_word(&piece, word)).collect();
        let best = |names: &Spoken, by_words: bool| {
            let in_a_word = |name: &[WordId]| name.iter().map(|&word| alike[word as usize]).fold(0.0, f64::max);
            let name_alike = |name: &[WordId]| {
                let said = name.iter().map(|&word| self.book.words.text(word));
                let as_whole = if whole.may_be_alike(said.clone(), least) {
                    alike_words(&whole.text, &said.collect::<Vec<_>>().join(" "))
                } else {
                    0.0
                };
                if by_words { as_whole.max(in_a_word(name)) } else { as_whole }
            };
            names.iter().map(|name| name_alike(name)).fold(0.0, f64::max)
        };
        // Choices have short names, of which a word alone says little.
        let products = products.map(|(meant, names)| (best(names, true), meant));
        let choices = choices.map(|(meant, names)| (best(names, false), meant));
        let mut found: Vec<(f64, Meant)> = products.chain(choices).filter(|(best, _)| *best >= least).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let nearest = found.first().map_or(0.0, |(best, _)| *best);
        let told = found.into_iter().take_while(|(best, _)| nearest - best <= AS_NEAR);
        told.take(MOST_NEAR).map(|(_, meant)| meant).collect()
    }
}

/// A piece of text with how often it has each letter, by which most names are seen to be unlike it.
struct Letters {
    text: String,
    count: usize,
    often: [u8; KINDS_OF_LETTERS],
}

/// Letters are counted by this many kinds; letters far apart in Unicode share one.
const KINDS_OF_LETTERS: usize = 64;

/// The measure counts a common beginning of so many letters at the most, each for a tenth of what lacks to 1.
const LONGEST_BEGINNING: usize = 4;

impl Letters {
    fn of(text: &str) -> Letters {
        let mut often = [0u8; KINDS_OF_LETTERS];
        for c in text.chars() {
            let kind = &mut often[c as usize % KINDS_OF_LETTERS];
            *kind = kind.saturating_add(1);
        }
        Letters { text: text.to_owned(), count: text.chars().count(), often }
    }

    /// Whether a name of these words may be as alike as that: by Jaro's measure, were all common letters in order.
    fn may_be_alike<'a>(&self, name: impl Iterator<Item = &'a str> + Clone, least: f64) -> bool {
        let mut left = self.often;
        let (mut count, mut common) = (0, 0);
        for c in name.clone().flat_map(|word| [' '].into_iter().chain(word.chars())).skip(1) {
            let kind = &mut left[c as usize % KINDS_OF_LETTERS];
            common += usize::from(*kind > 0);
            *kind = kind.saturating_sub(1);
            count += 1;
        }
        if common == 0 {
            return false;
        }
        let letters = name.flat_map(|word| [' '].into_iter().chain(word.chars())).skip(1);
        let beginning = letters.zip(self.text.chars()).take(LONGEST_BEGINNING).take_while(|(a, b)| a == b).count();
        let share = |of: usize| common as f64 / of as f64;
        let most = (share(self.count) + share(count) + 1.0) / 3.0;
        // A hair more than the bound, for the rounding of it.
        most + beginning as f64 * 0.1 * (1.0 - most).max(0.0) + 1e-9 >= least
    }
}

/// How alike two words are; where one is much shorter, its letters being in the other says nothing.
fn alike_words(a: &str, b: &str) -> f64 {
    let (a_long, b_long) = (a.chars().count(), b.chars().count());
    if a_long.min(b_long) * 5 < a_long.max(b_long) * 3 { 0.0 } else { strsim::jaro_winkler(a, b) }
}

/// How alike a word of a name is to any word of a piece of text. A shared word is a hint, and no more than that.
fn alike_in_a_word(piece: &[String], word: &str) -> f64 {
    let long = |word: &str| word.chars().count() >= 4;
    if !long(word) {
        return 0.0;
    }
    piece.iter().filter(|ours| long(ours)).map(|ours| alike_words(ours, word)).fold(0.0, f64::max) * 0.95
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::Lexicons;

    fn engine() -> Engine {
        let file = include_str!("../../config/samples/pizzeria/catalog.json");
        Engine::compile(&crate::catalog::read::read(file).unwrap().0, &Lexicons::embedded().unwrap())
    }

    fn ids(products: &[ProductId]) -> Vec<&str> {
        products.iter().map(ProductId::as_str).collect()
    }

    #[test]
    fn questions_name_their_products() {
        let engine = engine();
        assert_eq!(ids(&engine.named("what's on the diavola, and how much is a tiramisu?")), ["diavola", "tiramisu"]);
        assert!(engine.named("when do you open?").is_empty());
    }

    #[test]
    fn near_names_are_told_and_far_ones_are_not() {
        let engine = engine();
        assert_eq!(engine.near("margerita")[0], Meant::Product("margherita".parse().unwrap()));
        let choice = Meant::Choice("topping".parse().unwrap(), "mushrooms".parse().unwrap());
        assert_eq!(engine.near("mushrumz")[0], choice);
        assert!(engine.near("motor oil").is_empty());
        assert!(engine.near("boat").is_empty());
        // Not the size that is "mare" in Romanian.
        assert_eq!(engine.near("marghenzo"), [Meant::Product("margherita".parse().unwrap())]);
    }
}
