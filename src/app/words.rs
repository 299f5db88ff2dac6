//! The few fixed words of the chat page. What the shop says comes from the shop's own texts; these stand around it.

use axum::http::{HeaderMap, header};

use crate::language::Language;

/// The fixed words in one language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// The language's tag.
    pub tag: &'static str,
    /// In the empty field, and its label.
    pub write: &'static str,
    /// On the button.
    pub send: &'static str,
    /// Below a message that is on its way.
    pub sending: &'static str,
    /// Below a message that did not get through yet.
    pub again: &'static str,
    /// Below a message that never will.
    pub refused: &'static str,
    /// Who wrote the customer's own messages, read aloud only.
    pub you: &'static str,
    /// The log's label, read aloud only.
    pub messages: &'static str,
    /// While an answer is outstanding, read aloud only.
    pub typing: &'static str,
    /// Leads to the latest message from further up.
    pub latest: &'static str,
    /// While the connection is gone.
    pub offline: &'static str,
    /// For a browser that runs no scripts.
    pub no_script: &'static str,
}

const ALL: [Words; 6] = [
    Words {
        tag: "en",
        write: "Write a message",
        send: "Send",
        sending: "sending…",
        again: "not sent, trying again",
        refused: "not sent",
        you: "You",
        messages: "Messages",
        typing: "An answer is being written",
        latest: "Latest message",
        offline: "No connection. Trying again…",
        no_script: "This chat needs JavaScript. Please turn it on, or call the shop.",
    },
    Words {
        tag: "af",
        write: "Skryf 'n boodskap",
        send: "Stuur",
        sending: "besig om te stuur…",
        again: "nie gestuur nie, probeer weer",
        refused: "nie gestuur nie",
        you: "Jy",
        messages: "Boodskappe",
        typing: "'n Antwoord word geskryf",
        latest: "Jongste boodskap",
        offline: "Geen verbinding nie. Probeer weer…",
        no_script: "Hierdie geselsie benodig JavaScript. Skakel dit asseblief aan, of bel die winkel.",
    },
    Words {
        tag: "nb",
        write: "Skriv en melding",
        send: "Send",
        sending: "sender…",
        again: "ikke sendt, prøver igjen",
        refused: "ikke sendt",
        you: "Du",
        messages: "Meldinger",
        typing: "Et svar blir skrevet",
        latest: "Siste melding",
        offline: "Ingen forbindelse. Prøver igjen…",
        no_script: "Denne chatten trenger JavaScript. Slå det på, eller ring butikken.",
    },
    Words {
        tag: "ru",
        write: "Напишите сообщение",
        send: "Отправить",
        sending: "отправляется…",
        again: "не отправлено, пробуем ещё раз",
        refused: "не отправлено",
        you: "Вы",
        messages: "Сообщения",
        typing: "Вам пишут ответ",
        latest: "Последнее сообщение",
        offline: "Нет связи. Пробуем ещё раз…",
        no_script: "Для этого чата нужен JavaScript. Включите его или позвоните в магазин.",
    },
    Words {
        tag: "id",
        write: "Tulis pesan",
        send: "Kirim",
        sending: "mengirim…",
        again: "belum terkirim, mencoba lagi",
        refused: "tidak terkirim",
        you: "Anda",
        messages: "Pesan",
        typing: "Balasan sedang ditulis",
        latest: "Pesan terbaru",
        offline: "Tidak ada koneksi. Mencoba lagi…",
        no_script: "Obrolan ini memerlukan JavaScript. Silakan aktifkan, atau telepon tokonya.",
    },
    Words {
        tag: "ro",
        write: "Scrie un mesaj",
        send: "Trimite",
        sending: "se trimite…",
        again: "netrimis, încercăm din nou",
        refused: "netrimis",
        you: "Tu",
        messages: "Mesaje",
        typing: "Se scrie un răspuns",
        latest: "Ultimul mesaj",
        offline: "Fără conexiune. Încercăm din nou…",
        no_script: "Acest chat are nevoie de JavaScript. Activează-l sau sună la magazin.",
    },
];

/// The language that a browser asks for first, of those that the page's words are in; else what is asked for first.
pub(super) fn language(headers: &HeaderMap) -> Option<Language> {
    let asked = asked(headers);
    asked.iter().find(|language| words_in(**language).is_some()).or(asked.first()).copied()
}

/// The words in a language, else in English.
pub(super) fn words(language: Option<Language>) -> &'static Words {
    language.and_then(words_in).unwrap_or(&ALL[0])
}

fn words_in(language: Language) -> Option<&'static Words> {
    ALL.iter().find(|words| words.tag == language.base().tag())
}

/// The languages of `Accept-Language` (RFC 9110, 12.5.4), the most wanted first.
fn asked(headers: &HeaderMap) -> Vec<Language> {
    let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut all: Vec<(f32, Language)> = text
        .split(',')
        .filter_map(|item| {
            let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let weight = weight.trim().strip_prefix("q=")?.parse().ok()?;
            Some((weight, tag.parse().ok()?))
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    // Stable: of equally wanted ones the first named comes first.
    all.sort_by(|one, other| other.0.total_cmp(&one.0));
    all.into_iter().map(|(_, language)| language).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_language_is_spoken() {
        for (asked, tag, words_tag) in [
            ("nb-NO,nb;q=0.9,en;q=0.8", "nb-no", "nb"),
            ("de, ru;q=0.5, en;q=0.4", "ru", "ru"),
            ("en;q=0.1,ro", "ro", "ro"),
            ("no", "no", "nb"),
            ("fr-CH, *;q=0.5", "fr-ch", "en"),
        ] {
            let headers = [(header::ACCEPT_LANGUAGE, asked.parse().unwrap())].into_iter().collect();
            let language = language(&headers);
            assert_eq!(language.unwrap().tag(), tag, "{asked}");
            assert_eq!(words(language).tag, words_tag, "{asked}");
        }
        assert_eq!(words(language(&HeaderMap::new())).tag, "en");
    }

    #[test]
    fn every_language_has_every_word() {
        for words in &ALL {
            let Words { tag, write, send, sending, again, refused, you, messages, typing, latest, offline, no_script } =
                words;
            let all = [tag, write, send, sending, again, refused, you, messages, typing, latest, offline, no_script];
            assert!(all.iter().all(|word| !word.is_empty()), "{tag}");
        }
    }
}
