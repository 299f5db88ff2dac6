//! Which of a shop's frequent questions a message asks, if any. Questions become weighted words, word pairs and pieces
//! of words; a ridge regression over them, solved once when the file is read, learns what tells the topics apart, and
//! its prediction is mixed with the likeness to the nearest question. A message unlike everything that it learnt from
//! scores low by nature, so that one threshold serves every shop. Nothing in it is random.

use std::collections::HashMap;

use super::{
    lexicon::{Lexicon, Lexicons, Role},
    text,
};
use crate::{faq::Faq, id::TopicId, language::Language};

/// From this score on a message is answered. Most messages ask nothing that the file answers, and a wrong answer costs
/// more than none; chosen on real questions to a live shop and never tuned for one shop.
pub const THRESHOLD: f32 = 0.205;

/// How much the regression gives way to smoothness; 1 is the variance of a question's own vector.
const RIDGE: f32 = 1.0;

/// The share of the nearest question in the score, the rest being the regression's.
const NEAREST: f32 = 0.3;

/// Weight of a function word beside 1 of another: "how" and "do" tell little of the topic.
const GLUE: f32 = 0.3;

/// Weight of a pair of neighbouring words, and of a word's pieces together.
const PAIR: f32 = 0.5;
const PIECES: f32 = 0.5;

/// Lengths of the pieces, in letters.
const PIECE_LENGTHS: [usize; 2] = [3, 4];

/// Most words of a message that are looked at: a question has few, and the time must stay short.
const MOST_WORDS: usize = 80;

/// Steps of the solver; it converges in far fewer, for the ridge keeps the matrix tame.
const STEPS: usize = 40;

/// Largest remainder with which the solver is content.
const GOOD_ENOUGH: f32 = 1e-5;

/// Finds the topic of a question.
pub struct Answerer {
    /// None only where the embedded lexicons are wrong, which a test rules out; words then keep their endings.
    lexicons: Option<Lexicons>,
    topics: Vec<TopicId>,
    models: Vec<Model>,
}

/// What was learnt from the questions of one language.
struct Model {
    language: Language,
    lexicon: Option<usize>,
    features: HashMap<String, usize>,
    /// By feature.
    rarity: Vec<f32>,
    unseen: f32,
    /// Feature, then topic: what it says for the topic.
    weights: Vec<Vec<(usize, f32)>>,
    /// Feature, then question: its weight there.
    postings: Vec<Vec<(usize, f32)>>,
    topic_of: Vec<usize>,
}

type Vector = Vec<(usize, f32)>;

impl Answerer {
    /// Learns from a file; takes some milliseconds for a few hundred questions.
    pub fn compile(faq: &Faq) -> Answerer {
        let lexicons = Lexicons::embedded().ok();
        let mut languages: Vec<Language> = faq.topics.iter().flat_map(|t| t.questions.keys().copied()).collect();
        languages.sort_unstable();
        languages.dedup();
        let topics = faq.topics.iter().map(|topic| topic.id.clone()).collect();
        let models = languages.into_iter().map(|language| Model::learn(faq, language, lexicons.as_ref())).collect();
        Answerer { lexicons, topics, models }
    }

    /// The topic that the text asks about, if any, and how sure that is, from 0 to 1; from one half on it is answered.
    /// Without a language, or with one that the file lacks, every language's questions are compared.
    pub fn answer(&self, text: &str, language: Option<Language>) -> (Option<TopicId>, f32) {
        let spoken = language.and_then(|language| {
            let of = |language: Language| self.models.iter().position(|model| model.language == language);
            of(language).or_else(|| of(language.base()))
        });
        let models = match spoken {
            Some(at) => &self.models[at..=at],
            None => &self.models[..],
        };
        let words: Vec<String> = text::words(text).into_iter().take(MOST_WORDS).collect();
        let mut best: Option<(usize, f32)> = None;
        for model in models {
            if let Some((topic, score)) = model.best(&words, self.lexicons.as_ref())
                && best.is_none_or(|(_, most)| score > most)
            {
                best = Some((topic, score));
            }
        }
        let Some((topic, score)) = best else { return (None, 0.0) };
        // One half at the threshold, towards 1 above and 0 below.
        let sure = 1.0 - (-score.max(0.0) / THRESHOLD).exp2();
        ((score >= THRESHOLD).then(|| self.topics[topic].clone()), sure)
    }
}

