//! `usual understand` and `usual answer`: one JSON object a line in, one a line out, in the same order and flushed line
//! by line, without a database or a server. A line that is no such object is answered with
//! `{"id": null, "error": "…"}`, and the rest go on.

use std::io::{BufRead, Read, Write};

use anyhow::Context;
use serde_json::Value;

use crate::{
    cart::{Cart, Line},
    catalog::Catalog,
    faq::Faq,
    id::TopicId,
    language::Language,
    understanding::{Answerer, Engine, Expecting, Intent, Lexicons, Utterance},
};

/// Longest line that is read, in bytes; a longer one is answered with an error. A message of 8,192 characters with a
/// cart of a hundred lines takes about 60 kB.
pub const LONGEST_LINE: u64 = 4 << 20;

/// An utterance as it is read.
#[derive(serde::Deserialize)]
struct Asked {
    id: Value,
    text: String,
    #[serde(default)]
    language: Option<Language>,
    #[serde(default)]
    cart: Option<Vec<Line>>,
    #[serde(default)]
    usual: Option<Vec<Line>>,
    #[serde(default)]
    expecting: Option<Expecting>,
}

/// A reading as it is written.
#[derive(serde::Serialize)]
struct Understood<'a> {
    id: &'a Value,
    intent: Intent,
    language: Language,
    lines: &'a [Line],
    confidence: f32,
    unmatched: &'a [String],
}

/// A question as it is read.
#[derive(serde::Deserialize)]
struct Question {
    id: Value,
    text: String,
    #[serde(default)]
    language: Option<Language>,
}

/// An answer as it is written.
#[derive(serde::Serialize)]
struct Answered<'a> {
    id: &'a Value,
    topic: Option<TopicId>,
    confidence: f32,
}

/// Why a line could not be read.
#[derive(serde::Serialize)]
struct Failed {
    id: Option<Value>,
    error: String,
}

/// Reads utterances and writes what they mean for a shop of this catalogue, until the input ends. Fails only where
/// reading or writing itself does.
pub fn understand(catalog: &Catalog, input: impl BufRead, output: impl Write) -> anyhow::Result<()> {
    let lexicons = Lexicons::embedded()?;
    let engine = Engine::compile(catalog, &lexicons);
    each_line(input, output, |asked: Asked| {
        let cart = Cart { lines: asked.cart.unwrap_or_default() };
        let usual = Cart { lines: asked.usual.unwrap_or_default() };
        let reading = engine.read(&Utterance {
            text: &asked.text,
            language: asked.language,
            prior: None,
            cart: &cart,
            usual: &usual,
            expecting: asked.expecting,
        });
        serde_json::to_string(&Understood {
            id: &asked.id,
            intent: reading.intent,
            language: reading.language,
            lines: &reading.cart.lines,
            confidence: reading.confidence,
            unmatched: &reading.unmatched,
        })
    })
}

/// Reads questions and writes which topic answers each, until the input ends. Fails only where reading or writing
/// itself does.
pub fn answer(faq: &Faq, input: impl BufRead, output: impl Write) -> anyhow::Result<()> {
    let answerer = Answerer::compile(faq);
    each_line(input, output, |question: Question| {
        let (topic, confidence) = answerer.answer(&question.text, question.language);
        serde_json::to_string(&Answered { id: &question.id, topic, confidence })
    })
}

fn each_line<T: serde::de::DeserializeOwned>(
    mut input: impl BufRead,
    mut output: impl Write,
    reply: impl Fn(T) -> serde_json::Result<String>,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).context("reading the input")?;
        if read == 0 {
            return Ok(());
        }
        let too_long = read as u64 == LONGEST_LINE && line.last() != Some(&b'\n');
        let parsed = if too_long {
            skip_line(&mut input)?;
            Err(format!("the line is longer than {LONGEST_LINE} bytes"))
        } else {
            serde_json::from_slice(&line).map_err(|e| e.to_string())
        };
        let written = match parsed {
            Ok(object) => reply(object)?,
            Err(error) => serde_json::to_string(&Failed { id: None, error })?,
        };
        writeln!(output, "{written}").and_then(|()| output.flush()).context("writing the output")?;
    }
}

