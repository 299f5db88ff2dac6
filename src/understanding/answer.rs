//! From a question to the topic of the shop's FAQ that answers it, or to none. The questions that the shop listed, of
//! all languages, are the examples from which a small model is trained when the shop is opened: one logistic regression
//! for each topic, over words, pairs of words and pieces of words, so that a missing accent costs little, and over what
//! the words mean, which the shop need not have written: concepts of trade and the text's place among all meanings
//! (`meaning`). A word that slipped from the finger is read as the shop's own that is nearest.
//!
//! Promises: the same file always gives the same model, and the same text the same answer; no clock, no chance, no
//! network. A wrong answer costs the shop more than none, so a topic must be sure by [`THRESHOLD`], one number for every
//! shop. What a text says that no example said counts against every topic.
//!
//! Beside the shop's questions stand the common turns of `config/locales/common.txt`, which no topic answers: without them, a shop whose
//! only topic is "do you have wifi" would answer "do you have parking" with it. A language that is not in that file works
//! too, but wants a few more topics before it is as careful.
//!
//! Decided: a mixture with the nearest example was tried and gained less than its memory was worth; so did margins
//! between topics and the share of known words as signs of sureness, more common turns, and concepts that the shop has
//! no word of as examples against it. Topics are not made to share one sum of probabilities: then the only topic of a
//! small FAQ would answer everything.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::meaning::{DIMENSIONS, Meanings, Place};
use crate::{faq::Faq, id::TopicId, language::Language};

/// How sure, from 0 to 1, a topic must be to be given. Chosen on FAQs of six trades, where from 0.22 to 0.34 little
/// changes; it holds for every shop.
pub const THRESHOLD: f32 = 0.28;

/// Most features that are kept, for memory: each has a weight of two bytes for each topic. 500 questions have 10,000.
/// Of a file with more, those that are left aside, by their hashes, are as good as any.
pub const MOST_FEATURES: usize = 1 << 16;

/// Longest text that is looked at, in characters; a question is asked in its first lines.
pub const LONGEST_QUESTION: usize = 1_000;

/// What people say whatever they ask for, a line each, in the languages of the sample shops.
const COMMON: &str = include_str!("../../config/locales/common.txt");

/// The model of one shop.
#[derive(Debug)]
pub struct Answerer {
    topics: Vec<TopicId>,
    features: Features,
    /// Weights, a row for each known feature, a column for each topic, in units of `unit`.
    weights: Vec<i16>,
    unit: f32,
    /// Weights of the place among meanings, a row for each dimension, a column for each topic.
    places: Vec<f32>,
    /// What each topic's score starts from.
    starts: Vec<f32>,
    /// The words of the shop's questions, in order, and in how many places each stands.
    vocabulary: BTreeMap<String, usize>,
}

impl Answerer {
    /// Trains the model of a shop's FAQ. Takes some 20 ms for 500 questions, and 2 ms more the first time; a FAQ at its
    /// limits takes a second or two.
    pub fn compile(faq: &Faq) -> Answerer {
        let topics: Vec<TopicId> = faq.topics.iter().map(|topic| topic.id.clone()).collect();
        let meanings = Meanings::embedded();
        let mut vocabulary: BTreeMap<String, usize> = BTreeMap::new();
        let mut texts = Vec::new();
        for (at, topic) in faq.topics.iter().enumerate() {
            // What the shop calls a topic is one more way to ask for it.
            let name = unjoined(&topic.id.to_string());
            for question in topic.questions.values().flatten().chain([&name]) {
                let question = plain(question);
                for word in question.split_whitespace() {
                    *vocabulary.entry(word.to_owned()).or_default() += 1;
                }
                texts.push((at, question));
            }
        }
        if !topics.is_empty() {
            // A number that is no topic's: an example against them all.
            texts.extend(COMMON.lines().map(|line| (topics.len(), plain(line))));
        }
        let texts: Vec<(usize, Pieces, Place)> =
            texts.iter().map(|(topic, text)| (*topic, pieces(text), meanings.place(text.split_whitespace()))).collect();
        let features = Features::of(&texts, topics.len());
        let examples: Vec<Example> = texts
            .iter()
            .map(|(topic, pieces, place)| Example { topic: *topic, vector: features.vector(pieces), place: *place })
            .collect();
        let Trained { weights, places, starts } = train(&examples, topics.len(), features.known.len());
        let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let unit = largest.max(f32::MIN_POSITIVE) / f32::from(i16::MAX);
        // Within the range of i16, as `unit` is made from the largest.
        let weights = weights.into_iter().map(|weight| (weight / unit) as i16).collect();
        Answerer { topics, features, weights, unit, places, starts, vocabulary }
    }

