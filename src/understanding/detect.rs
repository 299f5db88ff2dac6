//! Which language a message is in: by its plain words, the catalogue names it uses and its script. What was spoken
//! before breaks ties, and so does the shop's own language where nothing was.

use super::{lexicon::Lexicons, names::NameBook, segment::Word, text};
use crate::language::Language;

/// What a name that only some languages have says of the language, beside a plain word's 1.
const NAME_WEIGHT: f32 = 0.4;

/// What the conversation's language so far counts.
const PRIOR_WEIGHT: f32 = 0.6;

/// What the shop's first language counts, where nothing was spoken before.
const OWN_WEIGHT: f32 = 0.3;

/// The language of a message among the lexicons', as a place in them.
pub fn language(
    words: &[Word],
    book: &NameBook,
    lexicons: &Lexicons,
    prior: Option<Language>,
    own: Option<Language>,
) -> usize {
    let all = lexicons.all();
    let mut scores = vec![0.0f32; all.len()];
    for word in words.iter().filter(|word| word.token.kind == text::Kind::Word) {
        let knowing: Vec<usize> = (0..all.len()).filter(|&at| all[at].knows(&word.token.text)).collect();
        for &at in &knowing {
            // A word that many languages share says little for any of them.
            scores[at] += 1.0 / (knowing.len() * knowing.len()) as f32;
        }
        if let Some(languages) = book.words.get(&word.token.text) {
            let share = NAME_WEIGHT / (languages.len() * languages.len()) as f32;
            for language in languages {
                if languages.len() < all.len()
                    && let Some(at) = lexicons.position(*language)
                {
                    scores[at] += share;
                }
            }
        }
        if knowing.is_empty() && word.token.text.chars().any(text::is_cyrillic) {
            for (at, lexicon) in all.iter().enumerate() {
                if lexicon.is_cyrillic() {
                    scores[at] += 1.0;
                }
            }
        }
    }
    match prior.and_then(|prior| lexicons.position(prior)) {
        Some(at) => scores[at] += PRIOR_WEIGHT,
        None => {
            if let Some(at) = own.and_then(|own| lexicons.position(own)) {
                scores[at] += OWN_WEIGHT;
            }
        }
    }
    let mut best = 0;
    for at in 1..scores.len() {
        if scores[at] > scores[best] {
            best = at;
        }
    }
    best
}
