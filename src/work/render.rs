//! A reply as its channel can show it: buttons where there are any, numbers to write where there are none, and several
//! messages where one would be too long.

use crate::{
    channel::{Abilities, Button, Outgoing},
    conversation::{Offer, Reply, Say},
    order::Fulfilment,
    wording::{Speech, Text},
};

/// Renders a reply; `seq` names the message that its offers stand under. At least one message, the offers under the
/// last.
pub fn render(reply: &Reply, speech: &Speech<'_>, abilities: Abilities, seq: i64) -> Vec<Outgoing> {
    let mut lines: Vec<String> = reply.says.iter().map(|say| line(say, speech)).collect();
    let labels = reply.offers.iter().map(|offer| label(offer, speech));
    let mut buttons = Vec::new();
    if reply.offers.len() <= abilities.buttons {
        let button = |(place, label): (usize, String)| Button {
            label: shortened(&label, abilities.button_length),
            data: Offer::data(seq, place),
        };
        buttons = labels.enumerate().map(button).collect();
    } else {
        lines.extend(labels.enumerate().map(|(place, label)| format!("{}. {label}", place + 1)));
    }
    let mut messages: Vec<Outgoing> =
        pages(&lines, abilities.text_length).into_iter().map(|text| Outgoing { text, buttons: Vec::new() }).collect();
    if let Some(last) = messages.last_mut() {
        last.buttons = buttons;
    }
    messages
}

fn line(say: &Say, speech: &Speech<'_>) -> String {
    match say {
        Say::Text(text) => speech.say(text),
        Say::Shop(words) => words.clone(),
        Say::Gap => String::new(),
        Say::Heading(id) => {
            let category = speech.catalog.categories.iter().find(|category| category.id == *id);
            category.map_or(String::new(), |category| category.names.shown(speech.language).to_uppercase())
        }
        Say::Product(id) => product(id, speech),
    }
}

fn product(id: &crate::id::ProductId, speech: &Speech<'_>) -> String {
    let name = speech.product(id);
    let Some(product) = speech.catalog.product(id) else { return name };
    if !product.available {
        return format!("{name} – {}", speech.say(&Text::SoldOutMark {}));
    }
    // Where a choice has to be made and each costs something, the product's own price is no price to show.
    let dearer = speech.catalog.groups_of(product).filter(|group| group.must_be_asked()).filter_map(|group| {
        let prices = group.choices.iter().filter(|c| c.available).map(|c| c.price);
        prices.min_by_key(|price| price.in_minor()).filter(|price| !price.is_zero())
    });
    let mut price = product.price;
    let mut from = false;
    for least in dearer {
        price = price.plus(least).unwrap_or(price);
        from = true;
    }
    let price = if from { speech.say(&Text::FromPrice { price }) } else { speech.money(price) };
    format!("{name} – {price}")
}

/// The words on an offer's button, or behind its number; not yet shortened.
pub fn label(offer: &Offer, speech: &Speech<'_>) -> String {
    match offer {
        Offer::Yes => speech.say(&Text::ButtonYes {}),
        Offer::Right => speech.say(&Text::ButtonRight {}),
        Offer::Wrong => speech.say(&Text::ButtonWrong {}),
        Offer::Change => speech.say(&Text::ButtonChange {}),
        Offer::Fulfil(Fulfilment::Pickup) => speech.say(&Text::ButtonPickup {}),
        Offer::Fulfil(Fulfilment::Delivery) => speech.say(&Text::ButtonDelivery {}),
        Offer::Product(id) => speech.product(id),
        Offer::Choice(group, choice) => speech.option(group, choice),
        Offer::Name(name) => name.clone(),
        Offer::Category(id) => speech
            .catalog
            .categories
            .iter()
            .find(|category| category.id == *id)
            .map_or_else(|| id.to_string(), |category| category.names.shown(speech.language).to_owned()),
        Offer::Language(language) => speech.wording.own_name(*language),
        Offer::Menu => speech.say(&Text::ButtonMenu {}),
        Offer::Person => speech.say(&Text::ButtonPerson {}),
        Offer::Usual => speech.say(&Text::ButtonUsual {}),
    }
}

/// Lines as texts of at most `most` UTF-16 units, broken between lines, and within a line only where it is too long
/// by itself.
fn pages(lines: &[String], most: usize) -> Vec<String> {
    let mut pages = vec![String::new()];
    let mut used = 0;
    for line in lines {
        for piece in pieces(line, most) {
            let length = units(piece);
            let page = match pages.last_mut() {
                Some(page) if page.is_empty() || used + 1 + length <= most => page,
                Some(_) | None => {
                    pages.push(String::new());
                    used = 0;
                    match pages.last_mut() {
                        Some(page) => page,
                        None => continue,
                    }
                }
            };
            if !page.is_empty() {
                page.push('\n');
                used += 1;
            }
            page.push_str(piece);
            used += length;
        }
    }
    pages.into_iter().map(|page| page.trim().to_owned()).filter(|page| !page.is_empty()).collect()
}

