//! What of a message tells what it is for: its words, pairs of neighbouring words, pieces of words and its length, with
//! what the shop sells masked, so that a question about one thing is like the same question about another. The build
//! script trains on them and the program scores by them: both compile this file, and no model fits other features.

use super::text::{Kind, Token};

/// Stands for a product.
pub const PRODUCT: &str = "{p}";

/// Stands for a choice of an option.
pub const OPTION: &str = "{o}";

/// Stands for digits.
pub const NUMBER: &str = "{n}";

/// The feature that every message has: what is said of an intent before anything is read.
pub const ALWAYS: u32 = 0;

/// Stands before the first piece and after the last.
const EDGE: &str = "";

/// How much a word counts.
const WORD: f32 = 1.0;

/// How much a pair of neighbouring words counts.
const PAIR: f32 = 0.7;

/// How much a piece of a word counts.
const PART: f32 = 0.4;

/// How much the length counts.
const LENGTH: f32 = 0.4;

/// Lengths of parts of words, in characters, the edges of the word being one each.
const PARTS: std::ops::RangeInclusive<usize> = 2..=4;

/// Lengths from which on a message is of the next class, in words.
const LENGTHS: [usize; 5] = [2, 3, 5, 8, 14];

/// How far long messages are cut down to the length of short ones: 1 is all the way, 0 not at all.
const EVENNESS: f32 = 0.5;

/// What a token that names nothing of the shop is as a piece; commas, full stops and line breaks are none.
pub fn piece<'a>(token: &'a Token, text: &str) -> Option<&'a str> {
    match token.kind {
        Kind::Word | Kind::Sign | Kind::Question => Some(&token.text),
        Kind::Number => Some(NUMBER),
        Kind::Stop if text[token.from..].starts_with('!') => Some("!"),
        Kind::Stop | Kind::Comma | Kind::Dots => None,
    }
}

/// The features of pieces: a hash each, with its value; sorted by hash, none twice.
pub fn features(pieces: &[&str]) -> Vec<(u32, f32)> {
    let mut found = Vec::with_capacity(pieces.len() * 16);
    let mut before = EDGE;
    let mut count = 0;
    let mut letters: Vec<char> = Vec::new();
    for &piece in pieces {
        // "!!!" says no more than "!".
        if piece == before {
            continue;
        }
        count += 1;
        found.push((hashed('w', piece.chars()), WORD));
        found.push((paired(before, piece), PAIR));
        before = piece;
        if piece.starts_with(char::is_alphabetic) {
            letters.clear();
            letters.push(' ');
            letters.extend(piece.chars());
            letters.push(' ');
            for length in PARTS {
                found.extend(letters.windows(length).map(|part| (hashed('c', part.iter().copied()), PART)));
            }
        }
    }
    found.push((paired(before, EDGE), PAIR));
    let length = LENGTHS.iter().filter(|&&least| count >= least).count();
    found.push((hashed('l', char::from_digit(length as u32, 10).into_iter()), LENGTH));
    found.sort_unstable_by_key(|(hash, _)| *hash);
    found.dedup_by_key(|(hash, _)| *hash);
    let squares: f32 = found.iter().map(|(_, value)| value * value).sum();
    let divisor = squares.sqrt().powf(EVENNESS);
    for (_, value) in &mut found {
        *value /= divisor;
    }
    found.insert(0, (ALWAYS, 1.0));
    found
}

fn paired(first: &str, second: &str) -> u32 {
    hashed('p', first.chars().chain([' ']).chain(second.chars()))
}

/// FNV-1a over a feature's kind and characters, folded to 32 bits; never [`ALWAYS`].
fn hashed(kind: char, characters: impl Iterator<Item = char>) -> u32 {
    let hash = [kind].into_iter().chain(characters).fold(0xcbf2_9ce4_8422_2325_u64, |hash, c| {
        (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0000_0100_0000_01b3)
    });
    ((hash ^ (hash >> 32)) as u32).max(ALWAYS + 1)
}
