//! A JSON file that people write by hand, read a level at a time, with everything that is wrong with it found at its
//! line and column. What reads a catalogue and what reads a FAQ file both stand on this; it knows neither.
//!
//! Decided: the file is parsed into slices of itself (`RawValue`). A value's place is then where its slice begins, so no
//! second parser is needed to point at it. An optional key that is `null` counts as left out.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt,
    str::FromStr,
};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::language::Language;

/// Most errors that are listed, and most warnings. Nobody mends more at a time, and a file that is wrong all over would
/// fill the memory.
pub const MOST_FINDINGS: usize = 100;

/// Something to tell the person who wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The line in the file, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// What is wrong, with what, and what to write instead.
    pub message: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can, but something in it may be a mistake.
    Warning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{}: {severity}: {}", self.line, self.column, self.message)
    }
}

pub(crate) type Raw<'a> = &'a RawValue;

pub(crate) const AN_ID: &str = "an id in quotes, such as \"margherita\"";

/// An object of the file: what to call it, and its fields.
pub(crate) struct Object<'a> {
    pub(crate) what: String,
    pub(crate) at: usize,
    pub(crate) fields: Vec<Field<'a>>,
}

/// A key of an object, where it stands, and its value.
pub(crate) struct Field<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) at: usize,
    pub(crate) value: Raw<'a>,
}

/// The ids of a list, each with the place where it first stood; in order, so that messages are always the same.
pub(crate) type Seen<'a> = BTreeMap<Cow<'a, str>, usize>;

/// The file's text and what was found in it so far.
#[derive(Default)]
pub(crate) struct Source<'a> {
    text: &'a str,
    found: Vec<(usize, Severity, String)>,
    pub(crate) errors: usize,
    warnings: usize,
}

