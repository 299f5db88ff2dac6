//! What must hold, whatever happens. Each check looks at what was shown and done, as a customer or the shop sees it, and
//! not at how the program came to it. What has to be remembered of a conversation lies with its row, so that it is
//! undone with it.

use theusual::{
    calendar::{Hours, Period},
    cart::{Cart, Line, Pick},
    catalog::{Catalog, ZoneMatch},
    conversation::{
        self, Ask, Effect, Facts, Input, Offer, READBACK_LIFE, Reply, SURE, Say, Stage, State, Step, Words,
    },
    customer::Customer,
    desk::Desk,
    faq::Faq,
    id::{ConversationId, CustomerId, OrderId},
    language::Language,
    moment::Moment,
    money::{MOST_MINOR, Money},
    order::{Fulfilment, Move, Order, Status},
    understanding::{Intent, Reading},
    wording::{DayTime, Text},
};

use super::{
    rows::{Message, Talk},
    turn::Tally,
};

/// How often a question may be put.
const MOST_ASKED: u8 = 2;

/// What the checks remember of a conversation.
#[derive(Clone, Default)]
pub struct Shadow {
    /// How often each question was put since an order was begun, and which.
    asked: Vec<(Ask, u8)>,
    /// Doubts in a row.
    doubts: u8,
    /// The order as it was read back last, while it may be said yes to.
    shown: Option<Shown>,
}

/// A read-back as the customer saw it.
#[derive(Clone, Default)]
struct Shown {
    seq: i64,
    at: i64,
    lines: Vec<(Line, Money)>,
    fee: Option<Money>,
    total: Option<Money>,
    fulfilment: Option<Fulfilment>,
    name: String,
    address: Option<String>,
    note: Option<String>,
    opening: Option<Moment>,
}

/// What was so before a step.
pub struct Before<'a> {
    pub state: &'a State,
    pub desk: &'a Desk,
    pub input: &'a Input<'a>,
    pub now: Moment,
    pub seq: i64,
    pub catalog: &'a Catalog,
    /// The number that the shop's next order has to get.
    pub shop_number: i64,
}

impl Shadow {
    /// A person was here, or was sent away: questions are counted anew.
    pub fn afresh(&mut self) {
        self.asked.clear();
    }
}

/// Checks a step, and remembers what it showed.
pub fn step(before: &Before<'_>, step: &Step, shadow: &mut Shadow, messages: &[Message], tally: &mut Tally) {
    silence(before, step);
    desk(before, step);
    unsure(before, step);
    let mut placed = None;
    let mut effects = 0;
    for effect in &step.effects {
        match effect {
            Effect::Place(order, readback) => {
                effects += 1;
                place(before, order, *readback, shadow, messages);
                placed = Some(order);
            }
            Effect::Move(order) => {
                effects += 1;
                assert_eq!(order.status, Status::Cancelled, "a customer's move is a cancellation");
            }
            Effect::Remember(_) | Effect::Speak(_) | Effect::Offers(_) => {}
        }
    }
    assert!(effects <= 1, "one arrival has one effect: {:?}", step.effects);
    let told = step.reply.iter().flat_map(|reply| &reply.says).find_map(|say| match say {
        Say::Text(Text::Placed { number, total, .. } | Text::PlacedClosed { number, total, .. }) => {
            Some((*number, *total))
        }
        _ => None,
    });
    assert_eq!(told, placed.map(|order| (order.number, order.total)), "what is told as placed is, and only that");
    assert!(placed.is_none() || step.state.stage == Stage::Idle, "what is placed is not being ordered any more");
    if let Some(reply) = &step.reply {
        let says = reply.says.iter().any(|say| !matches!(say, Say::Gap));
        assert!(says, "a reply says something: {reply:?}");
        if !reply.offers.is_empty() {
            assert_eq!((step.state.offered.seq, &step.state.offered.offers), (before.seq, &reply.offers));
        }
    }
    questions(before, step, shadow, tally);
    remember(before, step, shadow, tally);
    ends(before, step);
}

