//! A message cut into tokens: words, numbers, marks and emoji, each with its place in the original text, folded so
//! that spelling does not matter (compatibility forms, case, diacritics, apostrophes). Catalogue names, lexicons and
//! messages all pass through here, so whatever is lost is lost on both sides.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Most tokens of a message that are read, the rest being left aside. A long order has about fifty; the limit keeps
/// the time of a hostile text short.
pub const MOST_TOKENS: usize = 600;

/// Longest token kept, in characters; a longer run of letters is no word of any language here.
pub const LONGEST_TOKEN: usize = 40;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters.
    Word,
    /// Digits, perhaps with one decimal part or as a time of day.
    Number,
    /// A comma or a colon.
    Comma,
    /// The end of a sentence: full stop, exclamation mark, semicolon, line break.
    Stop,
    /// A question mark.
    Question,
    /// Three dots.
    Dots,
    /// An emoji or another sign.
    Sign,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Folded.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// First byte in the original text.
    pub from: usize,
    /// First byte after it.
    pub to: usize,
}

/// Cuts a text into at most [`MOST_TOKENS`] tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((from, first)) = chars.next() {
        if found.len() == MOST_TOKENS {
            break;
        }
        if is_silent(first) || (first.is_whitespace() && first != '\n') {
            continue;
        }
        let mut to = from + first.len_utf8();
        let kind = kind_of(first);
        match kind {
            Kind::Word => {
                while let Some(&(at, next)) = chars.peek() {
                    let within = is_letter(next)
                        || is_silent(next)
                        || is_combining_mark(next)
                        || (is_apostrophe(next) && letter_follows(text, at + next.len_utf8()));
                    if !within {
                        break;
                    }
                    to = at + next.len_utf8();
                    chars.next();
                }
            }
            Kind::Number => {
                let mut has_part = false;
                while let Some(&(at, next)) = chars.peek() {
                    let point = !has_part
                        && matches!(next, '.' | ',' | ':')
                        && text[at + 1..].starts_with(|c: char| c.is_ascii_digit())
                        && !text[from..at].contains(['.', ',', ':']);
                    if !(next.is_numeric() || is_silent(next) || point) {
                        break;
                    }
                    has_part |= point;
                    to = at + next.len_utf8();
                    chars.next();
                }
            }
            Kind::Stop if first == '.' => {
                let mut dots = 1;
                while chars.peek().is_some_and(|&(_, c)| c == '.') {
                    chars.next();
                    to += 1;
                    dots += 1;
                }
                if dots > 1 {
                    found.push(Token { text: "...".into(), kind: Kind::Dots, from, to });
                    continue;
                }
            }
            _ => {}
        }
        let raw = &text[from..to];
        // What stands in brackets belongs to what is before them.
        if raw == "(" || raw == "-" || raw == "–" || raw == "—" || raw == "/" || raw == "_" || is_apostrophe(first)
        {
            continue;
        }
        let text = match kind {
            // "1,5" and "1.5" are one number.
            Kind::Number => fold(raw).replace(',', "."),
            Kind::Word => fold(raw),
            Kind::Comma => ",".into(),
            Kind::Stop => ".".into(),
            Kind::Question => "?".into(),
            Kind::Dots => "...".into(),
            Kind::Sign => first.to_string(),
        };
        if !text.is_empty() {
            found.push(Token { text, kind, from, to });
        }
    }
    found
}

/// The tokens of a text without the numbers that merely count a list's entries: "1) pizza 2) tea", "1. soup".
pub fn without_enumeration(text: &str, mut tokens: Vec<Token>) -> Vec<Token> {
    let mut entries = Vec::new();
    // "two (2) pizzas, one (1) cola": a number in brackets behind a word says it once more.
    let mut echoes = false;
    for (at, token) in tokens.iter().enumerate() {
        let begins = at == 0 || matches!(tokens[at - 1].kind, Kind::Stop | Kind::Comma | Kind::Question | Kind::Sign);
        let bracketed = text[..token.from].ends_with('(');
        if entries.is_empty() && bracketed {
            echoes = at > 0 && matches!(tokens[at - 1].kind, Kind::Word | Kind::Number);
        }
        let closed = !(echoes && bracketed) && text[token.to..].starts_with(')')
            || begins && text[token.to..].starts_with('.') && text[token.to + 1..].starts_with([' ', '\u{a0}']);
        if token.kind == Kind::Number && closed && token.text == (entries.len() + 1).to_string() {
            entries.push(at);
        }
    }
    // A lone "1)" may as well be a quantity.
    if entries.len() < 2 {
        return tokens;
    }
    for &at in &entries {
        tokens[at].kind = Kind::Stop;
        tokens[at].text = ".".into();
    }
    tokens
}

/// The folded words of a name or phrase: what its tokens say, without marks.
pub fn words(text: &str) -> Vec<String> {
    tokens(text)
        .into_iter()
        .filter(|t| matches!(t.kind, Kind::Word | Kind::Number | Kind::Sign))
        .map(|t| t.text)
        .collect()
}