impl<'a> Source<'a> {
    /// A file's text; a byte order mark at its start is passed over.
    pub(crate) fn of(text: &'a str) -> Source<'a> {
        Source { text: text.strip_prefix('\u{feff}').unwrap_or(text), ..Source::default() }
    }

    /// The file's value, where it is JSON and has no more bytes than `largest`.
    pub(crate) fn root(&mut self, largest: usize) -> Option<Raw<'a>> {
        let text = self.text;
        if text.len() > largest {
            self.error(0, || format!("the file is too large; it can have {} MiB", largest / 1024 / 1024));
            return None;
        }
        match serde_json::from_str::<Raw<'a>>(text) {
            Ok(root) => Some(root),
            Err(error) => {
                let at = offset_of(text, error.line(), error.column());
                self.error(at, || syntax(text, at, &error));
                None
            }
        }
    }

    pub(crate) fn language(&mut self, tag: &str, at: usize, what: &str) -> Option<Language> {
        match tag.parse::<Language>() {
            Ok(language) => Some(language),
            Err(error) => {
                self.error(at, || format!("{what}: {} is {error}", quoted(tag)));
                None
            }
        }
    }

    /// An element of a list of things with ids, called by its id or else by its place in the list.
    pub(crate) fn entry(
        &mut self,
        raw: Raw<'a>,
        within: &str,
        noun: &str,
        n: usize,
        known: &[&str],
    ) -> Option<Object<'a>> {
        let within = if within.is_empty() { String::new() } else { format!("{within}, ") };
        let numbered = || format!("{within}{noun} number {}", n + 1);
        if !raw.get().starts_with('{') {
            self.error(self.place(raw), || format!("{} must be {{…}} with an \"id\", not {}", numbered(), kind(raw)));
            return None;
        }
        let fields = self.fields(raw, &numbered(), "{…}")?;
        let id = fields.iter().find(|f| f.key == "id").and_then(|f| plain_text(f.value)).filter(|id| !id.is_empty());
        let what = id.map_or_else(numbered, |id| format!("{within}{noun} {}", quoted(&id)));
        let object = Object { what, at: self.place(raw), fields };
        self.unknown_keys(&object, known);
        Some(object)
    }

    pub(crate) fn object(&mut self, raw: Raw<'a>, what: String, known: &[&str]) -> Option<Object<'a>> {
        let fields = self.fields(raw, &what, "an object, {…}")?;
        let object = Object { what, at: self.place(raw), fields };
        self.unknown_keys(&object, known);
        Some(object)
    }

    pub(crate) fn unknown_keys(&mut self, object: &Object<'a>, known: &[&str]) {
        for field in object.fields.iter().filter(|field| !known.contains(&field.key.as_ref())) {
            self.warning(field.at, || {
                let near = nearest(&field.key, known.iter().copied());
                let or = "it is left aside";
                format!(
                    "{} has the key {}, which is not known here; {}",
                    object.what,
                    quoted(&field.key),
                    meant(near, or)
                )
            });
        }
    }

    pub(crate) fn fields(&mut self, raw: Raw<'a>, what: &str, expected: &str) -> Option<Vec<Field<'a>>> {
        if !raw.get().starts_with('{') {
            self.error(self.place(raw), || format!("{what} must be {expected}, not {}", kind(raw)));
            return None;
        }
        let pairs = match serde_json::from_str::<Pairs<'a>>(raw.get()) {
            Ok(Pairs(pairs)) => pairs,
            Err(error) => {
                self.error(self.place(raw), || format!("{what} has a key that cannot be read: {}", reason(&error)));
                return None;
            }
        };
        let mut seen: HashSet<Cow<'a, str>> = HashSet::with_capacity(pairs.len());
        let mut fields = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let at = match &key {
                Cow::Borrowed(key) => self.offset(key).saturating_sub(1),
                // A key with escapes was copied: its value stands beside it.
                Cow::Owned(_) => self.place(value),
            };
            if seen.insert(key.clone()) {
                fields.push(Field { key, at, value });
            } else {
                self.error(at, || format!("{what}: the key {} stands twice; remove one", quoted(&key)));
            }
        }
        Some(fields)
    }

    pub(crate) fn required(&mut self, object: &Object<'a>, key: &str, expected: &str) -> Option<Raw<'a>> {
        let value = object.get(key);
        if value.is_none() {
            self.error(object.at, || format!("{} lacks \"{key}\"; write {expected}", object.what));
        }
        value
    }

    pub(crate) fn id<T: FromStr<Err = crate::id::NotAnId>>(
        &mut self,
        object: &Object<'a>,
        noun: &str,
        within: &str,
        seen: &mut Seen<'a>,
    ) -> Option<T> {
        let raw = self.required(object, "id", AN_ID)?;
        let text = self.text(raw, &object.what, "id", AN_ID)?;
        let at = self.place(raw);
        let of = if within.is_empty() { String::new() } else { format!(" of {within}") };
        if let Some(&first) = seen.get(&text) {
            let line = self.line_of(first);
            self.error(at, || {
                format!(
                    "{noun} id {}{of} stands twice (first at line {line}); give one of them another id",
                    quoted(&text)
                )
            });
            return None;
        }
        let id = text.parse();
        if let Err(error) = &id {
            self.error(at, || format!("{noun} id {}{of} is {error}", quoted(&text)));
        }
        seen.insert(text, at);
        id.ok()
    }

    pub(crate) fn list(
        &mut self,
        raw: Raw<'a>,
        what: &str,
        key: &str,
        expected: &str,
        most: usize,
    ) -> Option<Vec<Raw<'a>>> {
        match serde_json::from_str::<Vec<Raw<'a>>>(raw.get()) {
            Ok(list) if list.len() <= most => Some(list),
            Ok(list) => {
                self.error(self.place(raw), || {
                    format!("{what}: \"{key}\" has {} entries, and can have {most}; remove some", list.len())
                });
                None
            }
            Err(_) => {
                self.wrong_type(raw, what, key, expected);
                None
            }
        }
    }

    /// Every text of an optional list, with its place.
    pub(crate) fn all_words(
        &mut self,
        object: &Object<'a>,
        key: &str,
        expected: &str,
        most: usize,
        longest: usize,
    ) -> Vec<(usize, String)> {
        let list = object.get(key).and_then(|raw| self.list(raw, &object.what, key, expected, most));
        let mut all = Vec::new();
        for raw in list.unwrap_or_default() {
            let words = self.words(raw, &object.what, key, expected, longest);
            all.extend(words.map(|words| (self.place(raw), words)));
        }
        all
    }

    /// A text of one line that is not empty; spaces around it are dropped.
    pub(crate) fn words(
        &mut self,
        raw: Raw<'a>,
        what: &str,
        key: &str,
        expected: &str,
        longest: usize,
    ) -> Option<String> {
        self.long_words(raw, what, key, expected, longest, &[])
    }

    pub(crate) fn long_words(
        &mut self,
        raw: Raw<'a>,
        what: &str,
        key: &str,
        expected: &str,
        longest: usize,
        allowed: &[char],
    ) -> Option<String> {
        let text = self.text(raw, what, key, expected)?;
        let text = text.trim();
        let length = text.chars().count();
        let fault = if text.is_empty() {
            "is empty; write something or remove it".to_owned()
        } else if length > longest {
            format!("is too long: {length} characters, and it can have {longest}")
        } else if text.chars().any(|c| c.is_control() && !allowed.contains(&c)) {
            "has a line break or another control character; remove it".to_owned()
        } else {
            return Some(text.to_owned());
        };
        self.error(self.place(raw), || format!("{what}: a text of \"{key}\" {fault}"));
        None
    }

    pub(crate) fn text(&mut self, raw: Raw<'a>, what: &str, key: &str, expected: &str) -> Option<Cow<'a, str>> {
        if !raw.get().starts_with('"') {
            self.wrong_type(raw, what, key, expected);
            return None;
        }
        match serde_json::from_str::<Text<'a>>(raw.get()) {
            Ok(Text(text)) => Some(text),
            Err(error) => {
                self.error(self.place(raw), || {
                    format!(
                        "{what}: a text of \"{key}\" cannot be read: {}; write the character itself",
                        reason(&error)
                    )
                });
                None
            }
        }
    }

    pub(crate) fn count(&mut self, raw: Raw<'a>, what: &str, key: &str) -> Option<u32> {
        let count = raw.get().parse::<u32>().ok();
        if count.is_none() {
            self.wrong_type(raw, what, key, "a whole number without quotes, such as 1");
        }
        count
    }

    pub(crate) fn flag(&mut self, raw: Raw<'a>, what: &str, key: &str) -> bool {
        let flag = raw.get() == "true";
        if !flag && raw.get() != "false" {
            self.wrong_type(raw, what, key, "true or false, without quotes");
        }
        flag
    }

    pub(crate) fn wrong_type(&mut self, raw: Raw<'a>, what: &str, key: &str, expected: &str) {
        self.error(self.place(raw), || format!("{what}: \"{key}\" must be {expected}, not {}", kind(raw)));
    }

    /// Messages are made only while there is room for them: a file may be wrong in a million places.
    pub(crate) fn error(&mut self, at: usize, message: impl FnOnce() -> String) {
        self.errors += 1;
        if self.errors <= MOST_FINDINGS {
            self.found.push((at, Severity::Error, message()));
        }
    }

    pub(crate) fn warning(&mut self, at: usize, message: impl FnOnce() -> String) {
        self.warnings += 1;
        if self.warnings <= MOST_FINDINGS {
            self.found.push((at, Severity::Warning, message()));
        }
    }

    pub(crate) fn place(&self, raw: Raw<'a>) -> usize {
        self.offset(raw.get())
    }

    /// Where a slice of the text begins in it.
    pub(crate) fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize).min(self.text.len())
    }

    pub(crate) fn line_of(&self, at: usize) -> usize {
        // Beyond the errors that are listed nobody reads it, and counting lines takes time in a large file.
        if self.errors >= MOST_FINDINGS {
            return 0;
        }
        1 + self.text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count()
    }

    pub(crate) fn findings(mut self) -> Vec<Finding> {
        self.found.sort();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (mut line, mut column, mut reached) = (1, 1, 0);
        let mut findings = Vec::with_capacity(self.found.len());
        for (at, severity, message) in self.found {
            let passed = self.text.get(reached..at).unwrap_or("");
            if let Some(start) = passed.rfind('\n') {
                line += passed.bytes().filter(|&b| b == b'\n').count();
                column = 1 + passed[start + 1..].chars().count();
            } else {
                column += passed.chars().count();
            }
            reached = at;
            findings.push(Finding { line: number(line), column: number(column), severity, message });
        }
        findings
    }
}