    /// The topic that answers a text, and how sure that is, from 0 to 1; or no topic, and how sure it is that none
    /// answers. The language is no more than a hint, and no use is made of it so far: examples of all languages count,
    /// as people ask in one language for what the shop wrote in another.
    pub fn answer(&self, text: &str, _language: Option<Language>) -> (Option<TopicId>, f32) {
        let text: Vec<String> = plain(text).split_whitespace().map(|word| self.meant(word)).collect();
        let place = Meanings::embedded().place(text.iter().map(String::as_str));
        let vector = self.features.vector(&pieces(&text.join(" ")));
        let columns = self.topics.len();
        let mut scores = self.starts.clone();
        for (row, value) in place.iter().enumerate() {
            for (score, weight) in scores.iter_mut().zip(&self.places[row * columns..(row + 1) * columns]) {
                *score += value * PLACE * weight;
            }
        }
        for &(row, value) in &vector {
            let value = value * self.unit;
            for (score, weight) in scores.iter_mut().zip(&self.weights[row * columns..(row + 1) * columns]) {
                *score += value * f32::from(*weight);
            }
        }
        // Of two that are as sure, the first in the file.
        let best = scores.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((topic, score)) = best else { return (None, 1.0) };
        let sure = probability(*score);
        if sure < THRESHOLD || vector.is_empty() {
            return (None, 1.0 - sure);
        }
        (Some(self.topics[topic].clone()), sure)
    }

    /// The word of the shop's questions that somebody meant whose finger slipped, or the word itself.
    fn meant(&self, word: &str) -> String {
        let letters = word.chars().count();
        let slips = if letters < TWO_SLIPS { 1 } else { 2 };
        if letters < ONE_SLIP
            || !word.chars().all(char::is_alphabetic)
            || self.vocabulary.contains_key(word)
            || Meanings::embedded().knows(word)
        {
            return word.to_owned();
        }
        let first = &word[..word.chars().next().map_or(0, char::len_utf8)];
        let alike = self.vocabulary.range(first.to_owned()..).take_while(|(known, _)| known.starts_with(first));
        alike
            .filter(|(known, _)| known.chars().count().abs_diff(letters) <= slips)
            .filter(|(known, _)| known.chars().count() >= ONE_SLIP)
            .map(|(known, times)| (strsim::osa_distance(word, known), usize::MAX - times, known))
            .filter(|(distance, _, _)| *distance <= slips)
            .min()
            .map_or_else(|| word.to_owned(), |(_, _, known)| known.clone())
    }
}

/// Fewest letters of a word in which one slip is seen through, and its first letter must be right: shorter words are
/// too near each other.
const ONE_SLIP: usize = 4;

/// Fewest letters of a word in which two slips are.
const TWO_SLIPS: usize = 7;

/// How much a whole word counts, before its length and rarity.
const WORD: f32 = 0.5;

/// How much a pair of neighbouring words counts.
const PAIR: f32 = 0.4;

/// How much a piece of a word counts.
const PIECE: f32 = 0.3;

/// How much a concept counts that a word names.
const CONCEPT: f32 = 0.6;

/// How much the place among meanings counts.
const PLACE: f32 = 0.6;

/// Lengths of pieces of words, in characters, the edges of the word being one each.
const PIECES: std::ops::RangeInclusive<usize> = 2..=4;

/// Letters from which on a word counts in full that no file knows. In every language the shortest words are those that
/// say least.
const FULL_WORD: usize = 4;

/// The first character that writes a syllable or a word by itself: two of them say as much as a word of four letters.
const FIRST_IDEOGRAPH: char = '\u{2e80}';

/// A text's features: a hash each, with its weight; sorted by hash, none twice. With 16 bits, one new word in seven was
/// taken for a known one, which was heard in the answers; with 32 it is one in 400,000.
type Pieces = Vec<(u32, f32)>;

/// What a text says to the model: the rows of its known features, with their values.
type Vector = Vec<(usize, f32)>;

struct Example {
    topic: usize,
    vector: Vector,
    place: Place,
}

/// The features that the examples have, and how rare each is.
#[derive(Debug)]
struct Features {
    /// Their hashes, in order. The row of a feature is its index.
    hashes: Vec<u32>,
    /// By row: how much it tells, by how rare it is.
    known: Vec<f32>,
    /// The same for what no example has.
    unknown: f32,
}

/// Share of the rarity among topics in what a feature tells; the rest is its rarity among questions.
const BY_TOPIC: f32 = 0.6;

