//! What customers often ask a shop and what it answers: the file `faq.json`. A [`Faq`] is always whole: ids are unique,
//! every topic has a question and an answer, every language tag is one. [`read`] makes one or says, by line, what to
//! write instead.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use crate::{id::TopicId, language::Language};

/// Most questions of a file, over all topics and languages. A shop writes some hundreds; beyond, telling topics apart
/// would take too long at the start.
pub const MOST_QUESTIONS: usize = 5_000;

/// Longest question or answer, in characters: what a chat message holds (Telegram's and WhatsApp's limit is 4,096).
pub const LONGEST_TEXT: usize = 4_096;

/// A shop's frequently asked questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faq {
    /// The language that answers fall back to.
    pub language: Language,
    /// In file order.
    pub topics: Vec<Topic>,
}

/// One thing that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Unique in the file.
    pub id: TopicId,
    /// Ways to ask it; at least one in all.
    pub questions: BTreeMap<Language, Vec<String>>,
    /// What to answer; at least in one language.
    pub answer: BTreeMap<Language, String>,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaqFault {
    /// Line of the file, from 1.
    pub line: usize,
    /// What to mend.
    pub message: String,
}

#[derive(serde::Deserialize)]
struct FileForm {
    language: String,
    topics: Vec<Box<serde_json::value::RawValue>>,
}

#[derive(serde::Deserialize)]
struct TopicForm {
    id: String,
    questions: BTreeMap<String, Vec<String>>,
    answer: BTreeMap<String, String>,
}

impl Faq {
    /// The topic of that id.
    pub fn topic(&self, id: &TopicId) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == *id)
    }

    /// The answer to a topic in this language, else in its base, else in the file's, else in any; `None` where there is
    /// no such topic.
    pub fn answer(&self, id: &TopicId, language: Language) -> Option<&str> {
        let topic = self.topic(id)?;
        [language, language.base(), self.language]
            .iter()
            .find_map(|l| topic.answer.get(l))
            .or_else(|| topic.answer.values().next())
            .map(String::as_str)
    }
}

/// Reads a file. All faults are found at once, as far as the file's form allows.
pub fn read(text: &str) -> Result<Faq, Vec<FaqFault>> {
    let file: FileForm =
        serde_json::from_str(text).map_err(|e| vec![FaqFault { line: e.line().max(1), message: plain(&e) }])?;
    let mut faults = Vec::new();
    let language = file.language.parse().unwrap_or_else(|_| {
        faults.push(FaqFault { line: line_of(text, "\"language\""), message: not_a_tag(&file.language) });
        Language::ENGLISH
    });
    let mut topics = Vec::new();
    let mut ids = HashSet::new();
    let mut questions = 0;
    let mut searched = 0;
    for raw in &file.topics {
        // Raw values are copies; the place in the file is found by walking on from the one before.
        let at = text[searched..].find(raw.get()).map_or(searched, |found| searched + found);
        searched = at + raw.get().len();
        let line = text[..at].matches('\n').count() + 1;
        let form: TopicForm = match serde_json::from_str(raw.get()) {
            Ok(form) => form,
            Err(e) => {
                faults.push(FaqFault { line: line + e.line().saturating_sub(1), message: plain(&e) });
                continue;
            }
        };
        let mut fault = |message: String| faults.push(FaqFault { line, message });
        let id: Option<TopicId> = match form.id.parse() {
            Ok(id) => Some(id),
            Err(e) => {
                fault(format!("topic \"{}\": {e}", form.id));
                None
            }
        };
        if !ids.insert(form.id.clone()) {
            fault(format!("topic \"{}\" is there twice; ids are unique", form.id));
        }
        let mut topic_questions = BTreeMap::new();
        for (tag, list) in form.questions {
            questions += list.len();
            match tag.parse::<Language>() {
                Ok(language) => {
                    let list: Vec<String> = list.into_iter().filter(|q| !q.trim().is_empty()).collect();
                    if list.iter().any(|question| question.chars().count() > LONGEST_TEXT) {
                        fault(format!("topic \"{}\": a question is longer than {LONGEST_TEXT} characters", form.id));
                    }
                    topic_questions.insert(language, list);
                }
                Err(_) => fault(format!("topic \"{}\": {}", form.id, not_a_tag(&tag))),
            }
        }
        let mut answer = BTreeMap::new();
        for (tag, text) in form.answer {
            match tag.parse::<Language>() {
                Ok(_) if text.trim().is_empty() => {
                    fault(format!("topic \"{}\": the answer in {tag} is empty", form.id))
                }
                Ok(_) if text.chars().count() > LONGEST_TEXT => {
                    fault(format!(
                        "topic \"{}\": the answer in {tag} is longer than {LONGEST_TEXT} characters",
                        form.id
                    ));
                }
                Ok(language) => {
                    answer.insert(language, text);
                }
                Err(_) => fault(format!("topic \"{}\": {}", form.id, not_a_tag(&tag))),
            }
        }
        if topic_questions.values().all(Vec::is_empty) {
            fault(format!("topic \"{}\" has no question; write at least one", form.id));
        }
        if answer.is_empty() {
            fault(format!("topic \"{}\" has no answer; write one in at least one language", form.id));
        }
        if let Some(id) = id {
            topics.push(Topic { id, questions: topic_questions, answer });
        }
    }
    if questions > MOST_QUESTIONS {
        faults.push(FaqFault { line: 1, message: format!("{questions} questions; at most {MOST_QUESTIONS} are read") });
    }
    if faults.is_empty() { Ok(Faq { language, topics }) } else { Err(faults) }
}

