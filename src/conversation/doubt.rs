//! What the customer may have meant: put to them as a question before anything of it is taken, and the steps after their
//! yes, their no, or their "undo".
//!
//! Promises: until a yes the cart is as it was; a no says so and changes nothing; whoever is misunderstood twice on the
//! same matter gets a person and not a third question.

use super::{
    Ask, Basket, Facts, Guess, MOST_MISSED, Missed, NearGuess, Offer, Reply, Stage, State, Step, Words,
    basket::{Occasion, Unfit, cut, go_on, tell_difference, vet},
};
use crate::{
    cart::{Cart, Line, Pick},
    desk::{Desk, Why},
    understanding::alias::Meant,
    wording::{List, Quoted, Text},
};

/// Most pieces that are named back at once; a longer list reads like a reproach.
const MOST_NAMED: usize = 3;

/// Longest piece that is named back, in characters.
pub(super) const LONGEST_PIECE: usize = 40;

/// Most products that an unsettled line may mean for it to be shown in a question; beyond, which one is asked anyway.
const MOST_SHOWN: usize = 4;

/// The pieces of a message that name nothing of the shop's: those that are new to this conversation, and whether any was
/// named back before.
pub(super) struct Unknown {
    fresh: Vec<String>,
    again: bool,
}

impl Unknown {
    pub(super) fn of(pieces: &[String], state: &State) -> Unknown {
        let mut unknown = Unknown { fresh: Vec::new(), again: false };
        for piece in pieces.iter().map(|piece| cut(piece.trim(), LONGEST_PIECE)).filter(|piece| !piece.is_empty()) {
            if state.missed.iter().any(|missed| missed.is(&piece)) {
                unknown.again = true;
            } else if !unknown.fresh.contains(&piece) {
                unknown.fresh.push(piece);
            }
        }
        unknown
    }

    /// Whether a piece is new.
    pub(super) fn is_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Whether a piece was named back before: the second miss on the same matter.
    pub(super) fn is_repeated(&self) -> bool {
        self.again
    }

    /// Names the new pieces back, with what is near them, and remembers that they were.
    pub(super) fn tell(&self, near: &[NearGuess], state: &mut State, reply: &mut Reply) {
        if self.fresh.is_empty() {
            return;
        }
        let pieces = List(self.fresh.iter().take(MOST_NAMED).cloned().map(Quoted).collect());
        reply.say(match near {
            [] => Text::Unmatched { pieces },
            near => Text::UnmatchedNear { pieces, near: List(things_of(near)) },
        });
        let fresh = self.fresh.iter().map(|piece| Missed { piece: piece.clone(), settled: false });
        state.missed.extend(fresh);
        let surplus = state.missed.len().saturating_sub(MOST_MISSED);
        state.missed.drain(..surplus);
    }
}

/// Asks whether the nearest thing that the shop has was meant. It is the only question then: nothing else is asked
/// beside it.
pub(super) fn ask_near(mut step: Step, near: &[NearGuess], mut reply: Reply) -> Step {
    let things: Vec<NearGuess> = near.iter().take(MOST_NAMED).cloned().collect();
    reply.say(if things.len() == 1 { Text::NearAskOne {} } else { Text::NearAskSeveral {} });
    reply.offers = things_of(&things).into_iter().map(Offer::of).chain([Offer::Wrong]).collect();
    step.state.stage = unread(step.state.stage);
    step.state.guess = Some(Guess::Near { things });
    step.reply = Some(reply);
    step
}

/// Asks whether a message was understood right, before it changes the order to that one.
pub(super) fn ask_reading(mut step: Step, basket: Basket, mut reply: Reply, facts: &Facts<'_>) -> Step {
    if step.state.slips >= 2 {
        return hand_over(step, reply, facts);
    }
    let before = step.state.cart();
    let kept = before.lines.iter().all(|old| basket.cart.lines.contains(old));
    let fresh: Vec<Line> = basket.cart.lines.iter().filter(|line| !before.lines.contains(line)).cloned().collect();
    reply.say(if basket.cart.is_empty() {
        Text::DoubtEmpty {}
    } else if kept {
        Text::Doubt { lines: List(fresh) }
    } else {
        Text::DoubtCart { lines: List(basket.cart.lines.clone()) }
    });
    reply.offers = vec![Offer::Right, Offer::Wrong];
    step.state.stage = unread(step.state.stage);
    step.state.guess = Some(Guess::Reading { basket });
    step.reply = Some(reply);
    step
}