impl<'a> Object<'a> {
    /// The value of a key, where it has one other than null.
    pub(crate) fn get(&self, key: &str) -> Option<Raw<'a>> {
        self.fields.iter().find(|f| f.key == key).map(|f| f.value).filter(|value| value.get() != "null")
    }
}

/// A text that is a slice of the file where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of an object as they stand, twice where they stand twice.
struct Pairs<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Pairs<'a>, D::Error> {
        struct Visitor<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> serde::de::Visitor<'de> for Visitor<'a> {
            type Value = Pairs<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(key), value)) = map.next_entry::<Text<'a>, Raw<'a>>()? {
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }
        d.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

/// How alike (0 to 1) a known word must be to be offered: two letters wrong in five.
const LEAST_LIKENESS: f64 = 0.6;

/// Most words that one is compared with, so that a file with nothing but wrong references is still answered in a second.
const MOST_COMPARED: usize = 1_000;

pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word: String = word.chars().take(crate::id::LONGEST_NAME).flat_map(char::to_lowercase).collect();
    let length = word.chars().count();
    known
        // A likeness of 0.6 takes lengths that are no further apart than 3 to 5.
        .filter(|known| known.len().abs_diff(length) * 5 <= known.len().max(length) * 2)
        .take(MOST_COMPARED)
        .map(|known| (strsim::normalized_damerau_levenshtein(&word, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        // Of two that are as near, the first in the alphabet, so that a file always gets the same answer.
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, known)| known)
}