impl Model {
    fn learn(faq: &Faq, language: Language, lexicons: Option<&Lexicons>) -> Model {
        let lexicon = lexicons.and_then(|all| all.position(language));
        let lexicon_of = lexicon.and_then(|at| lexicons.map(|all| &all.all()[at]));
        let mut topic_of = Vec::new();
        let mut counted: Vec<HashMap<String, f32>> = Vec::new();
        for (topic_at, topic) in faq.topics.iter().enumerate() {
            for question in topic.questions.get(&language).into_iter().flatten() {
                topic_of.push(topic_at);
                counted.push(features(&text::words(question), lexicon_of));
            }
        }
        let mut names: Vec<&String> = counted.iter().flat_map(HashMap::keys).collect();
        names.sort_unstable();
        names.dedup();
        let index: HashMap<String, usize> =
            names.into_iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        let mut found_in = vec![0usize; index.len()];
        for question in &counted {
            for name in question.keys() {
                found_in[index[name]] += 1;
            }
        }
        let all = counted.len() as f32 + 1.0;
        let mut model = Model {
            language,
            lexicon,
            rarity: found_in.iter().map(|&n| (all / (n as f32 + 0.5)).ln()).collect(),
            unseen: (all / 0.5).ln(),
            weights: vec![Vec::new(); index.len()],
            postings: vec![Vec::new(); index.len()],
            features: index,
            topic_of,
        };
        let vectors: Vec<Vector> = counted.iter().map(|question| model.vector(question)).collect();
        for (question, vector) in vectors.iter().enumerate() {
            for &(feature, weight) in vector {
                model.postings[feature].push((question, weight));
            }
        }
        for topic in 0..faq.topics.len() {
            let target: Vec<f32> = model.topic_of.iter().map(|&of| if of == topic { 1.0 } else { 0.0 }).collect();
            if target.iter().all(|&t| t == 0.0) {
                continue;
            }
            let dual = model.solve(&vectors, &target);
            let mut weights = vec![0.0f32; model.features.len()];
            for (question, vector) in vectors.iter().enumerate() {
                for &(feature, weight) in vector {
                    weights[feature] += dual[question] * weight;
                }
            }
            for (feature, weight) in weights.into_iter().enumerate() {
                if weight != 0.0 {
                    model.weights[feature].push((topic, weight));
                }
            }
        }
        model
    }

