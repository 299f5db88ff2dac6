//! Every input in every stage.

use super::{
    Ask, Basket, Effect, Facts, Guess, Input, Offer, Offered, Press, Reply, SURE, Stage, State, Step, Wordless, Words,
    answers,
    basket::{
        Occasion, go_on, offers, take_address, take_choice, take_name, take_product, take_wishes, tell_difference,
        tell_usual_changes, vet,
    },
    checkout::{place, show_again},
    doubt::{self, Unknown},
    news,
};
use crate::{
    cart::{Cart, Chosen},
    desk::{Desk, Why},
    moment::Span,
    order::{Fulfilment, Move, Order},
    understanding::{Intent, alias::Meant},
    wording::{DayTime, List, Quoted, Text},
};

/// How long after an order was placed a bare yes is taken for a second yes to it.
const SECOND_YES: Span = Span::minutes(30);

/// Where the conversation goes from `state` when `input` happens.
pub fn step(state: State, desk: Desk, input: &Input<'_>, facts: &Facts<'_>) -> Step {
    let answers = desk.bot_answers();
    let before = state.cart();
    let step = Step { state, desk, reply: None, effects: Vec::new() };
    let mut step = match input {
        Input::Corrected(cart) => doubt::corrected(step, cart, facts),
        Input::OrderMoved(order) => Step { reply: Some(Reply::text(news::news(order))), ..step },
        Input::TakenOver(name) => joined(step, name, facts),
        Input::HandedBack(name) => left(step, name),
        Input::Forgotten => step.calling(Why::NotUnderstood, facts.now),
        Input::Words(_) | Input::Pressed(_) | Input::Opened | Input::Wordless(_) | Input::TooLong if !answers => step,
        Input::Words(words) => said(step, words, facts),
        Input::Pressed(press) => pressed(step, *press, facts),
        Input::Opened => opened(step, facts),
        Input::Wordless(kind) => wordless(step, *kind, facts),
        Input::TooLong => Step { reply: Some(Reply::text(Text::TooLong {})), ..step },
    };
    if let Some(reply) = &step.reply {
        // News of an order offers nothing, and must not take away what is on offer.
        if !reply.offers.is_empty() {
            step.state.offered = Offered { seq: facts.seq, offers: reply.offers.clone() };
        }
    }
    if step.effects.iter().any(|effect| matches!(effect, Effect::Place(..))) {
        step.state.previous = None;
    } else if step.state.cart() != before && !matches!(input, Input::Words(words) if words.reading.undo) {
        step.state.previous = Some(before);
    }
    step
}

fn joined(step: Step, name: &str, facts: &Facts<'_>) -> Step {
    let desk = Desk::Staff { name: name.to_owned(), since: facts.now };
    let reply = Some(Reply::text(Text::StaffJoined { name: name.to_owned() }));
    let state = State { guess: None, ..step.state };
    Step { desk, reply, state, ..step }
}

fn left(mut step: Step, name: &str) -> Step {
    step.state.afresh();
    let reply = Some(Reply::text(Text::StaffLeft { name: name.to_owned() }));
    Step { desk: Desk::Bot, reply, ..step }
}

fn opened(mut step: Step, facts: &Facts<'_>) -> Step {
    let mut reply = Reply::default();
    greet(facts, &mut reply);
    let cart = step.state.cart();
    if cart.is_empty() {
        reply.offers.push(Offer::Menu);
        step.reply = Some(reply);
        return step;
    }
    reply.say(Text::GreetingCart {});
    tell_difference(&Cart::default(), &cart, facts, &mut reply);
    step.reply = Some(reply);
    step
}

fn wordless(step: Step, kind: Wordless, facts: &Facts<'_>) -> Step {
    let (text, person) = match kind {
        Wordless::Voice => (Text::WordlessVoice {}, true),
        Wordless::Picture => (Text::WordlessPicture {}, true),
        Wordless::File => (Text::WordlessFile {}, true),
        Wordless::Sticker => (Text::WordlessSticker {}, false),
        Wordless::Emoji => (Text::EmojiOnly {}, false),
        Wordless::Location => (Text::WordlessLocation {}, false),
        Wordless::Contact => (Text::WordlessContact {}, false),
        Wordless::Edit => (Text::WordlessEdit {}, false),
        Wordless::Other => (Text::WordlessOther {}, false),
    };
    let step = Step { reply: Some(Reply::text(text)), ..step };
    if person { step.calling(Why::Unreadable, facts.now) } else { step }
}