/// Compatibility forms, lower case, no diacritics save й (which Russian endings need), no apostrophes.
pub fn fold(text: &str) -> String {
    fold_plain(text).unwrap_or_else(|| fold_any(text))
}

/// The same for a text of nothing but letters and digits of which each folds by itself, as nearly all do. A mark that
/// would change the letter before it is none of these.
fn fold_plain(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST_TOKEN {
            return None;
        }
        let folded = match c {
            'a'..='z' | '0'..='9' | '.' | ',' | ':' | 'а'..='я' => c,
            'A'..='Z' => c.to_ascii_lowercase(),
            'А'..='Я' => char::from_u32(c as u32 + ('а' as u32 - 'А' as u32))?,
            'ё' | 'Ё' => 'е',
            'å' | 'Å' | 'ă' | 'Ă' | 'â' | 'Â' | 'ä' | 'Ä' | 'á' | 'à' => 'a',
            'ø' | 'Ø' | 'ö' | 'Ö' | 'ô' | 'ó' => 'o',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'Î' | 'ï' | 'í' => 'i',
            'û' | 'ü' | 'ú' => 'u',
            'ș' | 'Ș' | 'ş' | 'Ş' => 's',
            'ț' | 'Ț' | 'ţ' | 'Ţ' => 't',
            'æ' | 'Æ' => {
                out.push('a');
                'e'
            }
            _ => return None,
        };
        out.push(folded);
    }
    (out.chars().count() <= LONGEST_TOKEN).then_some(out)
}

fn fold_any(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase).take(LONGEST_TOKEN * 4) {
        match c {
            'й' => out.push('й'),
            'ø' => out.push('o'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ß' => out.push_str("ss"),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            'ı' => out.push('i'),
            c if is_apostrophe(c) || is_silent(c) => {}
            c => out.extend(c.nfd().filter(|&m| !is_combining_mark(m))),
        }
    }
    match out.char_indices().nth(LONGEST_TOKEN) {
        Some((at, _)) => out[..at].to_owned(),
        None => out,
    }
}

/// Whether the token can carry meaning by itself.
pub fn is_word(token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Number)
}

/// Whether the letter is Cyrillic.
pub fn is_cyrillic(c: char) -> bool {
    ('\u{400}'..='\u{4ff}').contains(&c)
}

fn kind_of(c: char) -> Kind {
    match c {
        '\n' | '.' | '!' | ';' | '…' | '。' | '！' => {
            if c == '…' {
                Kind::Dots
            } else {
                Kind::Stop
            }
        }
        '?' | '？' => Kind::Question,
        ',' | ':' | '，' | '(' | ')' => Kind::Comma,
        c if is_letter(c) => Kind::Word,
        c if c.is_numeric() => Kind::Number,
        _ => Kind::Sign,
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || ('\u{400}'..'\u{480}').contains(&c) || c.is_alphabetic()
}

fn letter_follows(text: &str, at: usize) -> bool {
    text[at..].starts_with(char::is_alphabetic)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '"' | '“' | '”' | '„' | '«' | '»')
}

/// Characters that show nothing: joiners, direction marks, variation selectors, controls, skin tones.
fn is_silent(c: char) -> bool {
    // Neither letters of Western Europe nor of Russia are.
    if ('\u{ae}'..'\u{300}').contains(&c) || ('\u{400}'..'\u{480}').contains(&c) || c.is_ascii_graphic() {
        return false;
    }
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
        || (c.is_control() && c != '\n')
        || is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glued_numbers_and_diacritics_come_apart() {
        assert_eq!(words("2x Måltid, 7up"), ["2", "x", "maltid", "7", "up"]);
        assert_eq!(words("I’d like Ｌａｒｇｅ fără măsline"), ["id", "like", "large", "fara", "masline"]);
        assert_eq!(words("большой чай, ещё"), ["большой", "чай", "еще"]);
        assert_eq!(words("7.5 fl oz 1-liter"), ["7.5", "fl", "oz", "1", "liter"]);
    }

    #[test]
    fn the_short_way_folds_as_the_long_one() {
        let all = ('\0'..='\u{2fff}').filter_map(|c| fold_plain(&c.to_string()).map(|folded| (c, folded)));
        let mut folded = 0;
        for (c, plain) in all {
            assert_eq!(plain, fold_any(&c.to_string()), "{c}");
            folded += 1;
        }
        assert!(folded > 150);
        for text in ["Crème Brûlée", "ÆØÅ", "Йод и Ёлка", "Ștergător de Țeavă", &"æ".repeat(39), &"a".repeat(90)]
        {
            assert_eq!(fold(text), fold_any(text), "{text}");
        }
    }

    #[test]
    fn places_point_into_the_original() {
        let text = "two  Crème\u{301}s…";
        let found = tokens(text);
        assert_eq!(&text[found[1].from..found[1].to], "Crème\u{301}s");
        assert_eq!(found[2].kind, Kind::Dots);
    }

    #[test]
    fn endless_texts_end() {
        assert_eq!(tokens(&"a ".repeat(5_000)).len(), MOST_TOKENS);
        assert!(fold(&"a\u{301}".repeat(5_000)).chars().count() <= LONGEST_TOKEN);
    }
}
