//! Reads any bytes as what is posted: as Telegram posts updates, or as the chat page posts messages. Checks what holds
//! for every arrival that comes of it. The first byte chooses the door; the rest is the body. `fuzz/run` starts it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use theusual::{
    channel::{
        Arrival, Content, LONGEST_TEXT, Peer, again,
        telegram::hook::{self, Posted},
        web,
    },
    id::MerchantId,
    moment::Moment,
};

const AT: Moment = Moment(1_700_000_000_000);

/// Longest name that an arrival has, in characters: Telegram's two of 64 each, and a blank.
const LONGEST_NAME: usize = 129;

/// Longest word that a link to the bot carries, and longest data of a page's button, in bytes.
const LONGEST_WORD: usize = 64;

fuzz_target!(|data: &[u8]| {
    let [door, body @ ..] = data else { return };
    let merchant: MerchantId = "pizzeria".parse().expect("an id");
    if door % 2 == 0 {
        update(&merchant, body);
    } else {
        page(&merchant, body);
    }
});

fn update(merchant: &MerchantId, body: &[u8]) {
    let parsed = match hook::read(merchant, AT, body) {
        Posted::Update(parsed) => parsed,
        Posted::TooLong => return assert!(body.len() > hook::LONGEST_BODY),
        Posted::Unreadable(_) => return,
    };
    let Some(arrival) = &parsed.arrival else { return };
    assert_eq!(arrival.foreign_id, format!("u{}", parsed.update_id));
    assert!(arrival.peer.as_str().parse::<i64>().is_ok(), "an answer has somewhere to go");
    if let Some(name) = &arrival.name {
        assert!(!name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(char::is_control));
    }
    match &arrival.content {
        Content::Text(text) | Content::TooLong(text) | Content::Press(text) => assert!(!text.contains('\0')),
        Content::Opened(Some(word)) => assert!((1..=LONGEST_WORD).contains(&word.len()) && word.is_ascii()),
        Content::Opened(None) | Content::Medium(_) | Content::Left | Content::Back | Content::Ignored(_) => {}
    }
    held(arrival);
}

fn page(merchant: &MerchantId, body: &[u8]) {
    let peer = Peer::new("visitor").expect("a peer");
    let Ok(arrival) = web::arrival(merchant.clone(), peer, None, body, AT) else { return };
    assert!(arrival.foreign_id.starts_with("visitor:"), "nobody's message is taken for another's");
    match &arrival.content {
        Content::Press(data) => assert!((1..=LONGEST_WORD).contains(&data.len())),
        Content::Text(_) | Content::Opened(None) => {}
        other => panic!("a page posts no {other:?}"),
    }
    held(&arrival);
}

/// What holds at either door: a text is trimmed and of a length that is read, and an arrival whose turn failed is the
/// same when it is taken in again from the bytes that were kept of it.
fn held(arrival: &Arrival) {
    let length = |text: &String| text.chars().count();
    match &arrival.content {
        Content::Text(text) => assert!((1..=LONGEST_TEXT).contains(&length(text)) && text.trim() == text),
        Content::TooLong(text) => assert_eq!(length(text), LONGEST_TEXT),
        Content::Press(_) | Content::Opened(_) | Content::Medium(_) => {}
        Content::Left | Content::Back | Content::Ignored(_) => {}
    }
    let kept = again(&arrival.merchant, arrival.channel, arrival.peer.clone(), &arrival.raw, AT);
    let kept = kept.expect("what was read is read again");
    assert_eq!((&kept.foreign_id, &kept.peer), (&arrival.foreign_id, &arrival.peer));
    assert_eq!((&kept.content, &kept.name), (&arrival.content, &arrival.name));
}
