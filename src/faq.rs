//! A shop's FAQ file: topics, each with the ways in which customers ask for it and what the shop answers, by language.
//! What [`read`] gives is whole: every topic has a question and an answer, and no two have one id. Otherwise there is a
//! list of everything that is wrong with the file, at its line and column.
//!
//! Decided: a key that is not known is left aside without a word, as there is no list for warnings here; a file without
//! topics is fine, for a shop has to start somewhere. Two topics may share a question: people ask like that.

use std::collections::BTreeMap;

use crate::{
    catalog::source::{Finding, Object, Raw, Seen, Severity, Source},
    id::TopicId,
    language::Language,
};

/// Largest file, in bytes: [`MOST_QUESTIONS`] and all answers at their usual length, many times over.
pub const LARGEST_FILE: usize = 8 * 1024 * 1024;

/// Most topics. The largest FAQs of banks and airlines have about as many, and the model that finds the topic of a
/// question takes time and memory for each.
pub const MOST_TOPICS: usize = 300;

/// Most questions of one topic in one language. Beyond a few dozen, more examples teach nothing.
pub const MOST_QUESTIONS_OF_TOPIC: usize = 200;

/// Most questions of a file, all languages together; for the reason of [`MOST_TOPICS`].
pub const MOST_QUESTIONS: usize = 10_000;

/// Most languages of one topic, as many as a shop can serve.
pub const MOST_LANGUAGES: usize = 50;

/// Longest question, in characters: an example of what somebody types, not a letter.
pub const LONGEST_QUESTION: usize = 300;

/// Longest answer, in characters. An SMS by Twilio takes 1,600, the least of all channels, and a greeting may go before.
pub const LONGEST_ANSWER: usize = 1_500;

/// What a shop answers to questions that come again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faq {
    /// The language that the shop wrote its file in first.
    pub language: Language,
    /// In the order of the file, no id twice.
    pub topics: Vec<Topic>,
}

/// One thing that customers ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What the shop calls it; customers never see it.
    pub id: TopicId,
    /// Ways to ask for it; at least one in all.
    pub questions: BTreeMap<Language, Vec<String>>,
    /// What the shop says; in at least one language.
    pub answer: BTreeMap<Language, String>,
}

/// Reads a FAQ file. Without a FAQ comes everything that is wrong, in the order of the file, at most
/// [`MOST_FINDINGS`](crate::catalog::read::MOST_FINDINGS).
pub fn read(text: &str) -> Result<Faq, Vec<Finding>> {
    let mut reader = Reader { source: Source::of(text), questions: 0 };
    let faq = reader.source.root(LARGEST_FILE).and_then(|root| reader.faq(root));
    match faq {
        Some(faq) if reader.source.errors == 0 => Ok(faq),
        _ => {
            let findings = reader.source.findings();
            Err(findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect())
        }
    }
}

impl Faq {
    /// What the shop says on a topic, in the nearest language that it says it in: the one asked for, that without its
    /// region, another region of the same, the file's own, or else any.
    pub fn answer(&self, topic: &TopicId, language: Language) -> Option<&str> {
        let said = &self.topics.iter().find(|t| t.id == *topic)?.answer;
        said.get(&language)
            .or_else(|| said.get(&language.base()))
            .or_else(|| said.iter().find(|(spoken, _)| spoken.base() == language.base()).map(|(_, answer)| answer))
            .or_else(|| said.get(&self.language))
            .or_else(|| said.values().next())
            .map(String::as_str)
    }
}

/// The keys that each thing can have.
const FAQ_KEYS: &[&str] = &["language", "topics"];
const TOPIC_KEYS: &[&str] = &["id", "questions", "answer"];

/// What the values are, said to people.
const A_TAG: &str = "a language tag in quotes, such as \"en\"";
const TOPICS: &str = "a list of topics";
const QUESTIONS: &str = "questions by language, such as {\"en\": [\"when do you open\"]}";
const ANSWER: &str = "an answer by language, such as {\"en\": \"We open at 11.\"}";

/// Where the values of a key stand, and each with its language; with none where the tag is none.
type ByLanguage<'a> = (usize, Vec<(Option<Language>, Raw<'a>)>);

struct Reader<'a> {
    source: Source<'a>,
    /// Counted over all topics.
    questions: usize,
}