fn pressed(mut step: Step, press: Option<Press>, facts: &Facts<'_>) -> Step {
    let offered = &step.state.offered;
    let offer = press.filter(|p| p.seq == offered.seq).and_then(|p| offered.offers.get(p.place).cloned());
    if let Some(offer) = offer {
        return picked(step, &offer, press, facts);
    }
    step.state.guess = None;
    // A second press of the button that placed the order.
    if let (Some(press), Some(placed)) = (press, step.state.placed)
        && press.seq == placed.readback
    {
        step.reply = Some(Reply::text(Text::PlacedAlready { number: placed.number }));
        return step;
    }
    match step.state.stage.clone() {
        Stage::Idle => Step { reply: Some(Reply::text(Text::ButtonStale {})), ..step },
        Stage::Filling { basket, .. } => {
            step.reply = Some(Reply::text(Text::ButtonStale {}));
            go_on(step, basket, facts, Occasion::Progress)
        }
        Stage::Confirming { basket, .. } => show_again(step, basket, facts, Text::ReadbackAgain {}),
    }
}

fn picked(mut step: Step, offer: &Offer, press: Option<Press>, facts: &Facts<'_>) -> Step {
    if let Some(guess) = step.state.guess.take() {
        match (offer, offer.thing()) {
            (Offer::Right, _) => return doubt::taken(step, guess, None, facts),
            (Offer::Wrong, _) => return doubt::refused_guess(step, &guess, facts),
            (_, Some(thing)) => return doubt::taken(step, guess, Some(&thing), facts),
            (_, None) => {}
        }
    }
    step.state.slips = 0;
    match (offer, step.state.stage.clone()) {
        (Offer::Menu, _) => {
            let mut reply = Reply::default();
            answers::menu(facts, &mut reply);
            Step { reply: Some(reply), ..step }
        }
        (Offer::Category(id), _) => {
            let mut reply = Reply::default();
            answers::category(id, facts, &mut reply);
            Step { reply: Some(reply), ..step }
        }
        (Offer::Person, _) => call(step, Why::Asked, facts),
        (Offer::Language(language), _) => speak(step, *language),
        (Offer::Usual, Stage::Idle) => usual(step, facts),
        (Offer::Usual, Stage::Filling { .. } | Stage::Confirming { .. }) => usual(step, facts),
        (Offer::Yes, Stage::Confirming { basket, readback }) if press.is_none_or(|p| p.seq == readback.seq) => {
            place(step, basket, readback, facts)
        }
        (Offer::Yes, Stage::Confirming { basket, .. }) => show_again(step, basket, facts, Text::ReadbackAgain {}),
        (Offer::Yes, Stage::Idle) => confirmed_nothing(step, facts),
        (Offer::Change, Stage::Confirming { basket, .. }) => not_placed(step, basket),
        (Offer::Change, Stage::Idle | Stage::Filling { .. }) => {
            Step { reply: Some(Reply::text(Text::AskAnything {})), ..step }
        }
        (Offer::Yes, Stage::Filling { basket, .. }) => go_on(step, basket, facts, Occasion::Need),
        (Offer::Fulfil(how), Stage::Filling { mut basket, .. } | Stage::Confirming { mut basket, .. }) => {
            basket.fulfilment = Some(*how);
            go_on(step, basket, facts, Occasion::Need)
        }
        (Offer::Name(name), Stage::Filling { mut basket, .. } | Stage::Confirming { mut basket, .. }) => {
            take_name(&mut basket, name);
            go_on(step, basket, facts, Occasion::Need)
        }
        (Offer::Product(_) | Offer::Choice(..), Stage::Filling { mut basket, ask, .. }) => {
            let taken = offer.thing().is_some_and(|thing| match thing {
                Meant::Product(id) => take_product(&mut basket, &id),
                Meant::Choice(group, choice) => take_choice(&mut basket, &ask, Chosen::of(group, choice)),
            });
            let mut reply = Reply::default();
            if taken {
                tell_taken(&basket.cart, facts, &mut reply);
            } else {
                reply.say(Text::ButtonStale {});
            }
            step.reply = Some(reply);
            go_on(step, basket, facts, Occasion::Need)
        }
        (
            Offer::Fulfil(_) | Offer::Name(_) | Offer::Product(_) | Offer::Choice(..),
            Stage::Idle | Stage::Confirming { .. },
        )
        | (Offer::Right | Offer::Wrong, Stage::Idle | Stage::Filling { .. } | Stage::Confirming { .. }) => {
            Step { reply: Some(Reply::text(Text::ButtonStale {})), ..step }
        }
    }
}