    /// Conjugate gradients for (V Vᵀ + ridge) x = target, without ever writing the matrix down.
    fn solve(&self, vectors: &[Vector], target: &[f32]) -> Vec<f32> {
        let times = |x: &[f32]| -> Vec<f32> {
            let mut inner = vec![0.0f32; self.features.len()];
            for (question, vector) in vectors.iter().enumerate() {
                if x[question] != 0.0 {
                    for &(feature, weight) in vector {
                        inner[feature] += weight * x[question];
                    }
                }
            }
            let row = |(question, vector): (usize, &Vector)| {
                vector.iter().map(|&(feature, weight)| weight * inner[feature]).sum::<f32>() + RIDGE * x[question]
            };
            vectors.iter().enumerate().map(row).collect()
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let mut x = vec![0.0f32; target.len()];
        let mut rest = target.to_vec();
        let mut way = rest.clone();
        let mut size = dot(&rest, &rest);
        for _ in 0..STEPS {
            if size < GOOD_ENOUGH {
                break;
            }
            let image = times(&way);
            let step = size / dot(&way, &image);
            for at in 0..x.len() {
                x[at] += step * way[at];
                rest[at] -= step * image[at];
            }
            let next = dot(&rest, &rest);
            for at in 0..way.len() {
                way[at] = rest[at] + next / size * way[at];
            }
            size = next;
        }
        x
    }

    /// Weighted and of length 1; what was never seen counts in the length alone.
    fn vector(&self, counted: &HashMap<String, f32>) -> Vector {
        let mut vector = Vector::new();
        let mut length = 0.0f32;
        for (name, count) in counted {
            let count = if *count > 1.0 { 1.0 + count.ln() } else { *count };
            match self.features.get(name) {
                Some(&at) => {
                    let weight = count * self.rarity[at];
                    length += weight * weight;
                    vector.push((at, weight));
                }
                None => length += (count * self.unseen).powi(2),
            }
        }
        // Sums of floats depend on their order, and a hash table's order is not fixed.
        vector.sort_unstable_by_key(|&(at, _)| at);
        let length = length.sqrt().max(f32::MIN_POSITIVE);
        for (_, weight) in &mut vector {
            *weight /= length;
        }
        vector
    }

    /// The best topic for these words and its score.
    fn best(&self, words: &[String], lexicons: Option<&Lexicons>) -> Option<(usize, f32)> {
        let lexicon = self.lexicon.and_then(|at| lexicons.map(|all| &all.all()[at]));
        let vector = self.vector(&features(words, lexicon));
        let mut likeness = vec![0.0f32; self.topic_of.len()];
        let mut scores: HashMap<usize, f32> = HashMap::new();
        for &(feature, weight) in &vector {
            for &(question, other) in &self.postings[feature] {
                likeness[question] += weight * other;
            }
            for &(topic, other) in &self.weights[feature] {
                *scores.entry(topic).or_default() += (1.0 - NEAREST) * weight * other;
            }
        }
        let mut nearest: HashMap<usize, f32> = HashMap::new();
        for (question, &likeness) in likeness.iter().enumerate() {
            let most = nearest.entry(self.topic_of[question]).or_default();
            *most = most.max(likeness);
        }
        for (topic, likeness) in nearest {
            *scores.entry(topic).or_default() += NEAREST * likeness;
        }
        scores.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }
}

/// Words, pairs of neighbours and pieces of words, with their weights.
fn features(words: &[String], lexicon: Option<&Lexicon>) -> HashMap<String, f32> {
    let mut found: HashMap<String, f32> = HashMap::new();
    let stems: Vec<String> =
        words.iter().map(|word| lexicon.map_or_else(|| word.clone(), |lexicon| lexicon.stem(word))).collect();
    for (word, stem) in words.iter().zip(&stems) {
        let glue = lexicon.and_then(|lexicon| lexicon.meaning(word)).is_some_and(|meaning| {
            meaning.roles.any(&[
                Role::Stop,
                Role::Article,
                Role::Definite,
                Role::And,
                Role::Or,
                Role::With,
                Role::On,
                Role::Of,
                Role::Into,
                Role::Polite,
                Role::Question,
            ])
        });
        *found.entry(format!("w{stem}")).or_default() += if glue { GLUE } else { 1.0 };
        if glue {
            continue;
        }
        let letters: Vec<char> = std::iter::once('^').chain(word.chars()).chain(['$']).collect();
        for length in PIECE_LENGTHS {
            let pieces = letters.len().saturating_sub(length - 1);
            for piece in letters.windows(length) {
                let piece: String = piece.iter().collect();
                *found.entry(format!("c{piece}")).or_default() += PIECES / (pieces as f32).sqrt();
            }
        }
    }
    for pair in stems.windows(2) {
        *found.entry(format!("p{} {}", pair[0], pair[1])).or_default() += PAIR;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faq;

    const FAQ: &str = r#"{"language": "en", "topics": [
        {"id": "parking", "questions": {"en": ["is there parking nearby", "where can I park my car", "car park"],
          "nb": ["er det parkering i nærheten", "hvor kan jeg parkere"]}, "answer": {"en": "Behind the house."}},
        {"id": "gluten", "questions": {"en": ["do you have gluten free dough", "anything for coeliacs", "gluten"],
          "nb": ["har dere glutenfri bunn"]}, "answer": {"en": "Yes."}},
        {"id": "dogs", "questions": {"en": ["may I bring my dog", "are dogs allowed inside", "dog friendly"]},
          "answer": {"en": "They are welcome."}}]}"#;

    fn answered(text: &str, language: Option<&str>) -> Option<String> {
        let answerer = Answerer::compile(&faq::read(FAQ).unwrap());
        let (topic, confidence) = answerer.answer(text, language.map(|tag| tag.parse().unwrap()));
        assert_eq!(topic.is_some(), confidence >= 0.5, "{text}: {confidence}");
        topic.map(|topic| topic.as_str().to_owned())
    }

    #[test]
    fn questions_asked_otherwise_find_their_topic() {
        for (text, topic) in [
            ("where do I park?", "parking"),
            ("is parkng possible", "parking"),
            ("can my dog come in", "dogs"),
            ("gluten-free?", "gluten"),
        ] {
            assert_eq!(answered(text, Some("en")).as_deref(), Some(topic), "{text}");
        }
        assert_eq!(answered("hvor parkerer jeg", Some("nb")).as_deref(), Some("parking"));
        assert_eq!(answered("hvor parkerer jeg", None).as_deref(), Some("parking"));
    }

    #[test]
    fn what_the_file_does_not_answer_is_left_to_a_person() {
        for text in ["my soup was cold yesterday", "", "👍", "what is the meaning of life", "two large pizzas please"]
        {
            assert_eq!(answered(text, Some("en")), None, "{text}");
        }
    }
}
