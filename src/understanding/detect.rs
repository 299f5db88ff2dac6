//! Which language a message is in: by its plain words, the catalogue names it uses and its script. What was spoken
//! before breaks ties, and so does the shop's own language where nothing was.

use super::{
    lexicon::{Lexicon, Lexicons, Role},
    segment::Word,
    text,
};
use crate::language::Language;

/// What a name that only some languages have says of the language, beside a plain word's 1.
const NAME_WEIGHT: f32 = 0.4;

/// What the conversation's language so far counts.
const PRIOR_WEIGHT: f32 = 0.6;

/// What the shop's first language counts, where nothing was spoken before.
const OWN_WEIGHT: f32 = 0.3;

/// What a word counts beside, shared among the languages in which it does so, where it opens an order: a number, an article.
const OPENING_WEIGHT: f32 = 0.75;

/// How many times as much a word must be of one language as of another to be that one's.
const CLEARLY: f32 = 8.0;

/// Fewest words that the language so far lacks, by which a message of other words too is in another language.
const FEWEST_DISTINCTIVE: usize = 2;

/// The language of a message among the lexicons', as a place in them.
pub fn language(words: &[Word], lexicons: &Lexicons, prior: Option<Language>, own: Option<Language>) -> usize {
    let all = lexicons.all();
    let mut scores = vec![0.0f32; all.len()];
    let plain: Vec<&Word> = words.iter().filter(|word| word.token.kind == text::Kind::Word).collect();
    for (place, word) in plain.iter().enumerate() {
        // A capital within a sentence begins a name, which is in no language.
        if place > 0 && word.capital && plain.iter().any(|word| !word.capital) {
            continue;
        }
        let share_of = shares(word);
        for (at, score) in scores.iter_mut().enumerate() {
            // A word that many languages share says little for any of them.
            *score += share_of(at) * share_of(at);
        }
        if prior.is_none() {
            let opens = |at: &usize| {
                share_of(*at) > 0.0
                    && word.sense.tongues[*at]
                        .meaning
                        .is_some_and(|meaning| meaning.number.is_some() || meaning.roles.has(Role::Article))
            };
            let opening = (0..all.len()).filter(opens).count();
            for at in (0..all.len()).filter(opens) {
                scores[at] += OPENING_WEIGHT * share_of(at) / opening as f32;
            }
        }
        let languages = &word.sense.languages;
        if !languages.is_empty() {
            let share = NAME_WEIGHT / (languages.len() * languages.len()) as f32;
            for language in languages {
                if languages.len() < all.len()
                    && let Some(at) = lexicons.position(*language)
                {
                    scores[at] += share;
                }
            }
        }
        if (0..all.len()).all(|at| share_of(at) == 0.0) && word.token.text.chars().any(text::is_cyrillic) {
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
    match prior.and_then(|prior| lexicons.position(prior)) {
        Some(prior) if best != prior && !leaves(words, lexicons, best, prior) => prior,
        _ => best,
    }
}

/// How much of a word is each language's, together 1; nothing where none knows it.
fn shares(word: &Word) -> impl Fn(usize) -> f32 {
    let tongues = &word.sense.tongues;
    let sum: f32 = tongues.iter().map(|tongue| tongue.weight).sum();
    move |at| if sum == 0.0 { 0.0 } else { tongues[at].weight / sum }
}

/// Whether a word is a language's rather than another's.
fn is_rather(lexicon: &Lexicon, than: &Lexicon, word: &str) -> bool {
    lexicon.weight(word) >= CLEARLY * than.weight(word) && lexicon.knows(word)
}

/// Whether a message leaves the language so far for another: by two words that only the other has, or by one where the
/// whole message is a phrase of it. Names, of people, places or goods, say nothing.
fn leaves(words: &[Word], lexicons: &Lexicons, other: usize, prior: usize) -> bool {
    let (other, prior) = (&lexicons.all()[other], &lexicons.all()[prior]);
    let plain: Vec<(usize, &Word)> =
        words.iter().filter(|word| word.token.kind == text::Kind::Word).enumerate().collect();
    let foreign =
        |word: &Word| other.is_cyrillic() && !prior.is_cyrillic() && word.token.text.contains(text::is_cyrillic);
    if plain.iter().any(|(_, word)| foreign(word)) {
        return true;
    }
    let distinctive = plain
        .iter()
        .filter(|(at, word)| {
            let word_text = &word.token.text;
            (*at == 0 || !word.capital) && is_rather(other, prior, word_text) && word.sense.languages.is_empty()
        })
        .count();
    let numbers = words.iter().any(|word| word.token.kind == text::Kind::Number);
    distinctive >= FEWEST_DISTINCTIVE
        || (distinctive == 1
            && !numbers
            && other.says(&plain.iter().map(|(_, word)| word.token.text.as_str()).collect::<Vec<_>>()))
}
