//! Corrections by the staff: a line of what a customer is ordering is added, changed or removed, the customer is told the
//! difference, and what the customer's words meant by it becomes a suggested name of the shop's.
//!
//! Races: a correction names the version of the conversation that the staff saw; where anything was said or done in it
//! since, nothing is changed and the staff are told. A name goes live in the transaction that approves it, and the shop's
//! version changes with it, by which every process that serves the shop opens it anew.

use super::{
    Event, NotDone, OpenShop, Work,
    turn::{Failed, Outcome, Talk},
};
use crate::{
    cart::{Cart, Line},
    catalog::Catalog,
    conversation::Input,
    id::{ConversationId, MerchantId},
    moment::Moment,
    quote::{self, Fault, Refusal, quote},
    store::{NewName, Recalled, Standing, Tx},
    understanding::{
        Intent, Lexicons, Utterance,
        alias::{Alias, Meant, Phrase},
    },
};

/// A change of what a customer is ordering.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Whose order.
    pub conversation: ConversationId,
    /// The version of the conversation that the staff saw.
    pub version: i64,
    /// What is changed.
    pub change: Change,
    /// The customer's words that meant it, where the staff named them.
    pub words: Option<String>,
}

/// What is changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// A line is added.
    Add(Line),
    /// A line becomes another.
    Replace(usize, Line),
    /// A line goes.
    Remove(usize),
}

/// The cart after a change, with the line as it was and as it is.
struct Changed {
    cart: Cart,
    before: Option<Line>,
    after: Option<Line>,
}

/// Words of a customer's, with where they stand.
struct Said {
    phrase: Phrase,
    written: String,
    seq: i64,
}

