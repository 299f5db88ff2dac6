//! What a message names without asking for it: the products that a question is about, and things whose names are near
//! to something that the shop lacks.

use super::{Engine, alias::Meant, detect, segment, shop::Spoken, text};
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
        let choices = self.shop.groups.iter().flat_map(|group| {
            let each = group.choices.iter().zip(&group.names);
            each.map(|(id, names)| (Meant::Choice(group.id.clone(), id.clone()), names))
        });
        let letters: usize = piece.iter().map(|word| word.chars().count()).sum();
        let least = if letters <= SHORT { NEAR_SHORT } else { NEAR };
        let best = |names: &Spoken, alike: fn(&[String], &[&str]) -> f64| {
            let said = names.iter().map(|name| name.iter().map(|&word| self.book.words.text(word)).collect::<Vec<_>>());
            said.map(|name| alike(&piece, &name)).fold(0.0, f64::max)
        };
        // Choices have short names, of which a word alone says little.
        let products = products.map(|(meant, names)| (best(names, alike), meant));
        let choices = choices.map(|(meant, names)| (best(names, alike_as_wholes), meant));
        let mut found: Vec<(f64, Meant)> = products.chain(choices).filter(|(best, _)| *best >= least).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let nearest = found.first().map_or(0.0, |(best, _)| *best);
        let told = found.into_iter().take_while(|(best, _)| nearest - best <= AS_NEAR);
        told.take(MOST_NEAR).map(|(_, meant)| meant).collect()
    }
}

/// How alike two names are as wholes.
fn alike_as_wholes(piece: &[String], name: &[&str]) -> f64 {
    alike_words(&piece.join(" "), &name.join(" "))
}

/// How alike two words are; where one is much shorter, its letters being in the other says nothing.
fn alike_words(a: &str, b: &str) -> f64 {
    let (a_long, b_long) = (a.chars().count(), b.chars().count());
    if a_long.min(b_long) * 5 < a_long.max(b_long) * 3 { 0.0 } else { strsim::jaro_winkler(a, b) }
}

/// How alike two names are: as wholes, or in the words that both may have.
fn alike(piece: &[String], name: &[&str]) -> f64 {
    let whole = alike_as_wholes(piece, name);
    let long = |word: &&str| word.chars().count() >= 4;
    let (ours, theirs) = (piece.iter().map(String::as_str).filter(long), name.iter().copied().filter(long));
    let word = ours
        .flat_map(|a| theirs.clone().map(move |b| alike_words(a, b)))
        // A shared word is a hint, and no more than that.
        .fold(0.0, f64::max)
        * 0.95;
    whole.max(word)
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