/// What a feature tells that stands in every topic, so that it is never quite nothing.
const LEAST_BY_TOPIC: f32 = 0.05;

/// What an unknown feature tells, as a share of what the rarest known one tells: names of towns, and slips of the
/// finger, are no reason to refuse.
const UNKNOWN: f32 = 0.4;

/// How far long texts are cut down to the length of short ones: 1 is all the way, 0 not at all. A long text with a
/// question in it is less sure than the question alone, but not by as much as it is longer.
const EVENNESS: f32 = 0.7;

/// Length to which an uneven vector is cut, which only sets the scale of the weights.
const SCALE: f32 = 10.0;

impl Features {
    fn of(texts: &[(usize, Pieces, Place)], topics: usize) -> Features {
        // By hash: questions that have the feature, and topics, the common turns being one. Texts come in the order of
        // their topics.
        let mut counts: BTreeMap<u32, (u32, u32, usize)> = BTreeMap::new();
        for (topic, pieces, _) in texts {
            for &(hash, _) in pieces {
                let (questions, of_topics, last) = counts.entry(hash).or_insert((0, 0, usize::MAX));
                *questions += 1;
                if *last != *topic {
                    *of_topics += 1;
                    *last = *topic;
                }
            }
        }
        let (all_topics, all_questions) = (topics as f32 + 2.0, texts.len() as f32 + 1.0);
        let telling = |of_topics: u32, questions: u32| {
            let by_topic = (all_topics / of_topics as f32).ln().max(LEAST_BY_TOPIC);
            BY_TOPIC * by_topic + (1.0 - BY_TOPIC) * (all_questions / questions as f32).ln()
        };
        let counts = counts.into_iter().take(MOST_FEATURES);
        let (hashes, known) = counts.map(|(hash, (questions, topics, _))| (hash, telling(topics, questions))).unzip();
        Features { hashes, known, unknown: UNKNOWN * telling(1, 1) }
    }

    fn vector(&self, pieces: &Pieces) -> Vector {
        let mut vector = Vec::with_capacity(pieces.len());
        let mut squares = 0.0_f32;
        for &(hash, weight) in pieces {
            let row = self.hashes.binary_search(&hash).ok();
            let value = weight * row.map_or(self.unknown, |row| self.known[row]);
            squares += value * value;
            vector.extend(row.map(|row| (row, value)));
        }
        let length = squares.sqrt().max(f32::MIN_POSITIVE);
        let divisor = length.powf(EVENNESS) * SCALE.powf(1.0 - EVENNESS);
        for (_, value) in &mut vector {
            *value /= divisor;
        }
        vector
    }
}

/// What a topic's score starts from before training: without anything that speaks for it, a topic answers one text in
/// eight.
const START: f32 = -2.0;

/// How much more slowly than the weights the starts move, as every example moves them.
const START_RATE: f32 = 0.1;

/// Rounds over all examples. More make no difference.
const ROUNDS: usize = 12;

/// Most products of a weight with a value, so that a FAQ at its limits is trained in a second or two, in fewer rounds.
const MOST_STEPS: usize = 1_000_000_000;

/// How far a step goes in the first round.
const RATE: f32 = 2.0;

/// How much shorter steps get by the round.
const SLOWING: f32 = 0.1;

/// How much more an example counts for its own topic than against another: there are many others.
const FOR: f32 = 1.5;

/// What training gives, as [`Answerer`] keeps it.
struct Trained {
    weights: Vec<f32>,
    places: Vec<f32>,
    starts: Vec<f32>,
}