/// Whether a changed cart can be shown in a question: a line that may mean many things is better asked for by itself.
pub(super) fn is_shown(cart: &Cart) -> bool {
    cart.lines.iter().all(|line| match &line.product {
        Pick::One(_) => true,
        Pick::OneOf(ids) => ids.len() <= MOST_SHOWN,
    })
}

/// The product of a guess that the words name, and nothing more.
pub(super) fn named_guess(guess: &Guess, words: &Words<'_>, before: &Cart) -> Option<Meant> {
    let Guess::Near { things } = guess else { return None };
    let [named] = words.named else { return None };
    let meant = Meant::Product(named.clone());
    let mut one = before.clone();
    one.add(Line::of(named.clone()));
    // How many, and with what, is known from the message that was not understood.
    let alone = words.reading.cart == one && words.reading.unmatched.is_empty();
    (alone && things.iter().any(|near| near.meant == meant)).then_some(meant)
}

/// The customer said yes to a guess, or picked one of several.
pub(super) fn taken(mut step: Step, guess: Guess, picked: Option<&Meant>, facts: &Facts<'_>) -> Step {
    let before = step.state.cart();
    let mut reply = Reply::default();
    let basket = match guess {
        Guess::Reading { basket } => basket,
        Guess::Near { things } => {
            let near = match (picked, things.as_slice()) {
                (Some(meant), near) => near.iter().find(|near| near.meant == *meant),
                (None, [one]) => Some(one),
                (None, _) => None,
            };
            let Some(near) = near.cloned() else {
                // A yes to several says not which: asked once more, and no third time.
                step.state.slips = step.state.slips.saturating_add(1);
                if step.state.slips >= 2 {
                    return hand_over(step, reply, facts);
                }
                return ask_near(step, &things, reply);
            };
            step.state.settle(&near.piece);
            Basket { cart: near.cart, ..step.state.basket() }
        }
    };
    let cart = match vet(basket.cart.clone(), &before, facts, &mut reply) {
        Ok(cart) => cart,
        Err(unfit) => return refused(step, unfit, facts),
    };
    tell_difference(&before, &cart, facts, &mut reply);
    step.state.slips = 0;
    step.reply = Some(reply);
    go_on(step, Basket { cart, ..basket }, facts, Occasion::Progress)
}

/// The customer said no to a guess.
pub(super) fn refused_guess(mut step: Step, guess: &Guess, facts: &Facts<'_>) -> Step {
    match guess {
        Guess::Near { .. } => {
            let reply = Reply::text(Text::NearNo {});
            match step.state.stage.clone() {
                Stage::Idle => Step { reply: Some(Reply { offers: vec![Offer::Menu], ..reply }), ..step },
                Stage::Filling { basket, .. } | Stage::Confirming { basket, .. } => {
                    step.reply = Some(reply);
                    go_on(step, basket, facts, Occasion::Need)
                }
            }
        }
        Guess::Reading { .. } => {
            step.state.slips = step.state.slips.saturating_add(1);
            if step.state.slips >= 2 {
                return hand_over(step, Reply::default(), facts);
            }
            Step { reply: Some(Reply::text(Text::SayOtherwise {})), ..step }
        }
    }
}

/// A change that can't be taken: why, and a person where one has to look.
pub(super) fn refused(step: Step, unfit: Unfit, facts: &Facts<'_>) -> Step {
    match unfit {
        Unfit::Person(text) => Step { reply: Some(Reply::text(text)), ..step }.calling(Why::TooMany, facts.now),
        Unfit::No(texts) => {
            let says = texts.into_iter().map(super::Say::Text).collect();
            Step { reply: Some(Reply { says, offers: Vec::new() }), ..step }
        }
    }
}