/// Reads on to the end of a line without keeping it.
fn skip_line(input: &mut impl BufRead) -> anyhow::Result<()> {
    loop {
        let held = input.fill_buf().context("reading the input")?;
        if held.is_empty() {
            return Ok(());
        }
        let end = held.iter().position(|&b| b == b'\n');
        let used = end.map_or(held.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog, faq};

    const CATALOG: &str = r#"{ "merchant": "Trattoria", "currency": "EUR", "languages": ["en"],
      "products": [ {"id": "margherita", "category": "pizza", "names": {"en": ["Margherita"]}, "price": "9.50",
        "option_groups": ["size"]} ],
      "option_groups": [ {"id": "size", "names": {"en": ["size"]}, "max": 1,
        "choices": [ {"id": "large", "names": {"en": ["large"]}, "price": "3.00"} ]} ] }"#;

    fn understood(input: &[u8]) -> Vec<Value> {
        let (catalog, _) = catalog::read::read(CATALOG).unwrap();
        let mut output = Vec::new();
        understand(&catalog, input, &mut output).unwrap();
        output.split(|&b| b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect()
    }

    #[test]
    fn a_line_in_is_a_line_out() {
        let input = "{\"id\": \"7\", \"text\": \"two large margheritas\"}\nnonsense\n{\"id\": 8, \"text\": \"make that \
                     three\", \"cart\": [{\"product\": \"margherita\", \"quantity\": 2, \"options\": []}], \
                     \"expecting\": null}\n";
        let lines = understood(input.as_bytes());
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["id"], "7");
        assert_eq!(lines[0]["intent"], "order");
        assert_eq!(lines[0]["language"], "en");
        assert_eq!(
            lines[0]["lines"],
            serde_json::json!([{"product": "margherita", "quantity": 2,
                "options": [{"group": "size", "choice": "large"}]}])
        );
        assert_eq!(lines[0]["unmatched"], serde_json::json!([]));
        assert!(lines[1]["id"].is_null() && lines[1]["error"].is_string());
        assert_eq!(lines[2]["id"], 8);
        assert_eq!(lines[2]["lines"][0]["quantity"], 3);
    }

    #[test]
    fn bad_lines_do_not_end_the_reading() {
        let mut input = b"\xff\xfe\n{\"id\": 1}\n[]\n\n".to_vec();
        input.extend(std::iter::repeat_n(b'a', LONGEST_LINE as usize + 10));
        input.extend(b"\n{\"id\": 2, \"text\": \"hello\"}");
        let lines = understood(&input);
        assert_eq!(lines.len(), 6);
        assert!(lines[..5].iter().all(|line| line["id"].is_null() && line["error"].is_string()));
        assert_eq!(lines[5]["intent"], "greeting");
    }

    #[test]
    fn questions_are_answered_line_by_line() {
        let faq = faq::read(
            r#"{"language": "en", "topics": [{"id": "parking", "questions": {"en": ["where can I park", "car park"]},
                "answer": {"en": "Behind the house."}}]}"#,
        )
        .unwrap();
        let input =
            "{\"id\": \"1\", \"text\": \"where is the car park?\"}\n{\"id\": \"2\", \"text\": \"qwerty\"}\n{}\n";
        let mut output = Vec::new();
        answer(&faq, input.as_bytes(), &mut output).unwrap();
        let lines: Vec<Value> =
            String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["topic"], "parking");
        assert!(lines[0]["confidence"].as_f64().unwrap() >= 0.5);
        assert!(lines[1]["topic"].is_null() && lines[1].get("topic").is_some());
        assert!(lines[2]["id"].is_null() && lines[2]["error"].is_string());
    }
}