fn said(mut step: Step, words: &Words<'_>, facts: &Facts<'_>) -> Step {
    if let Some(offer) = named_offer(words.text, &step.state, facts) {
        return picked(step, &offer, None, facts);
    }
    let reading = words.reading;
    let cart_before = step.state.cart();
    // Whether it says more than its intent does: "yes, but bring it" is no yes to what was shown.
    let changed = reading.cart != cart_before || says_more(words, &step.state.stage);
    let asks = reading.also.iter().any(|intent| is_question(*intent));
    if reading.pause {
        return paused(step, facts);
    }
    if let Some(guess) = step.state.guess.take() {
        let plain = !changed && !asks;
        match reading.intent {
            Intent::Confirm if plain => return doubt::taken(step, guess, None, facts),
            Intent::Decline if plain => return doubt::refused_guess(step, &guess, facts),
            _ if reading.undo => return doubt::refused_guess(step, &guess, facts),
            // A question between leaves the guess open.
            intent if is_question(intent) && !changed => step.state.guess = Some(guess),
            _ => {
                if let Some(picked) = doubt::named_guess(&guess, words, &cart_before) {
                    return doubt::taken(step, guess, Some(&picked), facts);
                }
                // Said in other words without a no: it was a miss all the same.
                if matches!(guess, Guess::Reading { .. }) {
                    step.state.slips = step.state.slips.saturating_add(1);
                }
            }
        }
    }
    if reading.undo {
        return doubt::undo(step, facts);
    }
    match reading.intent {
        Intent::Human => call(step, Why::Asked, facts),
        Intent::StopOffers => {
            step.effects.push(Effect::Offers(false));
            Step { reply: Some(Reply::text(Text::StopOffers {})), ..step }
        }
        Intent::StartOffers => {
            step.effects.push(Effect::Offers(true));
            Step { reply: Some(Reply::text(Text::StartOffers {})), ..step }
        }
        Intent::Complaint | Intent::Refund => {
            let step = Step { reply: Some(Reply::text(Text::Complaint {})), ..step };
            step.calling(Why::Complaint, facts.now)
        }
        Intent::MyData => {
            let step = Step { reply: Some(Reply::text(Text::MyData {})), ..step };
            step.calling(Why::Asked, facts.now)
        }
        Intent::Language => languages(step, facts),
        Intent::CancelOrder => cancel(step, facts),
        Intent::ChangeOrder if !changed => change_order(step, facts),
        Intent::TrackOrder => track(step, facts),
        Intent::Confirm | Intent::Decline if !changed && asks => asked(step, words, facts),
        Intent::Confirm if !changed => confirmed(step, facts),
        Intent::Decline if !changed => declined(step, facts),
        Intent::Greeting if !changed => greeted(step, facts),
        Intent::Thanks if !changed => Step { reply: Some(Reply::text(Text::Thanks {})), ..step },
        Intent::Checkout if !changed => checkout(step, facts),
        Intent::Order
        | Intent::ChangeOrder
        | Intent::Confirm
        | Intent::Decline
        | Intent::Greeting
        | Intent::Thanks
        | Intent::Checkout => ordered(step, &cart_before, words, facts),
        Intent::Menu
        | Intent::ProductQuestion
        | Intent::PriceQuestion
        | Intent::DeliveryQuestion
        | Intent::PaymentQuestion
        | Intent::Hours
        | Intent::Points
        | Intent::Redeem
        | Intent::Join
        | Intent::Offers
        | Intent::ReferFriend => asked(step, words, facts),
        Intent::Rating | Intent::Other if changed => ordered(step, &cart_before, words, facts),
        Intent::Rating | Intent::Other => other(step, words, facts),
    }
}