/// Whether a reply says what a yes would do.
fn asks_for_a_yes(reply: &Reply) -> bool {
    says(reply, &Text::ReadbackAsk {}) || says(reply, &Text::PauseReadback {})
}

/// Checks an order that is placed: against what the customer was shown, against the catalogue, against arithmetic.
fn place(before: &Before<'_>, order: &Order, readback: i64, shadow: &mut Shadow, messages: &[Message]) {
    let shown = shadow.shown.take().expect("an order is placed only by a yes to a read-back that stands");
    assert!(before.desk.bot_answers(), "nobody places an order under a person's hands");
    // The yes.
    let offered = &before.state.offered;
    match before.input {
        Input::Pressed(press) => {
            let press = press.expect("a button of ours");
            assert_eq!(
                (press.seq, offered.offers.get(press.place)),
                (readback, Some(&Offer::Yes)),
                "the button that was shown"
            );
        }
        Input::Words(words) => {
            let number: Option<usize> = words.text.trim().trim_end_matches(['.', '!']).parse().ok();
            let picked = number.and_then(|number| offered.offers.get(number.wrapping_sub(1)));
            if picked != Some(&Offer::Yes) {
                let reading = words.reading;
                assert_eq!(reading.intent, Intent::Confirm, "a yes");
                assert_eq!(reading.cart, before.state.cart(), "and nothing else");
                assert!(reading.wishes.is_empty() && reading.address.is_none(), "and nothing else: {reading:?}");
                assert!(before.state.guess.is_none(), "a yes to a guess is none to the order");
            }
        }
        other => panic!("{other:?} is no yes"),
    }
    let asked = messages.get(usize::try_from(readback).unwrap() - 1).and_then(|message| message.reply.as_ref());
    let asked = asked.expect("the read-back is on record");
    assert!(asked.offers.contains(&Offer::Yes) && asks_for_a_yes(asked), "{asked:?} asks for a yes");
    assert!(readback >= shown.seq, "the yes is to {readback}, and {} was shown since", shown.seq);
    assert!(before.now.0 - shown.at <= READBACK_LIFE.0, "a read-back is too old for a yes");
    // What was shown.
    let lines: Vec<(Line, Money)> = order.cart.lines.iter().cloned().zip(order.line_totals.iter().copied()).collect();
    assert_eq!(order.cart.lines.len(), order.line_totals.len());
    assert_eq!(lines, shown.lines, "what was shown is placed");
    assert_eq!(Some(order.total), shown.total, "at the total that was shown");
    assert_eq!(Some(order.fulfilment), shown.fulfilment);
    assert_eq!((&order.name, &order.address), (&shown.name, &shown.address));
    assert_eq!(order.fee.in_minor(), shown.fee.map_or(0, |fee| fee.in_minor()), "at the fee that was shown");
    assert_eq!(order.note.is_some(), shown.note.is_some());
    // What the shop can make, deliver and count.
    let zero = before.catalog.currency.zero();
    let goods = order.line_totals.iter().fold(zero, |sum, line| sum.plus(*line).unwrap());
    assert_eq!(goods.plus(order.fee).unwrap(), order.total, "the total is the sum");
    let amounts = order.line_totals.iter().chain([&order.fee, &order.total]);
    assert!(amounts.clone().all(|amount| (0..=MOST_MINOR).contains(&amount.in_minor())), "{amounts:?}");
    for line in &order.cart.lines {
        let product = before.catalog.product(line.product.settled().expect("a product")).expect("one of the shop's");
        assert!(product.available && line.quantity > 0, "{line:?}");
    }
    let open = before.catalog.hours.as_ref().is_none_or(|hours| is_open(hours, before.now));
    let opening = before.catalog.hours.as_ref().and_then(|hours| hours.next_opening(before.now)).filter(|_| !open);
    assert_eq!(order.not_before, opening, "it waits for the opening");
    assert!(opening.is_none() || opening == shown.opening, "for the opening that was shown");
    match order.fulfilment {
        Fulfilment::Pickup => assert!(order.address.is_none() && order.fee.is_zero()),
        Fulfilment::Delivery => {
            let address = order.address.as_deref().expect("somewhere to go");
            let ZoneMatch::Zone(zone) = before.catalog.zone_for(address) else { panic!("{address} is in no zone") };
            assert_eq!(order.zone.as_ref(), Some(&zone.id));
            assert!(goods.short_of(zone.minimum).is_none(), "below the minimum");
            let free = zone.free_from.is_some_and(|from| goods.short_of(from).is_none());
            assert_eq!(order.fee, if free { zero } else { zone.fee });
        }
    }
    assert_eq!((order.number, order.version, order.status), (before.shop_number, 1, Status::Placed));
}