impl<'a> Reader<'a> {
    fn faq(&mut self, root: Raw<'a>) -> Option<Faq> {
        let top = self.source.object(root, "the file".to_owned(), FAQ_KEYS)?;
        let language = self.own_language(&top);
        let raw = self.source.required(&top, "topics", TOPICS)?;
        let list = self.source.list(raw, &top.what, "topics", TOPICS, MOST_TOPICS)?;
        let (mut seen, mut topics) = (Seen::new(), Vec::with_capacity(list.len()));
        for (n, raw) in list.into_iter().enumerate() {
            topics.extend(self.topic(raw, n, &mut seen));
        }
        if self.questions > MOST_QUESTIONS {
            let count = self.questions;
            self.source.error(self.source.place(raw), || {
                format!("the file has {count} questions, and can have {MOST_QUESTIONS}; remove some")
            });
        }
        Some(Faq { language: language?, topics })
    }

    fn own_language(&mut self, top: &Object<'a>) -> Option<Language> {
        let raw = self.source.required(top, "language", A_TAG)?;
        let tag = self.source.text(raw, &top.what, "language", A_TAG)?;
        self.source.language(&tag, self.source.place(raw), "\"language\"")
    }

    fn topic(&mut self, raw: Raw<'a>, n: usize, seen: &mut Seen<'a>) -> Option<Topic> {
        let object = self.source.entry(raw, "", "topic", n, TOPIC_KEYS)?;
        let id = self.source.id(&object, "topic", "", seen);
        let questions = self.questions(&object);
        let answer = self.answer(&object);
        Some(Topic { id: id?, questions: questions?, answer: answer? })
    }

    fn questions(&mut self, topic: &Object<'a>) -> Option<BTreeMap<Language, Vec<String>>> {
        let (what, expected) = (&topic.what, "a list of questions, such as [\"when do you open\"]");
        let mut questions: BTreeMap<Language, Vec<String>> = BTreeMap::new();
        let mut any = false;
        let (at, by_language) = self.by_language(topic, "questions", QUESTIONS)?;
        for (language, raw) in by_language {
            let list = self.source.list(raw, what, "questions", expected, MOST_QUESTIONS_OF_TOPIC);
            // A list that is no list, or has too much, has been told; that it holds nothing would be told too much.
            any |= list.as_ref().is_none_or(|list| !list.is_empty());
            let list = list.unwrap_or_default();
            self.questions += list.len();
            for raw in list {
                let question =
                    self.source.long_words(raw, what, "questions", "a text in quotes", LONGEST_QUESTION, &['\n']);
                if let (Some(language), Some(question)) = (language, question) {
                    questions.entry(language).or_default().push(question);
                }
            }
        }
        if !any {
            self.source.error(at, || format!("{what} has no questions; write {QUESTIONS}"));
        }
        Some(questions)
    }

    fn answer(&mut self, topic: &Object<'a>) -> Option<BTreeMap<Language, String>> {
        let what = &topic.what;
        let mut answers = BTreeMap::new();
        let (at, by_language) = self.by_language(topic, "answer", ANSWER)?;
        if by_language.is_empty() {
            self.source.error(at, || format!("{what} has no answer; write {ANSWER}"));
        }
        for (language, raw) in by_language {
            let answer = self.source.long_words(raw, what, "answer", "a text in quotes", LONGEST_ANSWER, &['\n']);
            if let (Some(language), Some(answer)) = (language, answer) {
                answers.insert(language, answer);
            }
        }
        Some(answers)
    }