impl fmt::Display for FaqFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for FaqFault {}

/// serde's message without the place, which the fault carries itself.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn not_a_tag(tag: &str) -> String {
    format!("\"{tag}\" is no language tag; write one such as \"en\" or \"nb\"")
}

fn line_of(text: &str, needle: &str) -> usize {
    text.find(needle).map_or(1, |at| text[..at].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{ "language": "en",
  "topics": [
    { "id": "opening-hours", "questions": {"en": ["when do you open", " "], "nb": ["når åpner dere"]},
      "answer": {"en": "At 11.", "nb": "Klokken 11."} } ] }"#;

    #[test]
    fn a_good_file_is_read() {
        let faq = read(GOOD).unwrap();
        assert_eq!(faq.topics.len(), 1);
        let id = "opening-hours".parse().unwrap();
        assert_eq!(faq.topic(&id).unwrap().questions[&Language::ENGLISH], ["when do you open"]);
        assert_eq!(faq.answer(&id, "nb".parse().unwrap()), Some("Klokken 11."));
        assert_eq!(faq.answer(&id, "no".parse().unwrap()), Some("Klokken 11."));
        assert_eq!(faq.answer(&id, "ru".parse().unwrap()), Some("At 11."));
    }

    #[test]
    fn faults_are_named_by_line() {
        let at = |text: &str| read(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(at("{\n\"language\": 3}").starts_with("line 2: "), "{}", at("{\n\"language\": 3}"));
        let twice = GOOD.replace(
            "} ] }",
            "},\n{ \"id\": \"opening-hours\", \"questions\": {\"english\": [\"x\"]}, \"answer\": {\"en\": \" \"} } ] }",
        );
        let faults = at(&twice);
        assert!(faults.contains("line 5: topic \"opening-hours\" is there twice"), "{faults}");
        assert!(faults.contains("\"english\" is no language tag"), "{faults}");
        assert!(faults.contains("has no question"), "{faults}");
        assert!(faults.contains("the answer in en is empty"), "{faults}");
        assert!(at(&GOOD.replace("opening-hours", "opening hours")).contains("not an id"));
        assert!(at(&GOOD.replace("\"language\": \"en\"", "\"language\": \"?\"")).starts_with("line 1: "));
    }
}
