//! Trains the model of `src/understanding/kind.rs`: one logistic regression over all intents and all languages, from the
//! examples of `config/locales/<tag>/intents.txt`. The same files always give the same model: no clock, no chance.

use crate::understanding::{
    features::{self, NUMBER, OPTION, PRODUCT},
    text,
};

/// Rounds over all examples. More make no difference.
const ROUNDS: usize = 15;

/// How far a step goes in the first round.
const RATE: f32 = 1.0;

/// How much shorter steps get by the round.
const SLOWING: f32 = 0.1;

/// Share of each weight that is forgotten each round, so that no single example is learnt by heart.
const FORGETTING: f32 = 0.01;

/// An example: its intent, by name, and its features.
pub type Example = (String, Vec<(u32, f32)>);

/// A trained model.
pub struct Model {
    /// Names of the intents, sorted.
    pub intents: Vec<String>,
    /// Hashes of the features, sorted.
    pub hashes: Vec<u32>,
    /// Weights, a row for each feature, a column for each intent.
    pub weights: Vec<f32>,
}

/// Reads a file of examples: `[intent]` opens an intent, `#` a remark, and each other line is an example.
pub fn read(text: &str) -> Vec<Example> {
    let mut intent = "";
    let mut examples = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => intent = name,
            None => {
                let pieces = pieces(line);
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                examples.push((intent.to_owned(), features::features(&pieces)));
            }
        }
    }
    examples
}

/// The pieces of an example, whose placeholders are masks already.
fn pieces(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let next = [PRODUCT, OPTION, NUMBER].into_iter().filter_map(|mask| Some((rest.find(mask)?, mask))).min();
        let (until, mask) = next.map_or((rest.len(), None), |(at, mask)| (at, Some(mask)));
        let words = &rest[..until];
        found.extend(text::tokens(words).iter().filter_map(|token| features::piece(token, words)).map(str::to_owned));
        found.extend(mask.map(str::to_owned));
        rest = &rest[until + mask.map_or(0, str::len)..];
    }
    found
}

/// Trains by stochastic gradient descent over the examples in an order that is shuffled, always in the same way.
pub fn train(examples: &[Example]) -> Model {
    let mut intents: Vec<String> = examples.iter().map(|(intent, _)| intent.clone()).collect();
    intents.sort();
    intents.dedup();
    let mut hashes: Vec<u32> = examples.iter().flat_map(|(_, features)| features).map(|(hash, _)| *hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let rows: Vec<(usize, Vec<(usize, f32)>)> = examples
        .iter()
        .map(|(intent, features)| {
            let row = |&(hash, value): &(u32, f32)| Some((hashes.binary_search(&hash).ok()?, value));
            (intents.partition_point(|other| other < intent), features.iter().filter_map(row).collect())
        })
        .collect();
    let columns = intents.len();
    let mut weights = vec![0.0_f32; hashes.len() * columns];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut seed = 1_u64;
    let mut scores = vec![0.0_f32; columns];
    for round in 0..ROUNDS {
        shuffle(&mut order, &mut seed);
        let rate = RATE / (1.0 + SLOWING * round as f32);
        for &at in &order {
            let (intent, features) = &rows[at];
            scores.fill(0.0);
            for &(row, value) in features {
                for (score, weight) in scores.iter_mut().zip(&weights[row * columns..][..columns]) {
                    *score += value * weight;
                }
            }
            let most = scores.iter().copied().fold(f32::MIN, f32::max);
            scores.iter_mut().for_each(|score| *score = (*score - most).exp());
            let sum: f32 = scores.iter().sum();
            for (column, score) in scores.iter_mut().enumerate() {
                let target = if column == *intent { 1.0 } else { 0.0 };
                *score = rate * (target - *score / sum);
            }
            for &(row, value) in features {
                for (weight, step) in weights[row * columns..][..columns].iter_mut().zip(&scores) {
                    *weight += value * step;
                }
            }
        }
        weights.iter_mut().for_each(|weight| *weight *= 1.0 - FORGETTING);
    }
    Model { intents, hashes, weights }
}

impl Model {
    /// The weights, a byte each.
    pub fn weights(&self) -> Vec<u8> {
        let unit = self.unit();
        self.weights.iter().map(|weight| (weight / unit).round() as i8 as u8).collect()
    }

    /// What belongs to the weights, as Rust.
    pub fn source(&self) -> String {
        let intents: Vec<String> = self.intents.iter().map(|name| format!("Intent::{}", variant(name))).collect();
        format!(
            "static INTENTS: &[Intent] = &[{}];\nstatic HASHES: &[u32] = &{:?};\nconst UNIT: f32 = {:?};\n",
            intents.join(", "),
            self.hashes,
            self.unit()
        )
    }

    /// What a weight of 1 stands for, so that the largest is the largest byte.
    fn unit(&self) -> f32 {
        self.weights.iter().fold(f32::MIN_POSITIVE, |largest, weight| largest.max(weight.abs())) / f32::from(i8::MAX)
    }
}

/// "TrackOrder" of "track_order".
fn variant(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

/// Mixes an order, well enough and always in the same way, by a linear congruential generator with Knuth's factors.
fn shuffle(order: &mut [usize], seed: &mut u64) {
    for last in (1..order.len()).rev() {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (*seed >> 33) as usize % (last + 1));
    }
}