impl Talk<'_> {
    /// Corrects what the customer is ordering.
    pub(super) async fn correct(&mut self, staff: &str, correction: &Correction) -> Result<(), Failed> {
        if self.conversation.version != correction.version {
            return Err(NotDone::Stale.into());
        }
        let Recalled::Known(state) = &self.conversation.state else {
            return Err(NotDone::Refused("the program can't read this order; answer the customer".to_owned()).into());
        };
        let before = state.cart();
        let changed = changed(&before, &correction.change, &self.shop.catalog)?;
        if changed.cart == before {
            return Err(NotDone::Refused("that is how it stands already".to_owned()).into());
        }
        let said = self.words_meant(correction, &changed).await?;
        self.happens(&Input::Corrected(&changed.cart)).await?;
        self.note(&format!("{staff} changed the order")).await?;
        let meant = changed.after.as_ref().and_then(|after| Meant::by(changed.before.as_ref(), after));
        match (said, meant) {
            (Some(said), Some(meant)) => self.suggest(staff, said, meant).await,
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// The customer's words that a correction is about: those that the staff named, or those that were read as the
    /// product which the line no longer is.
    async fn words_meant(&mut self, correction: &Correction, changed: &Changed) -> Result<Option<Said>, Failed> {
        let messages = self.tx.customer_said(&self.shop.id, self.conversation.id).await?;
        if let Some(words) = &correction.words {
            let phrase = Phrase::parse(words).map_err(|fault| NotDone::Refused(format!("{words:?}: {fault}")))?;
            let Some((seq, _)) = messages.iter().find(|(_, body)| phrase.is_in(body)) else {
                let why =
                    format!("the customer did not write {words:?}; copy their words as they stand, or leave it out");
                return Err(NotDone::Refused(why).into());
            };
            return Ok(Some(Said { phrase, written: words.trim().to_owned(), seq: *seq }));
        }
        let (Some(before), Some(after)) = (&changed.before, &changed.after) else { return Ok(None) };
        let Some(product) = before.product.settled().filter(|_| before.product != after.product) else {
            return Ok(None);
        };
        let read = messages.iter().find_map(|(seq, body)| {
            let written = self.shop.engine.words_for(body, product)?;
            Some(Said { phrase: Phrase::parse(written).ok()?, written: written.to_owned(), seq: *seq })
        });
        Ok(read)
    }

    async fn suggest(&mut self, staff: &str, said: Said, meant: Meant) -> Result<(), Failed> {
        if let Recalled::Known(state) = &mut self.conversation.state {
            state.settle(&said.written);
        }
        if let Err(why) = fits(&self.shop, &self.work.inner.words.lexicons, &said.phrase, &meant) {
            return Ok(self.note(&format!("No name is suggested: {why}")).await?);
        }
        let alias = Alias { phrase: said.phrase, language: self.language(), meant };
        let (conversation, seq) = (self.conversation.id, said.seq);
        let name = NewName { alias: &alias, written: &said.written, conversation, seq, by: staff };
        self.tx.suggest_name(&self.shop.id, &name, self.now).await?;
        self.outcome.events.push(Event::Names { merchant: self.shop.id.clone() });
        Ok(())
    }
}

/// Approves a name, or takes it out of use.
pub(super) async fn decide(
    work: &Work,
    tx: &mut Tx,
    merchant: &MerchantId,
    (phrase, meant): (&Phrase, &Meant),
    approved: bool,
    now: Moment,
    outcome: &mut Outcome,
) -> Result<(), Failed> {
    let shop = work.shop(merchant).ok_or(NotDone::Missing)?;
    if approved {
        fits(&shop, &work.inner.words.lexicons, phrase, meant).map_err(NotDone::Refused)?;
        if let Some(other) = tx.live_meaning(merchant, phrase).await?.filter(|other| other != meant) {
            let (phrase, other) = (phrase.as_str(), other.shown_to_staff(&shop.catalog));
            return Err(NotDone::Refused(format!("“{phrase}” already means {other} here; remove that first")).into());
        }
    }
    let standing = if approved { Standing::Approved } else { Standing::Dismissed };
    if !tx.decide_name(merchant, phrase, meant, standing, now).await? {
        return Err(NotDone::Missing.into());
    }
    outcome.reopen = true;
    outcome.events.push(Event::Names { merchant: merchant.clone() });
    Ok(())
}

/// Applies a change to a cart. What the catalogue can't price is refused; an option that has still to be chosen is not,
/// as the bot asks for it.
fn changed(before: &Cart, change: &Change, catalog: &Catalog) -> Result<Changed, NotDone> {
    let mut lines = before.lines.clone();
    let at = |at: &usize| before.lines.get(*at).cloned().ok_or(NotDone::Stale);
    let (old, new) = match change {
        Change::Add(line) => {
            lines.push(line.clone());
            (None, Some(line.clone()))
        }
        Change::Replace(place, line) => {
            let old = at(place)?;
            lines[*place] = line.clone();
            (Some(old), Some(line.clone()))
        }
        Change::Remove(place) => {
            let old = at(place)?;
            lines.remove(*place);
            (Some(old), None)
        }
    };
    let cart = Cart { lines }.joined();
    let alone = new.iter().map(|line| Cart { lines: vec![line.clone()] });
    for cart in alone.chain([cart.clone()]) {
        match quote(catalog, &cart, None, None) {
            Ok(_)
            | Err(Refusal::Line(_, Fault::Missing(_) | Fault::AmbiguousProduct(_) | Fault::AmbiguousChoice(..))) => {}
            Err(Refusal::Line(_, fault)) => return Err(NotDone::Refused(in_words(&fault, catalog))),
            Err(other @ (Refusal::Lines(_) | Refusal::Total(_))) => return Err(NotDone::Refused(other.to_string())),
        }
    }
    Ok(Changed { cart, before: old, after: new })
}

/// What is wrong with a line, in the staff's words.
fn in_words(fault: &Fault, catalog: &Catalog) -> String {
    let product = |id: &crate::id::ProductId| Meant::Product(id.clone()).shown_to_staff(catalog);
    match fault {
        Fault::ProductSoldOut(id) => format!("{} is sold out", product(id)),
        Fault::ChoiceSoldOut(group, choice) => {
            format!("{} is sold out", Meant::Choice(group.clone(), choice.clone()).shown_to_staff(catalog))
        }
        Fault::Quantity(_) | Fault::NoQuantity => format!("the quantity is 1 to {}", quote::MOST_OF_A_LINE),
        Fault::UnknownProduct(_)
        | Fault::UnknownGroup(_)
        | Fault::UnknownChoice(..)
        | Fault::AmbiguousProduct(_)
        | Fault::AmbiguousChoice(..)
        | Fault::NotItsGroup(..)
        | Fault::Missing(_)
        | Fault::TooMany(..)
        | Fault::Count(..)
        | Fault::Price => fault.to_string(),
    }
}

/// Whether a phrase can be a name of that thing in this shop; why not, in the staff's words.
fn fits(shop: &OpenShop, lexicons: &Lexicons, phrase: &Phrase, meant: &Meant) -> Result<(), String> {
    let shown = phrase.as_str();
    if !meant.is_in(&shop.catalog) {
        return Err(format!("{} is not in the catalogue any more", meant.shown_to_staff(&shop.catalog)));
    }
    let owners = phrase.owners(&shop.catalog);
    if let Some(owner) = owners.iter().find(|owner| *owner != meant) {
        return Err(format!("“{shown}” is the name of {}", owner.shown_to_staff(&shop.catalog)));
    }
    if !owners.is_empty() {
        return Err(format!("“{shown}” is its name already"));
    }
    if phrase.is_everyday(lexicons) || means_something(shop, shown) {
        return Err(format!("“{shown}” means something else to every customer"));
    }
    Ok(())
}

/// Whether the words by themselves ask the shop for something that is no order.
fn means_something(shop: &OpenShop, words: &str) -> bool {
    let nothing = Cart::default();
    let reading = shop.engine.read(&Utterance {
        text: words,
        language: None,
        prior: None,
        cart: &nothing,
        usual: &nothing,
        expecting: None,
    });
    reading.undo || reading.pause || !matches!(reading.intent, Intent::Order | Intent::Other | Intent::ProductQuestion)
}