/// "Undo": the cart as it was before its last change.
pub(super) fn undo(mut step: Step, facts: &Facts<'_>) -> Step {
    let Some(previous) = step.state.previous.take() else {
        return Step { reply: Some(Reply::text(Text::UndoNone {})), ..step };
    };
    let before = step.state.cart();
    let mut reply = Reply::text(Text::Undone {});
    let cart = match vet(previous, &before, facts, &mut reply) {
        Ok(cart) => cart,
        Err(unfit) => return refused(step, unfit, facts),
    };
    step.state.slips = 0;
    if cart.is_empty() {
        step.state.stage = Stage::Idle;
        return Step { reply: Some(Reply::text(Text::CartEmptied {})), ..step };
    }
    tell_difference(&before, &cart, facts, &mut reply);
    let basket = Basket { cart, ..step.state.basket() };
    step.reply = Some(reply);
    go_on(step, basket, facts, Occasion::Progress)
}

/// The staff changed the cart: told as a difference, and the bot goes on from there if it is the one who answers.
pub(super) fn corrected(mut step: Step, cart: &Cart, facts: &Facts<'_>) -> Step {
    let mut reply = Reply::text(Text::ShopChanged {});
    tell_difference(&step.state.cart(), cart, facts, &mut reply);
    let basket = Basket { cart: cart.clone(), ..step.state.basket() };
    step.state.guess = None;
    step.state.afresh();
    step.reply = Some(reply);
    if cart.is_empty() {
        step.state.stage = Stage::Idle;
        return step;
    }
    if !step.desk.bot_answers() {
        step.state.stage = Stage::Filling { basket, ask: Ask::Anything, asked: Vec::new() };
        return step;
    }
    go_on(step, basket, facts, Occasion::Need)
}

/// Two misses on the same matter: a person sees to it.
pub(super) fn hand_over(mut step: Step, mut reply: Reply, facts: &Facts<'_>) -> Step {
    reply.say(if step.desk == Desk::Bot { Text::CallingSlip {} } else { Text::CallingStill {} });
    step.reply = Some(reply);
    step.calling(Why::NotUnderstood, facts.now)
}

/// A read-back that something else was asked after: a yes is no yes to it any more.
fn unread(stage: Stage) -> Stage {
    match stage {
        Stage::Confirming { basket, .. } => Stage::Filling { basket, ask: Ask::Anything, asked: Vec::new() },
        stage @ (Stage::Idle | Stage::Filling { .. }) => stage,
    }
}