/// Whether a shop is open by what its wall clock shows and the hours on its door say.
fn is_open(hours: &Hours, now: Moment) -> bool {
    const DAY: u32 = 24 * 60;
    let (local, today) = (hours.local(now), hours.day_of(now));
    let minute = u32::from(local.hour) * 60 + u32::from(local.minute);
    let within = |period: &Period, minute: u32| {
        let (opens, closes) = (u32::from(period.opens()), u32::from(period.closes()));
        let closes = if closes > opens { closes } else { closes + DAY };
        (opens..closes).contains(&minute)
    };
    let yesterday = today.yesterday().unwrap();
    hours.periods_on(today).iter().any(|period| within(period, minute))
        || hours.periods_on(yesterday).iter().any(|period| within(period, minute + DAY))
}

/// Checks a move of an order.
pub fn moved(old: &Order, new: &Order, a_move: &Move) {
    use Status::{Accepted, Cancelled, Declined, Delivered, OutForDelivery, Placed, Ready};
    let edges = [
        (Placed, Accepted),
        (Placed, Declined),
        (Placed, Cancelled),
        (Accepted, Declined),
        (Accepted, Ready),
        (Accepted, OutForDelivery),
        (Ready, OutForDelivery),
        (Ready, Delivered),
        (OutForDelivery, Delivered),
    ];
    assert!(edges.contains(&(old.status, new.status)), "{:?} to {:?} by {a_move:?}", old.status, new.status);
    assert!(new.status != OutForDelivery || new.fulfilment == Fulfilment::Delivery);
    assert_eq!(new.version, old.version + 1);
    assert!(new.status != Declined || new.reason.as_ref().is_some_and(|reason| !reason.is_empty()));
    assert!(new.status != Accepted || new.due.is_some());
    let same = Order {
        status: old.status,
        version: old.version,
        due: old.due,
        reason: old.reason.clone(),
        moved_at: old.moved_at,
        ..new.clone()
    };
    assert_eq!(same, *old, "a move changes nothing else");
}

/// Checks that what is saved is what will be loaded.
pub fn saved(talk: &Talk) {
    if let Some(state) = &talk.state {
        let text = serde_json::to_string(state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), *state, "{text}");
    }
    let text = serde_json::to_string(&talk.desk).unwrap();
    assert_eq!(serde_json::from_str::<Desk>(&text).unwrap(), talk.desk, "{text}");
}

/// While a person has the conversation, the bot is silent, but for news of orders and what the person does.
fn silence(before: &Before<'_>, step: &Step) {
    if before.desk.bot_answers() {
        return;
    }
    match before.input {
        Input::Words(_) | Input::Pressed(_) | Input::Opened | Input::Wordless(_) | Input::TooLong => {
            assert!(step.reply.is_none() && step.effects.is_empty(), "the bot talks into a person's conversation");
            assert!(step.state == *before.state && step.desk == *before.desk, "and changes nothing in it");
        }
        Input::OrderMoved(_) | Input::Corrected(_) | Input::TakenOver(_) | Input::HandedBack(_) | Input::Forgotten => {}
    }
}