/// A line in pieces of at most `most` UTF-16 units, cut inside a grapheme only where that alone is longer: a letter
/// under thousands of marks.
fn pieces(line: &str, most: usize) -> Vec<&str> {
    use unicode_segmentation::UnicodeSegmentation;
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0);
    let mut take = |at: usize, length: usize| {
        if used > 0 && used + length > most {
            pieces.push(&line[start..at]);
            (start, used) = (at, 0);
        }
        used += length;
    };
    for (at, grapheme) in line.grapheme_indices(true) {
        let length = units(grapheme);
        if length <= most {
            take(at, length);
        } else {
            grapheme.char_indices().for_each(|(within, c)| take(at + within, c.len_utf16()));
        }
    }
    pieces.push(&line[start..]);
    pieces
}

fn shortened(label: &str, most: usize) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    if units(label) <= most {
        return label.to_owned();
    }
    let mut short = String::new();
    for grapheme in label.graphemes(true) {
        if units(&short) + units(grapheme) + 1 > most {
            break;
        }
        short.push_str(grapheme);
    }
    short.push('…');
    short
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use unicode_segmentation::UnicodeSegmentation as _;

    use super::*;
    use crate::channel::ChannelKind;

    /// Letters, marks, families, flags, and signs that have no width or turn the direction; now and then a letter with
    /// so many marks that it may fill a message by itself.
    fn odd_line() -> impl Strategy<Value = String> {
        let signs = select(vec![
            "a",
            " ",
            "\n",
            "\r\n",
            "\u{e9}",
            "e\u{301}",
            "\u{301}",
            "日",
            "नि",
            "🍕",
            "👍\u{1f3fd}",
            "\u{1f1f3}\u{1f1f4}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
            "\u{200d}",
            "\u{200b}",
            "\u{202e}",
        ]);
        let marked = (1..60_usize).prop_map(|marks| format!("o{}", "\u{308}".repeat(marks)));
        vec(prop_oneof![9 => signs.prop_map(str::to_owned), 1 => marked], 0..120).prop_map(|parts| parts.concat())
    }

    #[test]
    fn long_texts_are_broken_between_lines_and_graphemes() {
        let lines: Vec<String> = (0..100).map(|n| format!("line {n} with a little text")).collect();
        let whole = lines.join("\n");
        let broken = pages(&lines, 200);
        assert!(broken.len() > 5 && broken.iter().all(|page| units(page) <= 200));
        assert_eq!(broken.join("\n"), whole, "nothing is lost");
        let family = "👨‍👩‍👧‍👦".repeat(50);
        for page in pages(&[family], 64) {
            assert!(units(&page) <= 64 && page.chars().count().is_multiple_of(7), "no family is torn apart");
        }
    }

    #[test]
    fn a_letter_that_no_message_holds_is_sent_in_several() {
        let most = ChannelKind::Telegram.abilities().text_length;
        let marked = format!("a{}", "\u{301}".repeat(2 * most));
        let shown = pages(&["before".to_owned(), marked.clone(), "after".to_owned()], most);
        assert!(shown.iter().all(|page| units(page) <= most), "a longer one would be refused, and never arrive");
        assert_eq!(shown.concat().replace('\n', ""), format!("before{marked}after"));
    }

    #[test]
    fn labels_are_shortened_with_a_sign() {
        assert_eq!(shortened("Quattro formaggi", 30), "Quattro formaggi");
        assert_eq!(shortened("Quattro formaggi", 8), "Quattro…");
    }

    proptest! {
        /// Whatever a line holds, its pieces fit, and no grapheme is torn that would have fitted.
        #[test]
        fn a_line_is_cut_between_graphemes_and_nothing_is_lost(line in odd_line(), most in 16..80_usize) {
            let cut = pieces(&line, most);
            prop_assert_eq!(cut.concat(), line.as_str());
            prop_assert!(cut.iter().all(|piece| units(piece) <= most));
            prop_assert!(line.is_empty() || cut.iter().all(|piece| !piece.is_empty()));
            let mut at = 0;
            for piece in cut {
                let mut graphemes = line.grapheme_indices(true);
                let torn = graphemes.find(|(from, whole)| (*from + 1..*from + whole.len()).contains(&at));
                prop_assert!(torn.is_none_or(|(_, whole)| units(whole) > most), "{:?} is torn", torn);
                at += piece.len();
            }
        }

        /// Whatever lines hold, each message fits and says something, and no letter of theirs is lost.
        #[test]
        fn no_message_is_too_long_or_empty(lines in vec(odd_line(), 0..12), most in 16..80_usize) {
            let shown = pages(&lines, most);
            prop_assert!(shown.iter().all(|page| !page.trim().is_empty() && units(page) <= most));
            let letters = |texts: &[String]| texts.concat().replace(char::is_whitespace, "");
            prop_assert_eq!(letters(&shown), letters(&lines));
        }

        /// However short a label has to be, it fits, and ends between graphemes.
        #[test]
        fn no_label_is_too_long(label in odd_line(), most in 1..40_usize) {
            let short = shortened(&label, most);
            prop_assert!(units(&short) <= most);
            if short != label {
                let kept = short.trim_end_matches('…');
                let ends_between = label.grapheme_indices(true).any(|(at, _)| at == kept.len());
                prop_assert!(label.starts_with(kept) && ends_between, "{:?} of {:?}", kept, label);
            }
        }
    }
}