    /// A tag that is none is told.
    fn by_language(&mut self, topic: &Object<'a>, key: &str, expected: &str) -> Option<ByLanguage<'a>> {
        let raw = self.source.required(topic, key, expected)?;
        let what = format!("{}: \"{key}\"", topic.what);
        let fields = self.source.fields(raw, &what, expected)?;
        let at = self.source.place(raw);
        if fields.len() > MOST_LANGUAGES {
            self.source.error(at, || {
                format!("{what} has {} languages, and can have {MOST_LANGUAGES}; remove some", fields.len())
            });
            return None;
        }
        let mut by_language = Vec::with_capacity(fields.len());
        for field in fields {
            let language = self.source.language(&field.key, field.at, &what);
            if language.is_some() && by_language.iter().any(|(other, _)| *other == language) {
                // Two spellings of one tag, such as "EN" and "en".
                self.source.error(field.at, || format!("{what} has the language {:?} twice; remove one", field.key));
            }
            by_language.push((language, field.value));
        }
        Some((at, by_language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::read::MOST_FINDINGS;

    const SMALL: &str = r#"{ "language": "en",
  "topics": [
    { "id": "opening-hours", "questions": {"en": ["when do you open", "are you open on sunday?"], "nb": ["når åpner dere"]},
      "answer": {"en": "We open at 11.", "nb": "Vi åpner klokken 11."} },
    { "id": "parking", "questions": {"pt-BR": ["onde posso estacionar"]},
      "answer": {"pt-BR": "Na rua.\nÀ noite é grátis."} } ] }
"#;

    fn id(text: &str) -> TopicId {
        text.parse().unwrap()
    }

    fn language(tag: &str) -> Language {
        tag.parse().unwrap()
    }

    /// Mends the small file into a wrong one, whose findings must be these. A `«` marks the place of each in its order.
    #[track_caller]
    fn expect(from: &str, to: &str, expected: &[&str]) {
        assert!(SMALL.contains(from), "{from}");
        let marked = SMALL.replacen(from, to, 1);
        let mut places = Vec::new();
        for (n, line) in marked.lines().enumerate() {
            let marks = line.chars().enumerate().filter(|(_, c)| *c == '«').enumerate();
            places.extend(marks.map(|(before, (at, _))| format!("{}:{}: error: ", n + 1, at - before + 1)));
        }
        assert_eq!(places.len(), expected.len(), "one mark for each finding");
        let expected: Vec<String> = places.into_iter().zip(expected).map(|(place, text)| place + text).collect();
        let found = match read(&marked.replace('«', "")) {
            Ok(_) => Vec::new(),
            Err(findings) => findings.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn everything_is_read() {
        let faq = read(&format!("\u{feff}{SMALL}")).unwrap();
        assert_eq!((faq.language, faq.topics.len()), (Language::ENGLISH, 2));
        assert_eq!(faq.topics[0].id, id("opening-hours"));
        assert_eq!(faq.topics[0].questions[&language("en")], ["when do you open", "are you open on sunday?"]);
        assert_eq!(faq.topics[0].questions[&language("nb")], ["når åpner dere"]);
        assert_eq!(faq.topics[1].answer[&language("pt-br")], "Na rua.\nÀ noite é grátis.");
        let none = read(r#"{"language": "ro", "topics": []}"#).unwrap();
        assert_eq!(none, Faq { language: language("ro"), topics: Vec::new() });
    }

    #[test]
    fn the_nearest_language_answers() {
        let faq = read(SMALL).unwrap();
        let answer = |topic: &str, tag: &str| faq.answer(&id(topic), language(tag));
        assert_eq!(answer("opening-hours", "nb"), Some("Vi åpner klokken 11."));
        assert_eq!(answer("opening-hours", "nn-NO"), Some("Vi åpner klokken 11."), "the base");
        assert_eq!(answer("opening-hours", "ru"), Some("We open at 11."), "the file's own");
        assert_eq!(answer("parking", "pt-PT"), Some("Na rua.\nÀ noite é grátis."), "another region");
        assert_eq!(answer("parking", "ru"), answer("parking", "pt-br"), "any");
        assert_eq!(answer("wifi", "en"), None);
    }

    #[test]
    fn ids_and_tags() {
        expect(
            r#""id": "parking""#,
            r#""id": «"opening-hours""#,
            &[r#"topic id "opening-hours" stands twice (first at line 3); give one of them another id"#],
        );
        expect(
            r#""id": "parking""#,
            r#""id": «"car park ""#,
            &[r#"topic id "car park " is not an id; write at most 80 bytes without line breaks or blanks at the ends"#],
        );
        expect(
            r#"{ "id": "parking", "#,
            "«{ ",
            &[r#"topic number 2 lacks "id"; write an id in quotes, such as "margherita""#],
        );
        expect(
            r#""nb": ["#,
            r#"«"norsk": ["#,
            &[
                r#"topic "opening-hours": "questions": "norsk" is not a language tag; write a BCP 47 tag such as "en" or "nb""#,
            ],
        );
        expect(
            r#""language": "en""#,
            r#""language": «"e""#,
            &[r#""language": "e" is not a language tag; write a BCP 47 tag such as "en" or "nb""#],
        );
        expect(
            r#""nb": "Vi"#,
            r#"«"EN": "Vi"#,
            &[r#"topic "opening-hours": "answer" has the language "EN" twice; remove one"#],
        );
    }

    #[test]
    fn a_topic_has_questions_and_an_answer() {
        expect(
            r#""questions": {"pt-BR": ["onde posso estacionar"]}"#,
            r#""questions": «{}"#,
            &[r#"topic "parking" has no questions; write questions by language, such as {"en": ["when do you open"]}"#],
        );
        expect(
            r#""questions": {"pt-BR": ["onde posso estacionar"]}"#,
            r#""questions": «{"pt-BR": []}"#,
            &[r#"topic "parking" has no questions; write questions by language, such as {"en": ["when do you open"]}"#],
        );
        expect(
            r#""answer": {"pt-BR": "Na rua.\nÀ noite é grátis."}"#,
            r#""answer": «{}"#,
            &[r#"topic "parking" has no answer; write an answer by language, such as {"en": "We open at 11."}"#],
        );
        expect(
            r#"{ "id": "parking", "questions": {"pt-BR": ["onde posso estacionar"]},"#,
            r#"«{ "id": "parking","#,
            &[
                r#"topic "parking" lacks "questions"; write questions by language, such as {"en": ["when do you open"]}"#,
            ],
        );
        expect(
            r#""onde posso estacionar""#,
            r#"«" ""#,
            &[r#"topic "parking": a text of "questions" is empty; write something or remove it"#],
        );
    }

    #[test]
    fn limits_are_said() {
        let long = |n: usize| "x".repeat(n);
        expect("Na rua.\\nÀ noite é grátis.", &long(LONGEST_ANSWER), &[]);
        assert!(read(&SMALL.replace("We open at 11.", &long(LONGEST_ANSWER + 1))).is_err());
        assert!(read(&SMALL.replace("when do you open", &long(LONGEST_QUESTION))).is_ok());
        let found = read(&SMALL.replace("when do you open", &long(LONGEST_QUESTION + 1))).unwrap_err();
        assert_eq!(
            found[0].to_string(),
            r#"3:51: error: topic "opening-hours": a text of "questions" is too long: 301 characters, and it can have 300"#
        );
        let topics = |count: usize, questions: usize| {
            let questions = vec![r#""q""#; questions].join(",");
            let topic =
                |n| format!(r#"{{"id": "t{n}", "questions": {{"en": [{questions}]}}, "answer": {{"en": "a"}}}}"#);
            let all: Vec<String> = (0..count).map(topic).collect();
            read(&format!(r#"{{"language": "en", "topics": [{}]}}"#, all.join(",")))
        };
        assert!(topics(MOST_TOPICS, 1).is_ok());
        assert!(topics(MOST_TOPICS + 1, 1).unwrap_err()[0].message.contains("has 301 entries, and can have 300"));
        assert!(topics(1, MOST_QUESTIONS_OF_TOPIC).is_ok());
        assert!(topics(1, MOST_QUESTIONS_OF_TOPIC + 1).is_err());
        assert!(topics(50, 200).is_ok());
        assert!(topics(51, 200).unwrap_err()[0].message.contains("10200 questions, and can have 10000"));
        let large = format!("{SMALL}{}", " ".repeat(LARGEST_FILE));
        assert_eq!(read(&large).unwrap_err()[0].to_string(), "1:1: error: the file is too large; it can have 8 MiB");
    }

    #[test]
    fn everything_wrong_is_found_at_once() {
        let found =
            read(r#"{"topics": [{"id": "a", "questions": {"en": [""]}, "answer": {"en": 7}}, 5]}"#).unwrap_err();
        assert_eq!(found.len(), 4, "{found:?}");
        let found = read(&format!(r#"{{"language": "en", "topics": [{}{{}}]}}"#, "{},".repeat(200))).unwrap_err();
        assert_eq!(found.len(), MOST_FINDINGS);
        assert!(read("").unwrap_err()[0].message.contains("the file is empty"));
        assert!(read(r#"{"language": "en", "topics": [},]}"#).unwrap_err()[0].to_string().starts_with("1:31: error: "));
    }

    #[test]
    fn keys_that_are_not_known_are_left_aside() {
        assert!(read(&SMALL.replace(r#""id": "parking""#, r#""colour": "red", "id": "parking""#)).is_ok());
    }
}
