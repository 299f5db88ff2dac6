//! What a message is for, by the phrases of the lexicons. Where phrases overlap the longer is believed; where a message
//! holds several intents, what asks the shop to act outranks a question and a question outranks courtesy. A wish to get
//! no more offers is looked for in every language, whatever language the rest seems to be in, and comes first.

use super::{
    Expecting, Intent,
    lexicon::{Lexicons, Role, StemId},
    segment::{Segment, Word},
    text,
};

/// A phrase that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What it tells.
    pub intent: Intent,
    /// First token.
    pub from: usize,
    /// First token after it.
    pub to: usize,
    /// How many of its own words were found.
    pub words: usize,
}

/// What kind of thing an intent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Anything else.
    Nothing,
    /// A greeting or thanks.
    Courtesy,
    /// A question.
    Question,
    /// Something that the shop must do.
    Act,
}

/// Intents from the most to the least urgent; equals in class and words are told apart by it.
const ORDER: [Intent; 29] = [
    Intent::StopOffers,
    Intent::Human,
    Intent::MyData,
    Intent::CancelOrder,
    Intent::ChangeOrder,
    Intent::Refund,
    Intent::Complaint,
    Intent::Order,
    Intent::Checkout,
    Intent::Redeem,
    Intent::Join,
    Intent::StartOffers,
    Intent::ReferFriend,
    Intent::Language,
    Intent::Confirm,
    Intent::Decline,
    Intent::TrackOrder,
    Intent::PriceQuestion,
    Intent::DeliveryQuestion,
    Intent::PaymentQuestion,
    Intent::Hours,
    Intent::Offers,
    Intent::Points,
    Intent::Menu,
    Intent::ProductQuestion,
    Intent::Rating,
    Intent::Thanks,
    Intent::Greeting,
    Intent::Other,
];

/// The kind of an intent.
pub fn class(intent: Intent) -> Class {
    match intent {
        Intent::Order
        | Intent::Checkout
        | Intent::Confirm
        | Intent::Decline
        | Intent::ChangeOrder
        | Intent::CancelOrder
        | Intent::Complaint
        | Intent::Refund
        | Intent::Human
        | Intent::Redeem
        | Intent::Join
        | Intent::StopOffers
        | Intent::StartOffers
        | Intent::ReferFriend
        | Intent::MyData
        | Intent::Language => Class::Act,
        Intent::TrackOrder
        | Intent::Menu
        | Intent::ProductQuestion
        | Intent::PriceQuestion
        | Intent::DeliveryQuestion
        | Intent::PaymentQuestion
        | Intent::Hours
        | Intent::Points
        | Intent::Offers
        | Intent::Rating => Class::Question,
        Intent::Greeting | Intent::Thanks => Class::Courtesy,
        Intent::Other => Class::Nothing,
    }
}

/// The phrases found in a message, in the order of the text, none within another.
pub fn hits(words: &[Word], segments: &[Segment], language: usize, lexicons: &Lexicons) -> Vec<Hit> {
    let mut found = in_language(words, segments, language, lexicons, false);
    for other in (0..lexicons.all().len()).filter(|&other| other != language) {
        let opt_outs_only = !found.is_empty();
        for hit in in_language(words, segments, other, lexicons, opt_outs_only) {
            // A single word of another language is too weak, save for "unsubscribe" and its like.
            if hit.intent == Intent::StopOffers || (hit.words >= 2 && found.is_empty()) {
                found.push(hit);
            }
        }
    }
    found.sort_by_key(|hit| (std::cmp::Reverse(hit.words), urgency(hit.intent), hit.from));
    let mut kept: Vec<Hit> = Vec::new();
    for hit in found {
        let overlaps = |other: &Hit| hit.from < other.to && other.from < hit.to;
        // An opt-out stands even inside another phrase.
        let stands = hit.intent == Intent::StopOffers && !kept.iter().any(|k| k.intent == Intent::StopOffers);
        if stands || !kept.iter().any(overlaps) {
            kept.push(hit);
        }
    }
    kept.sort_by_key(|hit| hit.from);
    kept
}

/// The main intent of several with their chances, and the rest.
pub fn main_of(mut found: Vec<(Intent, f32)>, expecting: Option<Expecting>) -> (Intent, Vec<Intent>) {
    let class_now = |intent: Intent| match (intent, expecting) {
        (Intent::Rating, Some(Expecting::Rating)) => Class::Act,
        _ => class(intent),
    };
    let key = |intent: Intent| (intent != Intent::StopOffers, std::cmp::Reverse(class_now(intent)));
    found.sort_by(|&(a, likely), &(b, other)| {
        key(a).cmp(&key(b)).then(other.total_cmp(&likely)).then(urgency(a).cmp(&urgency(b)))
    });
    let mut also = Vec::new();
    for (intent, _) in &found {
        if !also.contains(intent) && *intent != Intent::Other {
            also.push(*intent);
        }
    }
    if also.is_empty() {
        return (Intent::Other, also);
    }
    let main = also.remove(0);
    (main, also)
}

fn urgency(intent: Intent) -> usize {
    ORDER.iter().position(|&other| other == intent).unwrap_or(ORDER.len())
}

fn in_language(
    words: &[Word],
    segments: &[Segment],
    language: usize,
    lexicons: &Lexicons,
    opt_outs_only: bool,
) -> Vec<Hit> {
    let lexicon = &lexicons.all()[language];
    let stems: Vec<StemId> = words
        .iter()
        .map(|word| match word.token.kind {
            text::Kind::Word | text::Kind::Number | text::Kind::Sign => word.sense.tongues[language].stem,
            _ => StemId::MARK,
        })
        .collect();
    let bits = stems.iter().fold(0, |bits, stem| bits | stem.bit());
    let mut found = Vec::new();
    for from in 0..stems.len() {
        for pattern in lexicon.patterns(stems[from]) {
            if !pattern.may_be_in(bits) || opt_outs_only && pattern.intent != Intent::StopOffers {
                continue;
            }
            let Some((reach, own)) = pattern.reach(&stems[from..]) else { continue };
            let to = from + reach;
            if pattern.alone && !is_alone(segments, from, to) {
                continue;
            }
            // Words within a product's name tell nothing of what the message is for.
            let in_name = segments.iter().any(|s| s.is_name() && !s.loose && s.from <= from && to <= s.to);
            if !in_name {
                found.push(Hit { intent: pattern.intent, from, to, words: own });
            }
        }
    }
    found
}

/// Whether nothing but courtesy stands outside of these tokens.
fn is_alone(segments: &[Segment], from: usize, to: usize) -> bool {
    segments.iter().all(|segment| {
        (segment.from >= from && segment.to <= to)
            || segment.mark.is_some()
            || segment.roles.any(&[Role::Polite, Role::Yes])
    })
}