/// The desk goes from hand to hand as it may.
fn desk(before: &Before<'_>, step: &Step) {
    match (before.desk, &step.desk) {
        (_, Desk::Staff { .. }) if matches!(before.input, Input::TakenOver(_)) => {}
        (Desk::Staff { .. }, Desk::Bot) if matches!(before.input, Input::HandedBack(_)) => {}
        (Desk::Bot, Desk::Waiting { since, .. }) => assert_eq!(*since, before.now),
        (old, new) => assert_eq!(old, new, "nobody gave it away"),
    }
}

/// What was probably not understood changes no cart before a yes.
fn unsure(before: &Before<'_>, step: &Step) {
    let Input::Words(Words { reading, .. }) = before.input else { return };
    let answers = before.state.guess.is_some() || !before.state.offered.offers.is_empty();
    let many = |line: &Line| matches!(&line.product, Pick::OneOf(ids) if ids.len() > 2);
    if reading.confidence >= SURE
        || answers
        || reading.cart == before.state.cart()
        || reading.intent == Intent::CancelOrder
        || reading.cart.lines.iter().any(many)
    {
        return;
    }
    assert_ne!(step.state.cart(), reading.cart, "a guess is taken for granted");
}

/// No question is put a third time.
fn questions(before: &Before<'_>, step: &Step, shadow: &mut Shadow, tally: &mut Tally) {
    if let Input::Corrected(_) | Input::HandedBack(_) = before.input {
        shadow.afresh();
    }
    let Some(reply) = &step.reply else { return };
    // Whoever presses "change" again is answered the same again.
    let change = reply.offers.is_empty() && reply.says == [Say::Text(Text::AskAnything {})];
    if let (Stage::Filling { ask, .. }, true) = (&step.state.stage, reply.says.iter().any(is_question) && !change) {
        tally.asked += 1;
        match shadow.asked.iter_mut().find(|(old, _)| old == ask) {
            Some((_, times)) => *times += 1,
            None => shadow.asked.push((ask.clone(), 1)),
        }
        let times = shadow.asked.iter().find(|(old, _)| old == ask).map_or(0, |(_, times)| *times);
        assert!(times <= MOST_ASKED, "{ask:?} is asked the {times}. time: {reply:?}");
    }
    shadow.doubts = if reply.says.iter().any(is_doubt) { shadow.doubts + 1 } else { 0 };
    assert!(shadow.doubts <= MOST_ASKED, "a guess is asked the {}. time in a row: {reply:?}", shadow.doubts);
    match &step.state.stage {
        Stage::Filling { .. } => {}
        Stage::Idle | Stage::Confirming { .. } => shadow.afresh(),
    }
}

fn is_question(say: &Say) -> bool {
    let Say::Text(text) = say else { return false };
    matches!(
        text,
        Text::AskWhich {}
            | Text::AskWhichOption { .. }
            | Text::AskOption { .. }
            | Text::AskOtherHalf { .. }
            | Text::AskFulfilment {}
            | Text::AskAddress {}
            | Text::AskPostcode {}
            | Text::AskName {}
            | Text::AskAnything {}
    )
}

fn is_guess(say: &Say) -> bool {
    is_doubt(say) || matches!(say, Say::Text(Text::NearAskOne {} | Text::NearAskSeveral {}))
}

fn is_doubt(say: &Say) -> bool {
    matches!(say, Say::Text(Text::Doubt { .. } | Text::DoubtCart { .. } | Text::DoubtEmpty {}))
}