/// The customer named things to buy, changed them, or said how they are to come.
fn ordered(mut step: Step, before: &Cart, words: &Words<'_>, facts: &Facts<'_>) -> Step {
    let reading = words.reading;
    let mut reply = Reply::default();
    let cart = match vet(reading.cart.clone(), before, facts, &mut reply) {
        Ok(cart) => cart,
        Err(unfit) => return doubt::refused(step, unfit, facts),
    };
    let understood = cart != *before || says_more(words, &step.state.stage);
    let unsure = cart != *before && reading.confidence < SURE && doubt::is_shown(&cart);
    if cart != *before && !unsure {
        if before.is_empty() {
            tell_usual_changes(&cart, facts, &mut reply);
        }
        tell_difference(before, &cart, facts, &mut reply);
    }
    if !reading.wishes.is_empty() && !unsure {
        reply.say(Text::WishNoted { wishes: List(reading.wishes.iter().cloned().map(Quoted).collect()) });
    }
    let unknown = Unknown::of(&reading.unmatched, &step.state);
    let near = if unsure { &[] } else { words.near };
    unknown.tell(near, &mut step.state, &mut reply);
    for &intent in &reading.also {
        let mut answer = Reply::default();
        if !answers::answer(intent, words, facts, &mut answer) && is_question(intent) {
            answer.say(Text::CallingUnknown {});
            step = step.calling(Why::Unknown, facts.now);
        }
        if answer.says_any() {
            reply.gap();
            reply.says.append(&mut answer.says);
        }
    }
    let ask = match &step.state.stage {
        Stage::Filling { ask, .. } => ask.clone(),
        Stage::Idle | Stage::Confirming { .. } => Ask::Anything,
    };
    if !understood && !reply.says_any() && !unknown.is_repeated() {
        return match cart.is_empty() && reading.unmatched.is_empty() && facts.usual().is_none() {
            // "The usual" of somebody who has none, or "I'd like to order" and nothing more.
            true => empty_order(step, facts),
            false => not_understood(step, facts),
        };
    }
    if !understood {
        if unknown.is_fresh() && !near.is_empty() {
            return doubt::ask_near(step, near, reply);
        }
        // Something was named that the shop lacks: said, and counted, so that it does not go round in circles. What was
        // named back before is the second miss on the same matter.
        if unknown.is_repeated() {
            step.state.slips = step.state.slips.max(1);
        }
        step.reply = Some(reply);
        return slip(step, facts);
    }
    let mut basket = Basket { cart, ..step.state.basket() };
    if let Some(how) = reading.fulfilment {
        basket.fulfilment = Some(how);
    }
    if let Some(address) = &reading.address {
        take_address(&mut basket, &ask, address);
        basket.fulfilment.get_or_insert(Fulfilment::Delivery);
    }
    if let Some(name) = &reading.name {
        take_name(&mut basket, name);
    }
    take_wishes(&mut basket, &reading.wishes);
    if unsure {
        return doubt::ask_reading(step, basket, reply, facts);
    }
    step.state.slips = 0;
    if unknown.is_repeated() && step.desk == Desk::Bot {
        reply.say(Text::CallingRest {});
        step = step.calling(Why::NotUnderstood, facts.now);
    }
    if unknown.is_fresh() && !near.is_empty() {
        step.state.stage = Stage::Filling { basket, ask: Ask::Anything, asked: counts(&step.state) };
        return doubt::ask_near(step, near, reply);
    }
    // How it comes was answered: on to the next question. With another question open, that one stands as it is.
    let occasion = match ask {
        Ask::Anything | Ask::Fulfilment | Ask::Address | Ask::Postcode
            if reading.fulfilment.is_some() || reading.address.is_some() =>
        {
            Occasion::Need
        }
        Ask::Anything
        | Ask::Fulfilment
        | Ask::Address
        | Ask::Postcode
        | Ask::Which { .. }
        | Ask::WhichOption { .. }
        | Ask::Option { .. }
        | Ask::Name => Occasion::Progress,
    };
    step.reply = Some(reply);
    go_on(step, basket, facts, occasion)
}

/// The customer asked something.
fn asked(mut step: Step, words: &Words<'_>, facts: &Facts<'_>) -> Step {
    let mut reply = Reply::default();
    let intents = std::iter::once(words.reading.intent).chain(words.reading.also.iter().copied());
    let mut unknown = false;
    for intent in intents.filter(|intent| is_question(*intent)) {
        reply.gap();
        unknown |= !answers::answer(intent, words, facts, &mut reply);
    }
    if unknown {
        reply.say(Text::CallingUnknown {});
        step = step.calling(Why::Unknown, facts.now);
    }
    step.state.slips = 0;
    // The read-back stands: remind of it, so that a yes is a yes to something in sight.
    if let Stage::Confirming { readback, .. } = &mut step.state.stage
        && !unknown
    {
        reply.gap();
        reply.say(Text::ReadbackAsk {});
        reply.offers = vec![Offer::Yes, Offer::Change];
        readback.seq = facts.seq;
    }
    step.reply = Some(reply);
    step
}