/// The question whether a near word was meant, or else the other advice.
pub(crate) fn meant(near: Option<&str>, or: &str) -> String {
    match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => or.to_owned(),
    }
}

/// Longest piece of the file that a message repeats, in characters.
const LONGEST_QUOTE: usize = 60;

/// A text of the file in quotes, cut where it is long, with control characters shown and not sent to a terminal.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

fn kind(raw: Raw<'_>) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn plain_text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|Text(text)| text)
}

/// Where a line and a column (in bytes, both from 1) of a syntax error are.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start = match line.checked_sub(2) {
        Some(n) => text.match_indices('\n').nth(n).map_or(text.len(), |(at, _)| at + 1),
        None => 0,
    };
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What a syntax error is, said to somebody who does not know the parser.
fn syntax(text: &str, at: usize, error: &serde_json::Error) -> String {
    let reason = reason(error);
    let here = text[at..].chars().next();
    let before = text[..at].trim_end().chars().next_back();
    match here {
        _ if text.trim().is_empty() => "the file is empty".to_owned(),
        _ if error.is_eof() => "the file ends too early: a bracket or a quotation mark is not closed".to_owned(),
        _ if reason.starts_with("control character") => {
            "a text goes on in the next line; close its quotation mark, or write \\n for a line break".to_owned()
        }
        Some('}' | ']') if before == Some(',') => {
            "a comma stands before a closing bracket; remove the comma".to_owned()
        }
        Some('/') => "a comment stands here, which JSON does not have; remove it".to_owned(),
        Some('“' | '”' | '„' | '\'') => "a wrong quotation mark stands here; write \"".to_owned(),
        _ if reason.starts_with("expected `,`") => "a comma or a closing bracket is missing before this".to_owned(),
        _ if reason.starts_with("expected `:`") => "a colon is missing before this".to_owned(),
        _ if reason.starts_with("trailing characters") => {
            "the file goes on after its end; remove what follows the last bracket, or put the brackets right".to_owned()
        }
        _ if reason.starts_with("key must be a string") => "a key in quotation marks is missing here".to_owned(),
        _ => format!("this is not JSON: {reason}"),
    }
}

/// The parser's words without its line and column.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}
