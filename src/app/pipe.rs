//! The two pipes, `usual understand` and `usual answer`: one JSON object a line in, one a line out, in the same order,
//! each written before the next is read. They need no database, no server and no settings, and are what measuring tools
//! speak to.
//!
//! Promises: a line that cannot be used gets `{"id": null, "error": "…"}` on its line, and the rest go on; whatever
//! comes in, only a pipe that cannot be read or written ends the run. An id is given back as it was written. A key that
//! is not known is left aside.

use std::io::{BufRead, Write};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    cart::{Cart, Line},
    catalog::Catalog,
    faq::Faq,
    id::TopicId,
    language::Language,
    understanding::{Answerer, Engine, Expecting, Intent, Lexicons, Reading, Utterance},
};

/// Longest line, in bytes: the longest message that is read, with a cart of a thousand lines beside it. The rest of a
/// longer one is thrown away as it comes, so that no input fills the memory.
pub const LONGEST_LINE: usize = 1024 * 1024;

/// Reads utterances and writes what each means.
pub fn understand(catalog: &Catalog, input: impl BufRead, output: impl Write) -> anyhow::Result<()> {
    let lexicons = Lexicons::embedded().map_err(|error| anyhow::anyhow!("the lexicons cannot be read: {error}"))?;
    let engine = Engine::compile(catalog, &lexicons);
    lines(input, output, |line| {
        let said: Said<'_> = parsed(line)?;
        let id = id_of(said.id)?;
        let (cart, usual) = (cart_of(said.cart, "cart")?, cart_of(said.usual, "usual")?);
        let reading = engine.read(&Utterance {
            text: &said.text,
            language: said.language,
            prior: None,
            cart: &cart,
            usual: &usual,
            expecting: said.expecting,
        });
        written(&Meant::of(id, &reading))
    })
}

/// Reads questions and writes the topic of the FAQ that answers each.
pub fn answer(faq: &Faq, input: impl BufRead, output: impl Write) -> anyhow::Result<()> {
    let answerer = Answerer::compile(faq);
    lines(input, output, |line| {
        let asked: Asked<'_> = parsed(line)?;
        let id = id_of(asked.id)?;
        let (topic, sure) = answerer.answer(&asked.text, asked.language);
        written(&Answered { id, topic: topic.as_ref(), confidence: rounded(sure) })
    })
}

/// A line of `usual understand`. What may be left out may be null too.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    text: String,
    language: Option<Language>,
    cart: Option<Cart>,
    usual: Option<Cart>,
    expecting: Option<Expecting>,
}

/// What is written for it.
#[derive(Serialize)]
struct Meant<'a> {
    id: &'a RawValue,
    intent: Intent,
    language: Language,
    lines: &'a [Line],
    confidence: f64,
    unmatched: &'a [String],
}

/// A line of `usual answer`.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    text: String,
    language: Option<Language>,
}

/// What is written for it.
#[derive(Serialize)]
struct Answered<'a> {
    id: &'a RawValue,
    topic: Option<&'a TopicId>,
    confidence: f64,
}

/// What is written for a line that cannot be used.
#[derive(Serialize)]
struct Failed {
    id: (),
    error: String,
}

impl<'a> Meant<'a> {
    fn of(id: &'a RawValue, reading: &'a Reading) -> Meant<'a> {
        Meant {
            id,
            intent: reading.intent,
            language: reading.language,
            lines: &reading.cart.lines,
            confidence: rounded(reading.confidence),
            unmatched: &reading.unmatched,
        }
    }
}

/// Answers each line of the input with a line. `reply` gives the line, or what is wrong with that of the input.
fn lines(
    mut input: impl BufRead,
    mut output: impl Write,
    mut reply: impl FnMut(&str) -> Result<String, String>,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    while let Some(whole) = next_line(&mut input, &mut line).context("cannot read the input")? {
        let text = match std::str::from_utf8(&line) {
            _ if !whole => Err(format!("the line is longer than {LONGEST_LINE} bytes")),
            Ok(text) => Ok(text),
            Err(error) => Err(format!("the line is not UTF-8 from byte {} on", error.valid_up_to() + 1)),
        };
        let replied = match text.and_then(&mut reply) {
            Ok(replied) => replied,
            Err(error) => serde_json::to_string(&Failed { id: (), error }).context("cannot write an error as JSON")?,
        };
        writeln!(output, "{replied}").and_then(|()| output.flush()).context("cannot write the output")?;
    }
    Ok(())
}