/// The customer thinks about it. What was asked stays asked, and is not asked again; what can be pressed is offered
/// anew, as it is what stands below the latest message.
fn paused(mut step: Step, facts: &Facts<'_>) -> Step {
    let (text, offers) = match &mut step.state.stage {
        _ if step.state.guess.is_some() => (Text::Pause {}, step.state.offered.offers.clone()),
        Stage::Confirming { readback, .. } => {
            readback.seq = facts.seq;
            (Text::PauseReadback {}, vec![Offer::Yes, Offer::Change])
        }
        Stage::Filling { basket, ask, .. } => (Text::Pause {}, offers(ask, basket, facts)),
        // "Wait!" behind an order is about the order.
        Stage::Idle => match facts.under_way().next() {
            Some(order) => (Text::PausePlaced { number: order.number }, Vec::new()),
            None => (Text::Pause {}, Vec::new()),
        },
    };
    step.reply = Some(Reply { offers, ..Reply::text(text) });
    step
}

/// Words that are nothing else: an answer to what was asked, something for the FAQ, or not understood.
fn other(mut step: Step, words: &Words<'_>, facts: &Facts<'_>) -> Step {
    let marks = words.text.chars().all(|c| c.is_ascii_punctuation() || c.is_whitespace());
    if !marks && !words.text.chars().any(char::is_alphanumeric) {
        return wordless(step, Wordless::Emoji, facts);
    }
    match step.state.stage.clone() {
        Stage::Filling { mut basket, ask: ask @ (Ask::Address | Ask::Postcode), .. } => {
            take_address(&mut basket, &ask, words.text);
            basket.fulfilment = Some(Fulfilment::Delivery);
            step.state.slips = 0;
            return go_on(step, basket, facts, Occasion::Need);
        }
        Stage::Filling { mut basket, ask: Ask::Name, .. } => {
            take_name(&mut basket, words.stated_name);
            step.state.slips = 0;
            return go_on(step, basket, facts, Occasion::Need);
        }
        Stage::Confirming { basket, .. } if repeats(words.text, &basket) => {
            step.state.slips = 0;
            return go_on(step, basket, facts, Occasion::Need);
        }
        Stage::Confirming { mut basket, .. } if looks_like_a_name(words.text) => {
            // Shown in the read-back, where a wrong guess is seen before anything is placed.
            take_name(&mut basket, words.text);
            step.state.slips = 0;
            return go_on(step, basket, facts, Occasion::Need);
        }
        Stage::Idle | Stage::Filling { .. } | Stage::Confirming { .. } => {}
    }
    let mut reply = Reply::default();
    if words.reading.fragment && words.reading.unmatched.is_empty() {
        // "I want", and nothing came of it: what, then?
        return empty_order(step, facts);
    }
    if answers::topic(words, facts, &mut reply) {
        step.state.slips = 0;
        step.reply = Some(reply);
        return step;
    }
    // Nothing of it was understood and nothing was ordered: what it names is no goods, unless something is near to it.
    let unknown = Unknown::of(&words.reading.unmatched, &step.state);
    if unknown.is_fresh() && !words.near.is_empty() {
        unknown.tell(words.near, &mut step.state, &mut reply);
        return doubt::ask_near(step, words.near, reply);
    }
    if unknown.is_repeated() {
        step.state.slips = step.state.slips.max(1);
    }
    not_understood(step, facts)
}

/// Nothing of it was understood.
fn not_understood(mut step: Step, facts: &Facts<'_>) -> Step {
    step.reply = Some(Reply::text(match &step.state.stage {
        Stage::Idle => Text::NotUnderstood { example: answers::example(facts) },
        Stage::Filling { .. } | Stage::Confirming { .. } => Text::NotUnderstoodAsk {},
    }));
    slip(step, facts)
}

/// Counts a misunderstanding: the first is answered with what the reply says and the question once more, the second
/// brings a person, and after that the bot holds its tongue.
fn slip(mut step: Step, facts: &Facts<'_>) -> Step {
    step.state.slips = step.state.slips.saturating_add(1);
    match step.state.slips {
        1 => match step.state.stage.clone() {
            Stage::Idle => {
                if let Some(reply) = &mut step.reply {
                    reply.offers = vec![Offer::Menu];
                }
                step
            }
            Stage::Filling { basket, .. } => go_on(step, basket, facts, Occasion::Need),
            Stage::Confirming { basket, mut readback } => {
                let mut reply = step.reply.take().unwrap_or_default();
                reply.say(Text::ReadbackAsk {});
                reply.offers = vec![Offer::Yes, Offer::Change];
                readback.seq = facts.seq;
                step.state.stage = Stage::Confirming { basket, readback };
                step.reply = Some(reply);
                step
            }
        },
        2 => {
            step.reply = Some(Reply::text(Text::CallingSlip {}));
            step.calling(Why::NotUnderstood, facts.now)
        }
        3 => Step { reply: Some(Reply::text(Text::CallingStill {})), ..step }.calling(Why::NotUnderstood, facts.now),
        _ => Step { reply: None, ..step }.calling(Why::NotUnderstood, facts.now),
    }
}

