//! What a message names without asking for it: the products that a question is about, and those whose names are near
//! to something that the shop lacks.

use super::{Engine, detect, names::WordId, segment, text};
use crate::id::ProductId;

/// Most products that a question can be about; a word that names more of them ("pizza") names none.
const MOST_NAMED: usize = 8;

/// Most near names that are told for one piece.
const MOST_NEAR: usize = 2;

/// How alike two names must be, by Jaro and Winkler's measure from 0 to 1, for one to be told in place of the other.
/// Below it the suggestion is more puzzling than none.
const NEAR: f64 = 0.84;

impl Engine {
    /// The products that a text names, in the order in which it names them.
    pub fn named(&self, text: &str) -> Vec<ProductId> {
        let text = super::engine::cut(text);
        let mut words = segment::words(text, text::tokens(text), &self.book, &self.lexicons);
        let own = self.shop.languages.first().copied();
        let language = detect::language(&words, &self.lexicons, None, own);
        let mut named: Vec<usize> = Vec::new();
        for segment in segment::segments(&mut words, language, &self.book, &self.shop, &self.lexicons) {
            let products = if segment.products.is_empty() { &*segment.class } else { segment.products.as_slice() };
            if products.len() <= MOST_NAMED {
                named.extend(products.iter().filter(|product| !named.contains(product)).copied().collect::<Vec<_>>());
            }
        }
        named.into_iter().map(|product| self.shop.products[product].clone()).collect()
    }

    /// Products whose names are near to a piece of text that names none, the nearest first.
    pub fn near(&self, piece: &str) -> Vec<ProductId> {
        let piece = text::words(piece);
        let mut found: Vec<(f64, usize)> = Vec::new();
        for (product, names) in self.shop.names.iter().enumerate() {
            let said = |name: &[WordId]| name.iter().map(|&word| self.book.words.text(word)).collect::<Vec<_>>();
            let best = names.iter().map(|name| alike(&piece, &said(name))).fold(0.0, f64::max);
            if best >= NEAR {
                found.push((best, product));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().take(MOST_NEAR).map(|(_, product)| self.shop.products[product].clone()).collect()
    }
}

/// How alike two names are: as wholes, or in the words that both may have.
fn alike(piece: &[String], name: &[&str]) -> f64 {
    let whole = strsim::jaro_winkler(&piece.join(" "), &name.join(" "));
    let long = |word: &&str| word.chars().count() >= 4;
    let (ours, theirs) = (piece.iter().map(String::as_str).filter(long), name.iter().copied().filter(long));
    let word = ours
        .flat_map(|a| theirs.clone().map(move |b| strsim::jaro_winkler(a, b)))
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
        assert_eq!(ids(&engine.near("margerita"))[0], "margherita");
        assert!(engine.near("motor oil").is_empty());
    }
}