/// The weights of all topics and their starts, by stochastic gradient descent over the examples in an order that is shuffled, always in
/// the same way.
fn train(examples: &[Example], topics: usize, rows: usize) -> Trained {
    let mut weights = vec![0.0_f32; rows * topics];
    let mut places = vec![0.0_f32; DIMENSIONS * topics];
    let mut starts = vec![START; topics];
    let mut sizes = vec![0.0_f32; topics + 1];
    for example in examples {
        sizes[example.topic] += 1.0;
    }
    // A topic with few examples weighs each of them more.
    let average = examples.len() as f32 / sizes.len() as f32;
    let favours: Vec<f32> = sizes.iter().map(|size| FOR * (average / size.max(1.0)).sqrt()).collect();
    let steps =
        examples.iter().map(|example| example.vector.len() + DIMENSIONS).sum::<usize>().saturating_mul(2 * topics);
    let rounds = (MOST_STEPS / steps.max(1)).clamp(1, ROUNDS);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut shuffle = Shuffle(1);
    let mut steps = vec![0.0_f32; topics];
    for round in 0..rounds {
        shuffle.mix(&mut order);
        let rate = RATE / (1.0 + SLOWING * round as f32);
        for &at in &order {
            let Example { topic, vector, place } = &examples[at];
            steps.copy_from_slice(&starts);
            for (row, value) in place.iter().enumerate() {
                for (step, weight) in steps.iter_mut().zip(&places[row * topics..(row + 1) * topics]) {
                    *step += value * PLACE * weight;
                }
            }
            for &(row, value) in vector {
                for (step, weight) in steps.iter_mut().zip(&weights[row * topics..(row + 1) * topics]) {
                    *step += value * weight;
                }
            }
            for (column, step) in steps.iter_mut().enumerate() {
                let (target, favour) = if column == *topic { (1.0, favours[column]) } else { (0.0, 1.0) };
                *step = rate * favour * (target - probability(*step));
                starts[column] += START_RATE * *step;
            }
            for &(row, value) in vector {
                for (weight, step) in weights[row * topics..(row + 1) * topics].iter_mut().zip(&steps) {
                    *weight += value * step;
                }
            }
            for (row, value) in place.iter().enumerate() {
                for (weight, step) in places[row * topics..(row + 1) * topics].iter_mut().zip(&steps) {
                    *weight += value * PLACE * step;
                }
            }
        }
    }
    Trained { weights, places, starts }
}

fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// A linear congruential generator with Knuth's factors: mixes an order well enough, and always in the same way.
struct Shuffle(u64);

impl Shuffle {
    fn mix(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(last, (self.0 >> 33) as usize % (last + 1));
        }
    }
}

/// A topic's id as words: "opening-hours" and "OpeningHours" are opening hours.
fn unjoined(id: &str) -> String {
    let mut words = String::with_capacity(id.len() + 4);
    let mut small = false;
    for c in id.chars() {
        if small && c.is_uppercase() {
            words.push(' ');
        }
        small = c.is_lowercase();
        words.push(c);
    }
    words
}

/// The features of a plain text.
fn pieces(text: &str) -> Pieces {
    let meanings = Meanings::embedded();
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut pieces: Pieces = Vec::with_capacity(text.len() * 3);
    let mut letters: Vec<char> = Vec::new();
    for (n, word) in words.iter().enumerate() {
        letters.clear();
        letters.push(' ');
        letters.extend(word.chars());
        letters.push(' ');
        let says: usize = word.chars().map(|c| if c >= FIRST_IDEOGRAPH { 2 } else { 1 }).sum();
        let share = meanings.says(word).unwrap_or(says.min(FULL_WORD) as f32 / FULL_WORD as f32);
        pieces.push((hashed('w', word.chars()), WORD * share));
        if let Some(next) = words.get(n + 1) {
            pieces.push((hashed('p', word.chars().chain([' ']).chain(next.chars())), PAIR));
        }
        pieces.extend(meanings.concepts(word).into_iter().map(|concept| (hashed('k', concept.chars()), CONCEPT)));
        for length in PIECES {
            pieces.extend(letters.windows(length).map(|piece| (hashed('c', piece.iter().copied()), PIECE * share)));
        }
    }
    pieces.sort_unstable_by_key(|(hash, _)| *hash);
    pieces.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    for (_, weight) in &mut pieces {
        // What is said over and over does not count as often.
        if *weight > 1.0 {
            *weight = 1.0 + 0.5 * weight.ln();
        }
    }
    pieces
}