fn checkout(mut step: Step, facts: &Facts<'_>) -> Step {
    match step.state.stage.clone() {
        Stage::Idle => Step { reply: Some(Reply::text(Text::NothingToPlace {})), ..step },
        Stage::Filling { basket, .. } | Stage::Confirming { basket, .. } => {
            step.state.slips = 0;
            go_on(step, basket, facts, Occasion::Need)
        }
    }
}

fn confirmed(step: Step, facts: &Facts<'_>) -> Step {
    match step.state.stage.clone() {
        Stage::Confirming { basket, readback } => place(step, basket, readback, facts),
        Stage::Filling { basket, .. } => go_on(step, basket, facts, Occasion::Need),
        Stage::Idle => confirmed_nothing(step, facts),
    }
}

fn confirmed_nothing(step: Step, facts: &Facts<'_>) -> Step {
    let lives = |number: i64| facts.under_way().any(|order| order.number == number);
    let reply = match step.state.placed {
        Some(placed) if facts.now.since(placed.at) <= SECOND_YES && lives(placed.number) => {
            Text::PlacedAlready { number: placed.number }
        }
        Some(_) | None => Text::NothingToConfirm {},
    };
    Step { reply: Some(Reply::text(reply)), ..step }
}

fn declined(mut step: Step, facts: &Facts<'_>) -> Step {
    match step.state.stage.clone() {
        Stage::Confirming { basket, .. } => not_placed(step, basket),
        Stage::Filling { basket, ask: Ask::Anything, .. } => {
            // "No" to "what else?" means: that is all.
            go_on(step, basket, facts, Occasion::Need)
        }
        Stage::Filling { .. } => {
            step.reply = Some(Reply::text(Text::NotUnderstoodAsk {}));
            slip(step, facts)
        }
        Stage::Idle => Step { reply: Some(Reply::text(Text::NothingToConfirm {})), ..step },
    }
}

fn not_placed(mut step: Step, basket: Basket) -> Step {
    let mut asked = counts(&step.state);
    if asked.iter().all(|(ask, _)| *ask != Ask::Anything) {
        asked.push((Ask::Anything, 1));
    }
    step.state.stage = Stage::Filling { basket, ask: Ask::Anything, asked };
    step.reply = Some(Reply::text(Text::NotPlaced {}));
    step
}

fn greeted(mut step: Step, facts: &Facts<'_>) -> Step {
    // "Hello?" of somebody who waits for a person: told once that one comes, and then left in peace.
    if let Desk::Waiting { since, .. } = step.desk {
        if step.state.soothed != Some(since) {
            step.state.soothed = Some(since);
            step.reply = Some(Reply::text(Text::CallingStill {}));
        }
        return step;
    }
    step.state.slips = 0;
    opened(step, facts)
}

fn greet(facts: &Facts<'_>, reply: &mut Reply) {
    let shop = facts.catalog.merchant.clone();
    let Some(name) = facts.customer.name.clone() else {
        reply.say(Text::Greeting { shop, example: answers::example(facts) });
        reply.say(Text::GreetingHelp {});
        return;
    };
    reply.say(Text::GreetingKnown { name, shop });
    if let Some(last) = facts.usual() {
        reply.say(Text::GreetingUsual { lines: List(last.cart.lines.clone()) });
        reply.offers.push(Offer::Usual);
    }
}