/// Reads a line without its end. `None` at the end of the input; else whether all of the line is there, or it was longer
/// than [`LONGEST_LINE`].
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    line.clear();
    let (mut any, mut whole) = (false, true);
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if whole && line.len() + part.len() <= LONGEST_LINE {
            line.extend_from_slice(part);
        } else {
            whole = false;
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

fn parsed<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, String> {
    // A list with the values in order would be taken for the object.
    if !line.trim_start().starts_with('{') {
        return Err("the line is no JSON object".to_owned());
    }
    serde_json::from_str(line).map_err(|error| error.to_string())
}

fn id_of(id: &RawValue) -> Result<&RawValue, String> {
    match id.get().as_bytes().first() {
        Some(b'"' | b'-' | b'0'..=b'9') => Ok(id),
        _ => Err("the id is neither a text nor a number".to_owned()),
    }
}

/// A cart as it must be: equal lines joined, nothing zero times.
fn cart_of(cart: Option<Cart>, key: &str) -> Result<Cart, String> {
    let cart = cart.unwrap_or_default();
    if cart.lines.iter().any(|line| line.quantity == 0 || line.options.iter().any(|option| option.count == 0)) {
        return Err(format!("\"{key}\" has a quantity or count of 0"));
    }
    Ok(cart.joined())
}

fn written(reply: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(reply).map_err(|error| error.to_string())
}

/// To three digits: more would say more than is known.
fn rounded(confidence: f32) -> f64 {
    (f64::from(confidence) * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{catalog, faq};

    const FAQ: &str = r#"{"language": "en", "topics": [
        {"id": "hours", "questions": {"en": ["when do you open", "opening hours"]}, "answer": {"en": "At 11."}},
        {"id": "parking", "questions": {"en": ["where can I park", "is there parking"]}, "answer": {"en": "No."}}]}"#;

    fn answered(input: &[u8]) -> Vec<Value> {
        let mut output = Vec::new();
        answer(&faq::read(FAQ).unwrap(), input, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn is_error(line: &Value, piece: &str) {
        assert_eq!(line["id"], Value::Null, "{line}");
        assert_eq!(line.as_object().unwrap().len(), 2, "{line}");
        assert!(line["error"].as_str().unwrap().contains(piece), "{line}");
    }

    #[test]
    fn questions_are_answered_in_order() {
        let lines = answered(
            b"{\"id\": \"1\", \"text\": \"is there parking?\", \"language\": null, \"mood\": {\"a\": [1]}}\r\n\
              {\"language\": \"nb\", \"text\": \"two pizzas\", \"id\": 7}\n\
              {\"id\": \"e\\u0301\", \"text\": \"when do you open\"}",
        );
        assert_eq!(lines.len(), 3);
        assert_eq!((&lines[0]["id"], &lines[0]["topic"]), (&json!("1"), &json!("parking")));
        assert_eq!((&lines[1]["id"], &lines[1]["topic"]), (&json!(7), &Value::Null));
        assert_eq!((&lines[2]["id"], &lines[2]["topic"]), (&json!("e\u{301}"), &json!("hours")));
        for line in &lines {
            assert_eq!(line.as_object().unwrap().len(), 3, "{line}");
            assert!((0.0..=1.0).contains(&line["confidence"].as_f64().unwrap()), "{line}");
        }
        assert!(answered(b"").is_empty());
    }

    #[test]
    fn numbers_are_given_back_as_written() {
        let mut output = Vec::new();
        answer(&faq::read(FAQ).unwrap(), &b"{\"id\": 1.50e3, \"text\": \"hi\"}\n"[..], &mut output).unwrap();
        assert!(String::from_utf8(output).unwrap().starts_with("{\"id\":1.50e3,\"topic\":null,\"confidence\":0."));
    }

    #[test]
    fn a_bad_line_is_told_and_the_rest_go_on() {
        let mut input = Vec::new();
        for bad in [
            &b"nonsense"[..],
            b"",
            b"[\"1\", \"hi\", null]",
            b"{\"id\": \"1\"}",
            b"{\"text\": \"hi\"}",
            b"{\"id\": null, \"text\": \"hi\"}",
            b"{\"id\": {}, \"text\": \"hi\"}",
            b"{\"id\": \"1\", \"text\": \"hi\", \"language\": \"english language\"}",
            b"{\"id\": \"1\", \"text\": \"hi\"} more",
            b"{\"id\": \"1\", \"text\": \"\xff\"}",
        ] {
            input.extend_from_slice(bad);
            input.push(b'\n');
        }
        input.extend_from_slice(b"{\"id\": \"last\", \"text\": \"is there parking\"}\n");
        let lines = answered(&input);
        assert_eq!(lines.len(), 11);
        let pieces = [
            "no JSON object",
            "no JSON object",
            "no JSON object",
            "text",
            "id",
            "id",
            "id",
            "language tag",
            "trailing",
            "UTF-8",
        ];
        for (line, piece) in lines.iter().zip(pieces) {
            is_error(line, piece);
        }
        assert_eq!((&lines[10]["id"], &lines[10]["topic"]), (&json!("last"), &json!("parking")));
    }

    #[test]
    fn a_line_that_is_too_long_is_told() {
        let line = |length: usize| {
            let frame = "{\"id\": \"1\", \"text\": \"\"}".len();
            format!("{{\"id\": \"1\", \"text\": \"{}\"}}\n", "x".repeat(length - frame))
        };
        let input = line(LONGEST_LINE) + &line(LONGEST_LINE + 1) + &line(3 * LONGEST_LINE) + &line(50);
        let lines = answered(input.as_bytes());
        assert_eq!(lines.len(), 4);
        assert_eq!((&lines[0]["id"], &lines[3]["id"]), (&json!("1"), &json!("1")));
        is_error(&lines[1], "longer than");
        is_error(&lines[2], "longer than");
    }

    #[test]
    fn each_line_is_flushed_before_the_next_is_read() {
        struct Flushed(Vec<u8>, Vec<usize>);
        impl Write for Flushed {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                self.1.push(self.0.iter().filter(|&&byte| byte == b'\n').count());
                Ok(())
            }
        }
        let mut output = Flushed(Vec::new(), Vec::new());
        answer(&faq::read(FAQ).unwrap(), &b"x\ny\nz\n"[..], &mut output).unwrap();
        assert_eq!(output.1, [1, 2, 3]);
    }

    #[test]
    fn utterances_are_read() {
        let line = r#"{"id": "7", "text": "two", "language": "en", "expecting": "confirm", "new": 1,
            "cart": [{"product": "a", "quantity": 1}, {"product": "a", "quantity": 2}], "usual": null}"#;
        let said: Said<'_> = parsed(line).unwrap();
        assert_eq!((said.text.as_str(), said.language), ("two", Some(Language::ENGLISH)));
        assert_eq!((said.expecting, said.usual.is_none()), (Some(Expecting::Confirm), true));
        let cart = cart_of(said.cart, "cart").unwrap();
        assert_eq!((cart.lines.len(), cart.lines[0].quantity), (1, 3));
        let least: Said<'_> = parsed(r#"{"id": 1, "text": ""}"#).unwrap();
        assert!(least.cart.is_none() && least.expecting.is_none() && least.language.is_none());
        let zero: Said<'_> = parsed(r#"{"id": 1, "text": "", "usual": [{"product": "a", "quantity": 0}]}"#).unwrap();
        assert_eq!(cart_of(zero.usual, "usual").unwrap_err(), "\"usual\" has a quantity or count of 0");
        assert!(parsed::<Said<'_>>(r#"{"id": 1, "text": "", "expecting": "money"}"#).is_err());
        let shop = r#"{"merchant": "M", "currency": "EUR", "products": [
            {"id": "a", "category": "c", "names": {"en": ["A"]}, "price": "1"}]}"#;
        let mut output = Vec::new();
        understand(&catalog::read::read(shop).unwrap().0, &b"5\n"[..], &mut output).unwrap();
        assert_eq!(output, b"{\"id\":null,\"error\":\"the line is no JSON object\"}\n");
    }

    #[test]
    fn meanings_are_written() {
        let id: Box<RawValue> = serde_json::from_str("\"7\"").unwrap();
        let cart = Cart { lines: vec![Line::of("a".parse().unwrap())] };
        let reading = Reading {
            also: vec![Intent::Menu],
            confidence: 0.97,
            unmatched: vec!["sushi".to_owned()],
            ..Reading::of(Intent::ProductQuestion, Language::ENGLISH, cart)
        };
        assert_eq!(
            written(&Meant::of(&id, &reading)).unwrap(),
            r#"{"id":"7","intent":"product_question","language":"en","lines":[{"product":"a","quantity":1,"options":[]}],"confidence":0.97,"unmatched":["sushi"]}"#
        );
    }
}