/// FNV-1a over a feature's kind and characters, folded to 32 bits.
fn hashed(kind: char, characters: impl Iterator<Item = char>) -> u32 {
    let hash = [kind].into_iter().chain(characters).fold(0xcbf2_9ce4_8422_2325_u64, |hash, c| {
        (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

/// A text in small letters without accents, its words parted by spaces.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().take(LONGEST_QUESTION).nfkd().flat_map(char::to_lowercase) {
        match c {
            // Accents of Latin, Greek and Cyrillic letters; and "what's" is "whats" to many.
            '\u{300}'..='\u{36f}' | '\'' | '’' | 'ʼ' | '\u{ad}' => {}
            'ø' => plain.push('o'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ß' => plain.push_str("ss"),
            'ł' => plain.push('l'),
            'đ' => plain.push('d'),
            'ı' => plain.push('i'),
            c if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => plain.push(c),
            _ => plain.push(' '),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faq;

    const FAQ: &str = r#"{ "language": "en", "topics": [
        { "id": "hours", "answer": {"en": "At 11."}, "questions": {
            "en": ["when do you open", "are you open on sundays", "what are your opening hours", "when do you close"],
            "nb": ["når åpner dere", "har dere åpent på søndag"], "ru": ["когда вы открываетесь"] } },
        { "id": "parking", "answer": {"en": "Behind."}, "questions": {
            "en": ["where can I park", "is there parking nearby", "do you have a car park"],
            "nb": ["hvor kan jeg parkere"], "ru": ["есть ли у вас парковка"] } },
        { "id": "wifi", "answer": {"en": "Yes."}, "questions": {
            "en": ["do you have wifi", "what is the wifi password", "is there free internet"],
            "nb": ["har dere trådløst nett"], "ru": ["какой пароль от вайфая"] } },
        { "id": "jobs", "answer": {"en": "Write."}, "questions": {
            "en": ["are you hiring", "can I work for you", "do you have any jobs", "where do I send my application"],
            "nb": ["har dere ledige stillinger"], "ru": ["есть ли у вас вакансии"] } } ] }"#;

    fn answerer() -> Answerer {
        Answerer::compile(&faq::read(FAQ).unwrap())
    }

    fn topic(answerer: &Answerer, text: &str) -> Option<String> {
        answerer.answer(text, None).0.map(|id| id.to_string())
    }

    #[test]
    fn questions_find_their_topics() {
        let answerer = answerer();
        for (text, expected) in [
            ("when do you open", "hours"),
            ("When are you open?", "hours"),
            ("any parking?", "parking"),
            ("wifi password pls", "wifi"),
            ("do you have a job for me", "jobs"),
            ("har dere parkering", "parking"),
            ("Есть парковка?", "parking"),
        ] {
            assert_eq!(topic(&answerer, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn slips_and_missing_accents_do_not_hurt() {
        let answerer = answerer();
        for (text, expected) in [
            ("wher can i park", "parking"),
            ("whats the wifi pasword", "wifi"),
            ("nar apner dere", "hours"),
            ("NÅR ÅPNER DERE???", "hours"),
            ("na\u{30a}r a\u{30a}pner dere", "hours"),
            ("opning hours", "hours"),
        ] {
            assert_eq!(topic(&answerer, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_the_file_does_not_answer_is_left_alone() {
        let answerer = answerer();
        for text in [
            "two margheritas please",
            "my pizza was cold",
            "where is my order",
            "hello",
            "thanks",
            "я хочу две пиццы",
            "",
            "?!",
            "🍕🍕",
            "zzz qqq",
        ] {
            let (topic, sure) = answerer.answer(text, None);
            assert_eq!(topic, None, "{text}");
            assert!(sure > 1.0 - THRESHOLD && sure <= 1.0, "{text}: {sure}");
        }
    }

    #[test]
    fn the_same_file_gives_the_same_model() {
        let (one, other) = (answerer(), answerer());
        assert_eq!(one.weights, other.weights);
        assert_eq!(one.answer("is there parking", None), other.answer("is there parking", Some(Language::ENGLISH)));
        let (topic, sure) = one.answer("is there parking", None);
        assert!(topic.is_some() && (THRESHOLD..=1.0).contains(&sure));
    }

    #[test]
    fn files_with_little_in_them() {
        let none = Answerer::compile(&faq::read(r#"{"language": "en", "topics": []}"#).unwrap());
        assert_eq!(none.answer("when do you open", None), (None, 1.0));
        let one = r#"{"language": "en", "topics": [
            {"id": "wifi", "questions": {"en": ["do you have wifi"]}, "answer": {"en": "Yes."}}]}"#;
        let one = Answerer::compile(&faq::read(one).unwrap());
        assert_eq!(topic(&one, "is there wifi?").as_deref(), Some("wifi"));
        for text in ["hello", "two pizzas please", "do you have parking", "do you have any tables", "where is my order"]
        {
            assert_eq!(topic(&one, text), None, "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_where_it_is_too_long() {
        let answerer = answerer();
        let long = format!("{} is there parking", "x ".repeat(LONGEST_QUESTION));
        assert_eq!(topic(&answerer, &long), None);
        assert_eq!(pieces(&plain(&long)), pieces(&plain(&"x ".repeat(LONGEST_QUESTION))));
    }

    #[test]
    fn words_are_made_plain() {
        assert_eq!(plain("What's Ærlig CAFÉ, Ёлка-2?"), "whats aerlig cafe  елка 2 ");
        assert_ne!(hashed('w', "ab".chars()), hashed('c', "ab".chars()));
    }
}