/// The last order again, as far as the shop still has it.
fn usual(mut step: Step, facts: &Facts<'_>) -> Step {
    let Some(last) = facts.usual() else {
        return Step { reply: Some(Reply::text(Text::UsualNone {})), ..step };
    };
    let mut reply = Reply::text(Text::UsualAdded {});
    let known =
        |line: &&crate::cart::Line| line.product.settled().is_some_and(|id| facts.catalog.product(id).is_some());
    let cart = Cart { lines: last.cart.lines.iter().filter(known).cloned().collect() };
    tell_usual_changes(&cart, facts, &mut reply);
    // What is in the cart already stays in it.
    let before = step.state.cart();
    let mut both = before.clone();
    cart.lines.into_iter().for_each(|line| both.add(line));
    let Ok(cart) = vet(both, &before, facts, &mut reply) else {
        step.reply = Some(Reply::text(Text::TooManyItems {}));
        return step.calling(Why::TooMany, facts.now);
    };
    tell_difference(&before, &cart, facts, &mut reply);
    let basket = Basket { cart, ..step.state.basket() };
    step.reply = Some(reply);
    go_on(step, basket, facts, Occasion::Progress)
}

/// "I'd like to order", or "the usual" of somebody who has none.
fn empty_order(mut step: Step, facts: &Facts<'_>) -> Step {
    if !step.state.cart().is_empty() {
        step.reply = Some(Reply::text(Text::CartSame {}));
    }
    match step.state.stage.clone() {
        Stage::Idle => go_on(step, Basket::default(), facts, Occasion::Need),
        Stage::Filling { basket, .. } | Stage::Confirming { basket, .. } => go_on(step, basket, facts, Occasion::Need),
    }
}

fn cancel(mut step: Step, facts: &Facts<'_>) -> Step {
    if !step.state.cart().is_empty() {
        step.state.stage = Stage::Idle;
        step.state.slips = 0;
        step.reply = Some(Reply::text(Text::CartEmptied {}));
        return step;
    }
    let Some(order) = facts.under_way().next() else {
        return Step { reply: Some(Reply::text(Text::OrderCancelNone {})), ..step };
    };
    match order.moved(&Move::Cancel, facts.now) {
        Ok(cancelled) => {
            step.reply = Some(Reply::text(Text::OrderCancelled { number: order.number }));
            step.effects.push(Effect::Move(Box::new(cancelled)));
            step
        }
        Err(_) => {
            step.reply = Some(Reply::text(Text::OrderCancelLate { number: order.number }));
            step.calling(Why::OrderChange, facts.now)
        }
    }
}

fn change_order(step: Step, facts: &Facts<'_>) -> Step {
    match (step.state.stage.clone(), facts.under_way().next()) {
        (Stage::Filling { basket, .. } | Stage::Confirming { basket, .. }, _) => not_placed(step, basket),
        (Stage::Idle, Some(order)) => {
            let step = Step { reply: Some(Reply::text(Text::OrderChangeLate { number: order.number })), ..step };
            step.calling(Why::OrderChange, facts.now)
        }
        (Stage::Idle, None) => Step { reply: Some(Reply::text(Text::StatusNone {})), ..step },
    }
}

fn track(mut step: Step, facts: &Facts<'_>) -> Step {
    let mut reply = Reply::default();
    let mut late = false;
    let mut orders: Vec<&Order> = facts.under_way().collect();
    if orders.is_empty() {
        orders.extend(facts.orders.first());
    }
    for order in orders {
        late |= news::status(order, facts, &mut reply);
    }
    if !reply.says_any() {
        reply.say(Text::StatusNone {});
    }
    step.state.slips = 0;
    step.reply = Some(reply);
    if late { step.calling(Why::OrderChange, facts.now) } else { step }
}

fn languages(mut step: Step, facts: &Facts<'_>) -> Step {
    let mut reply = Reply::text(Text::Languages {});
    reply.offers = facts.languages.iter().copied().map(Offer::Language).collect();
    step.reply = Some(reply);
    step
}

fn speak(mut step: Step, language: crate::language::Language) -> Step {
    step.effects.push(Effect::Speak(language));
    Step { reply: Some(Reply::text(Text::LanguageSet {})), ..step }
}

fn call(mut step: Step, why: Why, facts: &Facts<'_>) -> Step {
    step.reply = Some(Reply::text(match (&step.desk, facts.opening()) {
        (Desk::Waiting { .. }, _) => Text::CallingStill {},
        (Desk::Bot | Desk::Staff { .. }, Some(opening)) => Text::CallingPersonClosed { opening: DayTime(opening) },
        (Desk::Bot | Desk::Staff { .. }, None) => Text::CallingPerson {},
    }));
    step.calling(why, facts.now)
}