fn things_of(near: &[NearGuess]) -> Vec<Meant> {
    near.iter().take(MOST_NAMED).map(|near| near.meant.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, Input, Say, State, Step, Words, step};
    use super::*;
    use crate::{
        cart::Chosen,
        catalog::{Catalog, read::read},
        customer::Customer,
        faq::Faq,
        id::{ConversationId, CustomerId, OrderId},
        language::Language,
        moment::{Moment, Span},
        understanding::{Intent, Reading},
    };

    /// A conversation whose readings are made up, so that it holds whatever the engine understands.
    struct Talk {
        catalog: Catalog,
        faq: Faq,
        state: State,
        desk: Desk,
        seq: i64,
    }

    impl Talk {
        fn new() -> Talk {
            let catalog = read(include_str!("../../config/samples/pizzeria/catalog.json")).unwrap().0;
            let faq = crate::faq::read(r#"{"language": "en", "topics": []}"#).unwrap();
            Talk { catalog, faq, state: State::default(), desk: Desk::Bot, seq: 1 }
        }

        /// The customer writes something that is read as this.
        fn hears(&mut self, reading: &Reading) -> Vec<Text> {
            let words =
                Words { text: "some words", stated_name: "some words", reading, named: &[], topic: None, near: &[] };
            self.happens(&Input::Words(words))
        }

        fn happens(&mut self, input: &Input<'_>) -> Vec<Text> {
            self.seq += 2;
            let Step { state, desk, reply, effects } = self.steps(input);
            assert!(effects.is_empty(), "nothing is placed in any of these: {effects:?}");
            (self.state, self.desk) = (state, desk);
            let says = reply.map(|reply| reply.says).unwrap_or_default().into_iter();
            says.filter_map(|say| if let Say::Text(text) = say { Some(text) } else { None }).collect()
        }

        fn steps(&self, input: &Input<'_>) -> Step {
            let customer =
                Customer { id: CustomerId(1), name: Some("Marta".into()), language: None, address: None, offers: None };
            let facts = Facts {
                // A Wednesday evening, while the shop is open.
                now: Moment(1_795_017_600_000).after(Span::minutes(self.seq)),
                catalog: &self.catalog,
                faq: &self.faq,
                languages: &[Language::ENGLISH],
                conversation: ConversationId(1),
                language: Language::ENGLISH,
                customer: &customer,
                shown_name: None,
                orders: &[],
                seq: self.seq,
                next_number: 1,
                next_order: OrderId(1),
                buttons: 3,
            };
            step(self.state.clone(), self.desk.clone(), input, &facts)
        }

        /// The catalogue is imported with this in place of that.
        fn imports(&mut self, that: &str, this: &str) {
            let file = include_str!("../../config/samples/pizzeria/catalog.json");
            assert!(file.contains(that), "{that}");
            self.catalog = read(&file.replacen(that, this, 1)).unwrap().0;
        }

        fn orders(&self, quantity: u32, confidence: f32) -> Reading {
            let mut cart = self.state.cart();
            cart.add(cola(quantity));
            Reading { cart, confidence, ..self.says(Intent::Order) }
        }

        fn says(&self, intent: Intent) -> Reading {
            Reading { confidence: 0.9, ..Reading::of(intent, Language::ENGLISH, self.state.cart()) }
        }
    }

    fn cola(quantity: u32) -> Line {
        Line { quantity, ..Line::of("cola".parse().unwrap()) }
    }

    fn asks(says: &[Text]) -> bool {
        says.iter().any(|text| matches!(text, Text::Doubt { .. } | Text::DoubtCart { .. } | Text::DoubtEmpty {}))
    }

    #[test]
    fn what_is_not_sure_changes_nothing_before_a_yes() {
        let mut talk = Talk::new();
        let says = talk.hears(&talk.orders(2, super::super::SURE - 0.01));
        assert_eq!(says, [Text::Doubt { lines: List(vec![cola(2)]) }]);
        assert!(talk.state.cart().is_empty());
        let says = talk.hears(&talk.says(Intent::Confirm));
        assert_eq!(says[0], Text::CartAdded { line: cola(2) });
        assert_eq!(talk.state.cart().lines, [cola(2)]);
        let says = talk.hears(&talk.orders(1, super::super::SURE));
        assert_eq!(says[0], Text::CartAdded { line: cola(1) }, "sure enough, and not asked");
    }

    #[test]
    fn a_no_leaves_it_as_it_was_and_the_second_miss_brings_a_person() {
        let mut talk = Talk::new();
        talk.hears(&talk.orders(1, 1.0));
        for (no, then) in [(1, Text::SayOtherwise {}), (2, Text::CallingSlip {})] {
            assert!(asks(&talk.hears(&talk.orders(5, 0.3))), "asked the {no}. time");
            assert_eq!(talk.hears(&talk.says(Intent::Decline)), [then]);
            assert_eq!(talk.state.cart().lines, [cola(1)]);
        }
        assert!(matches!(talk.desk, Desk::Waiting { why: Why::NotUnderstood, .. }));
        let says = talk.hears(&talk.orders(5, 0.3));
        assert!(!asks(&says), "never a third time: {says:?}");
        assert_eq!(talk.state.cart().lines, [cola(1)]);
        talk.hears(&talk.orders(1, 1.0));
        assert_eq!(talk.state.cart().lines, [cola(2)], "what is sure is taken all the same");
    }

    #[test]
    fn other_words_in_place_of_an_answer_are_a_miss_too() {
        let mut talk = Talk::new();
        assert!(asks(&talk.hears(&talk.orders(5, 0.3))));
        assert!(asks(&talk.hears(&talk.orders(4, 0.3))));
        assert!(!asks(&talk.hears(&talk.orders(3, 0.3))));
        assert!(matches!(talk.desk, Desk::Waiting { .. }));
    }

    #[test]
    fn a_yes_to_a_doubt_is_no_yes_to_the_read_back_before_it() {
        let mut talk = Talk::new();
        let pickup = Reading { fulfilment: Some(crate::order::Fulfilment::Pickup), ..talk.orders(1, 1.0) };
        talk.hears(&pickup);
        assert!(matches!(talk.state.stage, Stage::Confirming { .. }));
        assert!(asks(&talk.hears(&talk.orders(5, 0.3))));
        let says = talk.hears(&talk.says(Intent::Confirm));
        assert!(says.contains(&Text::ReadbackAsk {}), "read back anew: {says:?}");
        assert_eq!(talk.state.cart().lines, [cola(6)]);
        assert!(asks(&talk.hears(&talk.orders(9, 0.3))));
        talk.hears(&talk.says(Intent::Decline));
        let says = talk.hears(&talk.says(Intent::Confirm));
        assert!(says.contains(&Text::ReadbackAsk {}), "nor after a no: {says:?}");
    }

    #[test]
    fn undo_takes_one_step_back_and_no_other() {
        let mut talk = Talk::new();
        talk.hears(&talk.orders(2, 1.0));
        talk.hears(&talk.orders(1, 1.0));
        let undo = |talk: &Talk| Reading { undo: true, ..talk.says(Intent::Other) };
        let says = talk.hears(&undo(&talk));
        assert_eq!(says[..2], [Text::Undone {}, Text::CartQuantity { line: cola(2), from: 3 }]);
        assert_eq!(talk.hears(&undo(&talk)), [Text::UndoNone {}]);
        assert_eq!(talk.state.cart().lines, [cola(2)]);
    }

    #[test]
    fn staff_correct_under_a_read_back_and_under_a_person() {
        let mut talk = Talk::new();
        let pickup = Reading { fulfilment: Some(crate::order::Fulfilment::Pickup), ..talk.orders(1, 1.0) };
        talk.hears(&pickup);
        let says = talk.happens(&Input::Corrected(&Cart { lines: vec![cola(3)] }));
        assert_eq!(says[..2], [Text::ShopChanged {}, Text::CartAdded { line: cola(2) }]);
        assert!(says.contains(&Text::ReadbackAsk {}), "and is read back anew");
        talk.happens(&Input::TakenOver("Ana"));
        let says = talk.happens(&Input::Corrected(&Cart { lines: vec![cola(4)] }));
        assert!(!says.contains(&Text::ReadbackAsk {}), "a person asks for the yes now: {says:?}");
        assert!(matches!(talk.state.stage, Stage::Filling { .. }), "an old yes places nothing");
    }

    #[test]
    fn a_piece_is_named_once() {
        let mut talk = Talk::new();
        let sushi = |talk: &Talk, cart: bool| Reading {
            unmatched: vec!["Sushi".to_owned()],
            ..if cart { talk.orders(1, 1.0) } else { talk.says(Intent::Order) }
        };
        let named = |says: &[Text]| says.iter().any(|text| matches!(text, Text::Unmatched { .. }));
        let says = talk.hears(&sushi(&talk, true));
        assert!(named(&says), "{says:?}");
        let says = talk.hears(&sushi(&talk, true));
        assert!(!named(&says) && says.contains(&Text::CallingRest {}), "{says:?}");
        let mut talk = Talk::new();
        assert!(named(&talk.hears(&sushi(&talk, false))));
        assert_eq!(talk.hears(&sushi(&talk, false)), [Text::CallingSlip {}]);
        // A stray word where nothing was ordered is no goods at all.
        let mut talk = Talk::new();
        let stray = Reading { intent: Intent::Other, ..sushi(&talk, false) };
        assert!(!named(&talk.hears(&stray)));
    }

    #[test]
    fn what_can_not_be_priced_is_dropped_or_a_persons() {
        let mut talk = Talk::new();
        talk.hears(&talk.orders(1, 1.0));
        // An option that only the other of two products has.
        let olives = Chosen::of("topping".parse().unwrap(), "olives".parse().unwrap());
        let either = Pick::OneOf(vec!["cola".parse().unwrap(), "margherita".parse().unwrap()]);
        let mut cart = talk.state.cart();
        cart.add(Line { product: either, quantity: 1, options: vec![olives.clone()] });
        let pickup = Some(crate::order::Fulfilment::Pickup);
        talk.hears(&Reading { cart, fulfilment: pickup, ..talk.orders(1, 1.0) });
        assert!(matches!(talk.state.stage, Stage::Filling { ask: Ask::Which { .. }, .. }));
        let says = talk.happens(&Input::Pressed(Some(super::super::Press { seq: talk.state.offered.seq, place: 0 })));
        let refused = |text: &Text| matches!(text, Text::OptionNotFor { .. });
        assert!(says.iter().any(refused) && says.contains(&Text::ReadbackAsk {}), "{says:?}");
        // More of a choice than can be counted: asking what else is wanted would lead nowhere.
        let mut many = talk.state.cart();
        let options = vec![Chosen { count: 1_000, ..olives }];
        many.add(Line { options, ..Line::of("margherita".parse().unwrap()) });
        let says = talk.hears(&Reading { cart: many, ..talk.orders(1, 1.0) });
        assert!(says.contains(&Text::CallingSlip {}) && matches!(talk.desk, Desk::Waiting { .. }), "{says:?}");
    }

    #[test]
    fn a_yes_is_to_every_price_and_place_that_was_shown() {
        let confirming = |reading: Reading| {
            let mut talk = Talk::new();
            talk.hears(&reading);
            assert!(matches!(talk.state.stage, Stage::Confirming { .. }), "{:?}", talk.state.stage);
            talk
        };
        let yes = |talk: &mut Talk| {
            let reading = talk.says(Intent::Confirm);
            talk.hears(&reading)
        };
        // Free delivery to a zone that is no more costs what it cost.
        let there = Reading { address: Some("Storgata 5, 0184 Oslo".to_owned()), ..Talk::new().orders(30, 1.0) };
        let mut talk = confirming(there);
        talk.imports("\"0150-0199\"", "\"0150-0151\"");
        let says = yes(&mut talk);
        assert!(says.contains(&Text::ReadbackChanged {}) && says.contains(&Text::OutsideZone {}), "{says:?}");
        // One thing has become dearer, another cheaper by as much.
        let mut cart = Cart { lines: vec![cola(1)] };
        cart.add(Line::of("cola_zero".parse().unwrap()));
        let pickup = Some(crate::order::Fulfilment::Pickup);
        let mut talk = confirming(Reading { cart, fulfilment: pickup, ..Talk::new().orders(1, 1.0) });
        let currency = talk.catalog.currency;
        for (product, minor) in [("cola", 270), ("cola_zero", 290)] {
            let at = talk.catalog.products.iter().position(|p| p.id.as_str() == product).unwrap();
            talk.catalog.products[at].price = currency.minor(minor).unwrap();
        }
        let says = yes(&mut talk);
        assert!(says.contains(&Text::ReadbackChanged {}), "{says:?}");
    }

    #[test]
    fn a_change_of_mind_starts_no_count_anew() {
        let mut talk = Talk::new();
        let bring = Some(crate::order::Fulfilment::Delivery);
        talk.hears(&Reading { fulfilment: bring, ..talk.orders(5, 1.0) });
        let asked = |says: &[Text]| usize::from(says.contains(&Text::AskAddress {}));
        let mut times = 1;
        for _ in 0..4 {
            talk.hears(&talk.says(Intent::ChangeOrder));
            times += asked(&talk.hears(&talk.says(Intent::Checkout)));
        }
        assert_eq!(times, 2, "no question a third time");
        assert!(matches!(talk.desk, Desk::Waiting { .. }));
    }
}