/// Remembers what was read back.
fn remember(before: &Before<'_>, step: &Step, shadow: &mut Shadow, tally: &mut Tally) {
    if let Some(reply) = step.reply.as_ref().filter(|reply| says(reply, &Text::ReadbackHead {})) {
        tally.shown += 1;
        let mut shown = Shown { seq: before.seq, at: before.now.0, ..Shown::default() };
        let from = reply.says.iter().position(|say| *say == Say::Text(Text::ReadbackHead {})).unwrap_or(0);
        for say in &reply.says[from..] {
            let Say::Text(text) = say else { continue };
            match text {
                Text::LineSum { line, sum } => shown.lines.push((line.clone(), *sum)),
                Text::SumDelivery { sum } => shown.fee = Some(*sum),
                Text::SumTotal { sum } => shown.total = Some(*sum),
                Text::ReadbackPickup { name } => {
                    shown.fulfilment = Some(Fulfilment::Pickup);
                    shown.name.clone_from(name);
                }
                Text::ReadbackDelivery { name, address } => {
                    shown.fulfilment = Some(Fulfilment::Delivery);
                    shown.name.clone_from(name);
                    shown.address = Some(address.clone());
                }
                Text::ReadbackNote { wishes } => shown.note = Some(format!("{wishes:?}")),
                Text::ReadbackClosed { opening: DayTime(opening) } => shown.opening = Some(*opening),
                _ => {}
            }
        }
        assert!(matches!(step.state.stage, Stage::Confirming { .. }), "what is read back can be said yes to");
        let open = before.catalog.hours.as_ref().is_none_or(|hours| hours.open_at(before.now));
        let opens = before.catalog.hours.as_ref().is_some_and(|hours| hours.next_opening(before.now).is_some());
        assert_eq!(shown.opening.is_some(), !open && opens, "who orders from a closed shop is told");
        shadow.shown = Some(shown);
    }
    // Something else was asked since: it is read back anew before a yes counts.
    let guessed = step.reply.iter().flat_map(|reply| &reply.says).any(is_guess);
    if guessed || !matches!(step.state.stage, Stage::Confirming { .. }) {
        shadow.shown = None;
    }
}

/// From wherever a conversation stands, whoever asks for a person gets one, and an order that is not placed can be
/// dropped.
fn ends(before: &Before<'_>, step: &Step) {
    if before.seq % 8 != 0 || !step.desk.bot_answers() {
        return;
    }
    let customer = Customer { id: CustomerId(1), name: None, language: None, address: None, offers: None };
    let faq = Faq { language: Language::ENGLISH, topics: Vec::new() };
    for intent in [Intent::Human, Intent::CancelOrder] {
        let reading = Reading {
            intent,
            also: Vec::new(),
            language: Language::ENGLISH,
            cart: step.state.cart(),
            confidence: 0.9,
            unmatched: Vec::new(),
            fulfilment: None,
            address: None,
            name: None,
            wishes: Vec::new(),
            fragment: false,
            undo: false,
            pause: false,
        };
        let words = Words {
            text: "enough of this!",
            stated_name: "enough of this!",
            reading: &reading,
            named: &[],
            topic: None,
            near: &[],
        };
        let facts = Facts {
            now: before.now,
            catalog: before.catalog,
            faq: &faq,
            languages: &[Language::ENGLISH],
            conversation: ConversationId(1),
            language: Language::ENGLISH,
            customer: &customer,
            shown_name: None,
            orders: &[],
            seq: before.seq + 2,
            next_number: 1,
            next_order: OrderId(1),
            buttons: 3,
        };
        let input = Input::Words(words);
        let end = conversation::step(step.state.clone(), step.desk.clone(), &input, &facts);
        assert!(end.reply.is_some(), "{intent:?} is answered");
        match intent {
            Intent::Human => assert!(matches!(end.desk, Desk::Waiting { .. }), "a person is called"),
            _ => assert_eq!(end.state.cart(), Cart::default(), "it is dropped"),
        }
    }
}

fn says(reply: &Reply, text: &Text) -> bool {
    reply.says.iter().any(|say| matches!(say, Say::Text(said) if said == text))
}