/// Says what the cart holds after a question about it was answered.
fn tell_taken(cart: &Cart, facts: &Facts<'_>, reply: &mut Reply) {
    if let Ok(sum) = crate::quote::quote(facts.catalog, cart, None, None) {
        for (line, priced) in cart.lines.iter().zip(&sum.lines) {
            reply.say(Text::LineSum { line: line.clone(), sum: priced.total });
        }
    }
}

/// The offer that a bare number stands for, where offers were shown with numbers or are near names to choose from; or
/// the one product or choice among them whose name holds all the words of the text.
fn named_offer(text: &str, state: &State, facts: &Facts<'_>) -> Option<Offer> {
    let offers = &state.offered.offers;
    let asks_which = matches!(state.guess, Some(Guess::Near { .. }))
        || matches!(state.stage, Stage::Filling { ask: Ask::Which { .. } | Ask::WhichOption { .. }, .. });
    let bare = text.trim().trim_end_matches(['.', '!']);
    if let Ok(number) = bare.parse::<usize>() {
        let offer = offers.get(number.checked_sub(1)?)?;
        let near = matches!((&state.guess, offer), (Some(Guess::Near { .. }), Offer::Product(_) | Offer::Choice(..)));
        return (near || offers.len() > facts.buttons).then(|| offer.clone());
    }
    if !asks_which {
        return None;
    }
    let said = words_of(bare);
    let mut named = offers.iter().filter(|offer| {
        let names = offer.thing().and_then(|thing| match thing {
            Meant::Product(id) => facts.catalog.product(&id).map(|product| &product.names),
            Meant::Choice(group, choice) => facts.catalog.choice(&group, &choice).map(|choice| &choice.names),
        });
        let holds = |name: &str| {
            let name = words_of(name);
            said.iter().all(|word| name.contains(word))
        };
        !said.is_empty() && names.is_some_and(|names| names.all().any(|(_, name)| holds(name)))
    });
    match (named.next(), named.next()) {
        (Some(one), None) => Some(one.clone()),
        (_, _) => None,
    }
}

/// A text's words in small letters.
fn words_of(text: &str) -> Vec<String> {
    text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// How often each question was put in the order that is being filled.
fn counts(state: &State) -> Vec<(Ask, u8)> {
    match &state.stage {
        Stage::Filling { asked, .. } => asked.clone(),
        Stage::Idle | Stage::Confirming { .. } => Vec::new(),
    }
}

/// Whether a message says something of an order besides its cart: how it comes, where to, for whom, a wish; or names
/// what the shop lacks.
fn says_more(words: &Words<'_>, stage: &Stage) -> bool {
    let reading = words.reading;
    let (fulfilment, name) = match stage {
        Stage::Idle => (None, None),
        Stage::Filling { basket, .. } | Stage::Confirming { basket, .. } => (basket.fulfilment, basket.name.clone()),
    };
    (reading.fulfilment.is_some() && reading.fulfilment != fulfilment)
        || reading.address.is_some()
        || (reading.name.is_some() && reading.name != name)
        || !reading.wishes.is_empty()
        || (matches!(reading.intent, Intent::Confirm) && !reading.unmatched.is_empty())
}

/// One or two words of letters that begin with a capital, as names are written.
fn looks_like_a_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let name =
        |word: &&str| word.chars().next().is_some_and(char::is_uppercase) && word.chars().all(char::is_alphabetic);
    (1..=2).contains(&words.len()) && words.iter().all(name)
}

/// Whether the words only say again what the read-back shows already.
fn repeats(text: &str, basket: &Basket) -> bool {
    let same = |known: &Option<String>| known.as_ref().is_some_and(|k| k.to_lowercase() == text.trim().to_lowercase());
    same(&basket.name) || same(&basket.address)
}

fn is_question(intent: Intent) -> bool {
    match intent {
        Intent::Menu
        | Intent::ProductQuestion
        | Intent::PriceQuestion
        | Intent::DeliveryQuestion
        | Intent::PaymentQuestion
        | Intent::Hours
        | Intent::Points
        | Intent::Redeem
        | Intent::Join
        | Intent::Offers
        | Intent::ReferFriend => true,
        Intent::Order
        | Intent::Checkout
        | Intent::Confirm
        | Intent::Decline
        | Intent::ChangeOrder
        | Intent::CancelOrder
        | Intent::TrackOrder
        | Intent::Complaint
        | Intent::Refund
        | Intent::Human
        | Intent::StopOffers
        | Intent::StartOffers
        | Intent::Rating
        | Intent::MyData
        | Intent::Language
        | Intent::Greeting
        | Intent::Thanks
        | Intent::Other => false,
    }
}
