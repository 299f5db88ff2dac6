//! What a customer is ordering, beside their chat, and the form with which the staff correct it.
//!
//! Races: the form carries the version of the conversation that it was made from. Where the customer or a colleague was
//! faster, nothing is changed: the form comes back as it was filled in, with the version that is now, beside the order as
//! it now stands. It stands outside what is refreshed, so that nothing that is half filled in is lost.

use axum::{
    Form,
    extract::{Extension, Path, State as Extract},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    Console, board,
    failure::Failure,
    page::{self, Open, Side},
    session::{self, Staff},
    talks::{self, SAID},
};
use crate::{
    cart::{Amount, Chosen, Line, Pick},
    catalog::{Catalog, Group, Product},
    conversation::State,
    id::{ChoiceId, ConversationId, GroupId, ProductId},
    language::Language,
    quote::{MOST_OF_A_LINE, quote},
    store::ConversationView,
    understanding::alias,
    work::{Action, Change, Correction, NotDone},
};

/// Most pieces that were not understood which are shown: the latest.
const MOST_PIECES: usize = 6;

/// A line of the order, by its place; or one that is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    New,
    At(usize),
}

/// What the form holds. Options are pairs of a group and a choice with how it is wanted.
#[derive(Debug, Clone, Default)]
struct Filled {
    version: i64,
    product: Option<ProductId>,
    quantity: String,
    words: String,
    options: Vec<(GroupId, ChoiceId, How)>,
    /// The line as the form showed it first, by which it is found again when the order has changed.
    was: Option<Line>,
    remove: bool,
}

/// How a choice is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    With,
    Extra,
    Light,
    Without,
}

const HOWS: [(How, &str, &str); 4] = [
    (How::With, "with", "with"),
    (How::Extra, "extra", "extra"),
    (How::Light, "light", "light"),
    (How::Without, "without", "without"),
];

/// The words that a new line is for, in the address of its form.
#[derive(serde::Deserialize)]
pub(super) struct For {
    #[serde(default)]
    words: String,
}

/// The form for a line.
pub(super) async fn form(
    Extract(console): Extract<Console>,
    Extension(staff): Extension<Staff>,
    Path((id, place)): Path<(String, String)>,
    axum::extract::Query(wanted): axum::extract::Query<For>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (id, place) = (talks::read_id(&id)?, Place::read(&place)?);
    let (view, catalog) = (view_of(&console, id).await?, catalog_of(&console)?);
    let state = state_of(&view);
    let filled = match place {
        Place::New => Filled { words: wanted.words, quantity: "1".to_owned(), ..Filled::default() },
        Place::At(at) => Filled::of(state.cart().lines.get(at).ok_or(Failure::Missing)?),
    };
    let editor = editor(&view, &state, &catalog.catalog, place, &filled, None);
    if session::by_script(&headers) {
        return Ok(editor.into_response());
    }
    Ok(page::whole(&console, &staff, Side::Talk(id, Open::Editor(editor)), None).await?.into_response())
}

/// Changes a line, adds one or takes one out. By the script it answers with what then stands in the form's place:
/// nothing where it was done.
pub(super) async fn change(
    Extract(console): Extract<Console>,
    Extension(staff): Extension<Staff>,
    Path((id, place)): Path<(String, String)>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (id, place) = (talks::read_id(&id)?, Place::read(&place)?);
    let shop = catalog_of(&console)?;
    let filled = Filled::read(&fields)?;
    let view = view_of(&console, id).await?;
    let fault = match filled.change(place, &state_of(&view), &shop.catalog)? {
        Err(slip) => Some(slip.to_owned()),
        Ok(change) => {
            let words = Some(filled.words.trim().to_owned()).filter(|words| !words.is_empty() && !filled.remove);
            let correction = Correction { conversation: id, version: filled.version, change, words };
            let action = Action::Correct(Box::new(correction));
            let done = console.web.work.act(&console.web.merchant, &staff.name, action).await;
            done.err().map(|fault| match fault {
                NotDone::Stale => "something was said or done in this chat meanwhile. Look, and save again.".to_owned(),
                other => board::in_words(other),
            })
        }
    };
    let by_script = session::by_script(&headers);
    let Some(fault) = fault else {
        return Ok(match by_script {
            true => ([SAID], html! {}).into_response(),
            false => Redirect::to(&talks::address(id)).into_response(),
        });
    };
    // As it now stands, with what was filled in.
    let view = view_of(&console, id).await?;
    let state = state_of(&view);
    // The line may have moved, or be gone: then what was filled in can be added.
    let found = filled.was.as_ref().and_then(|was| state.cart().lines.iter().position(|line| line.same_thing(was)));
    let place = found.map_or(Place::New, Place::At);
    let editor = editor(&view, &state, &shop.catalog, place, &filled, Some(&fault));
    if by_script {
        return Ok(([SAID], editor).into_response());
    }
    Ok(page::whole(&console, &staff, Side::Talk(id, Open::Editor(editor)), None).await?.into_response())
}

/// The order so far, with what was not understood, for the conversation's page.
pub(super) fn live(view: &ConversationView, catalog: &Catalog) -> Markup {
    let state = state_of(view);
    let cart = state.cart();
    let total = quote(catalog, &cart, None, None).ok().map(|sum| sum.goods);
    let href = |place: Place| format!("{}/cart/{}", talks::address(view.id), place.word());
    let link = |href: &str, label: Markup| {
        html! { a.button href=(href) hx-get=(href) hx-target="#edit" hx-swap="innerHTML" { (label) } }
    };
    html! {
        section.cart aria-label="In the order so far" {
            p.first {
                b { "In the order so far" }
                @if let Some(total) = total.filter(|_| !cart.is_empty()) { b { (board::amount(total)) } }
            }
            @if cart.is_empty() { p.hint { "Nothing yet." } }
            ul.lines {
                @for (at, line) in cart.lines.iter().enumerate() {
                    li { div { (board::line(line, catalog)) } (link(&href(Place::At(at)), html! { "Change" })) }
                }
            }
            p.pieces {
                @for missed in state.missed.iter().rev().filter(|missed| !missed.settled).take(MOST_PIECES) {
                    (link(&with_words(&href(Place::New), &missed.piece), html! { "“" (missed.piece) "”?" })) " "
                }
                (link(&href(Place::New), html! { "Add a line" }))
            }
        }
    }
}

fn editor(
    view: &ConversationView,
    state: &State,
    catalog: &Catalog,
    place: Place,
    filled: &Filled,
    fault: Option<&str>,
) -> Markup {
    let href = format!("{}/cart/{}/save", talks::address(view.id), place.word());
    let back = talks::address(view.id);
    let language = board::own_language(catalog);
    let chosen = filled.product.as_ref().and_then(|id| catalog.product(id));
    html! {
        form.editor method="post" action=(href) hx-post=(href) hx-target="#edit" hx-swap="innerHTML"
            hx-disabled-elt="find button" hx-disinherit="hx-disabled-elt" {
            @if let Some(fault) = fault {
                div.alert role="alert" {
                    p { "Not done: " (fault) }
                    @if !state.cart().is_empty() {
                        p { "The order now: "
                            @for line in &state.cart().lines { (board::line_words(line, catalog)) ". " }
                        }
                    }
                }
            }
            input type="hidden" name="version" value=(view.version);
            @if let Some(was) = &filled.was {
                input type="hidden" name="was" value=(serde_json::to_string(was).unwrap_or_default());
            }
            p { b { @match place { Place::New => "Add to the order", Place::At(_) => "Change this line" } }
                " " span.hint { "The customer is told." } }
            div.pair {
                label { "How many"
                    input type="number" name="quantity" min="1" max=(MOST_OF_A_LINE) required value=(filled.quantity);
                }
                label { "What" (products(catalog, filled.product.as_ref(), language)) }
            }
            @if let (Place::At(_), Some(product)) = (place, chosen) {
                @for group in catalog.groups_of(product) { (group_fields(group, filled, language)) }
            }
            label { span { "The customer's words for it " span.hint { "– a suggested name" } }
                input type="text" name="words" list="pieces" maxlength=(alias::LONGEST) autocomplete="off"
                    value=(filled.words) placeholder="as they wrote them, or nothing";
            }
            datalist #pieces {
                @for missed in state.missed.iter().filter(|missed| !missed.settled) { option value=(missed.piece) {} }
            }
            div.actions {
                button.main type="submit" { "Save" }
                @if let Place::At(_) = place {
                    button type="submit" name="remove" value="1" formnovalidate { "Take it out" }
                }
                a.button href=(back) hx-get=(back) hx-target="#side" hx-swap="outerHTML" { "Leave it" }
            }
        }
    }
}

fn products(catalog: &Catalog, chosen: Option<&ProductId>, language: Language) -> Markup {
    let of = |id| catalog.products.iter().filter(move |p: &&Product| p.category == id);
    html! {
        select name="product" required {
            @if chosen.is_none() { option value="" { "Choose …" } }
            @for category in &catalog.categories {
                optgroup label=(category.names.shown(language)) {
                    @for product in of(category.id.clone()) {
                        option value=(product.id) selected[chosen == Some(&product.id)] disabled[!product.available] {
                            (product.names.shown(language)) @if !product.available { " (sold out)" }
                        }
                    }
                }
            }
        }
    }
}

fn group_fields(group: &Group, filled: &Filled, language: Language) -> Markup {
    let name = group.names.shown(language);
    let how = |choice: &ChoiceId| filled.options.iter().find(|(g, c, _)| *g == group.id && c == choice).map(|o| o.2);
    let any = group.choices.iter().any(|choice| how(&choice.id).is_some());
    let plain = group.choices.iter().all(|choice| how(&choice.id).is_none_or(|how| how == How::With));
    if group.max == Some(1) && plain {
        return html! {
            label { (name)
                select name=(field(&["one", group.id.as_str()])) {
                    option value="" { "–" }
                    @for choice in &group.choices {
                        option value=(choice.id) selected[how(&choice.id).is_some()] { (choice.names.shown(language)) }
                    }
                }
            }
        };
    }
    html! {
        details open[any] {
            summary { (name) }
            div.choices {
                @for choice in &group.choices {
                    label { (choice.names.shown(language))
                        select name=(field(&["many", group.id.as_str(), choice.id.as_str()])) {
                            option value="" { "–" }
                            @for (each, word, shown) in HOWS {
                                option value=(word) selected[how(&choice.id) == Some(each)] { (shown) }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Place {
    fn read(word: &str) -> Result<Place, Failure> {
        match word {
            "new" => Ok(Place::New),
            at => at.parse().map(Place::At).map_err(|_| Failure::Missing),
        }
    }

    fn word(self) -> String {
        match self {
            Place::New => "new".to_owned(),
            Place::At(at) => at.to_string(),
        }
    }
}

impl Filled {
    /// As a line stands.
    fn of(line: &Line) -> Filled {
        let whole = line.options.iter().filter(|option| option.half.is_none());
        let options = whole.filter_map(|option| {
            let choice = option.choice.settled()?.clone();
            Some((option.group.clone(), choice, How::of(option)))
        });
        Filled {
            product: line.product.settled().cloned(),
            quantity: line.quantity.to_string(),
            options: options.collect(),
            was: Some(line.clone()),
            ..Filled::default()
        }
    }

    fn read(fields: &[(String, String)]) -> Result<Filled, Failure> {
        let mut filled = Filled::default();
        let mut version = None;
        for (name, value) in fields {
            let parts: Vec<String> = serde_json::from_str(name).unwrap_or_else(|_| vec![name.clone()]);
            match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["version"] => version = value.parse().ok(),
                ["product"] => filled.product = value.parse().ok(),
                ["quantity"] => filled.quantity.clone_from(value),
                ["words"] => filled.words.clone_from(value),
                ["was"] => filled.was = Some(serde_json::from_str(value).map_err(|_| Failure::Form)?),
                ["remove"] => filled.remove = true,
                ["one" | "many", ..] if value.is_empty() => {}
                ["one", group] => {
                    let choice = value.parse().map_err(|_| Failure::Form)?;
                    filled.options.push((group.parse().map_err(|_| Failure::Form)?, choice, How::With));
                }
                ["many", group, choice] => {
                    let how = HOWS.iter().find(|(_, word, _)| word == value).ok_or(Failure::Form)?.0;
                    let (group, choice) = (group.parse(), choice.parse());
                    filled.options.push((group.map_err(|_| Failure::Form)?, choice.map_err(|_| Failure::Form)?, how));
                }
                _ => return Err(Failure::Form),
            }
        }
        filled.version = version.ok_or(Failure::Form)?;
        Ok(filled)
    }

    /// The change that was filled in; the inner error is a slip of the person who filled it in.
    fn change(&self, place: Place, state: &State, catalog: &Catalog) -> Result<Result<Change, &'static str>, Failure> {
        if self.remove {
            return match place {
                Place::At(at) => Ok(Ok(Change::Remove(at))),
                Place::New => Err(Failure::Form),
            };
        }
        let Some(product) = self.product.as_ref().and_then(|id| catalog.product(id)) else {
            return Ok(Err("choose a product."));
        };
        let Ok(quantity @ 1..=MOST_OF_A_LINE) = self.quantity.trim().parse::<u32>() else {
            return Ok(Err("write how many, 1 to 999."));
        };
        let cart = state.cart();
        let before = match place {
            Place::At(at) => cart.lines.get(at),
            Place::New => None,
        };
        // Another product keeps what it can have too.
        let goes = |group: &GroupId| product.groups.contains(group);
        let options = self.options.iter().filter(|(group, _, _)| goes(group)).map(|(group, choice, how)| {
            let had = before.and_then(|line| line.options.iter().find(|o| is(o, group, choice) && How::of(o) == *how));
            had.cloned().unwrap_or_else(|| how.chosen(group.clone(), choice.clone()))
        });
        // What is wished for one half alone the form has no field for: it stays as it was.
        let had = before.into_iter().flat_map(|line| &line.options);
        let of_halves = had.filter(|option| option.half.is_some() && goes(&option.group)).cloned();
        let options = options.chain(of_halves).collect();
        let line = Line { quantity, options, product: Pick::One(product.id.clone()) };
        Ok(Ok(match place {
            Place::New => Change::Add(line),
            Place::At(at) => Change::Replace(at, line),
        }))
    }
}

impl How {
    fn of(option: &Chosen) -> How {
        match (option.without, option.amount) {
            (true, _) => How::Without,
            (false, Amount::Extra) => How::Extra,
            (false, Amount::Light) => How::Light,
            (false, Amount::Normal) => How::With,
        }
    }

    fn chosen(self, group: GroupId, choice: ChoiceId) -> Chosen {
        let plain = Chosen::of(group, choice);
        match self {
            How::With => plain,
            How::Extra => Chosen { amount: Amount::Extra, ..plain },
            How::Light => Chosen { amount: Amount::Light, ..plain },
            How::Without => Chosen { without: true, ..plain },
        }
    }
}

/// The name of a field for an option: JSON, as ids may hold any sign.
fn field(parts: &[&str]) -> String {
    serde_json::json!(parts).to_string()
}

fn is(option: &Chosen, group: &GroupId, choice: &ChoiceId) -> bool {
    option.group == *group && option.choice.settled() == Some(choice) && option.half.is_none()
}

async fn view_of(console: &Console, id: ConversationId) -> Result<ConversationView, Failure> {
    console.web.work.store().conversation(&console.web.merchant, id).await?.ok_or(Failure::Missing)
}

fn catalog_of(console: &Console) -> Result<std::sync::Arc<crate::work::OpenShop>, Failure> {
    console.web.work.shop(&console.web.merchant).ok_or(Failure::Missing)
}

/// Where the bot stands; one that can't be read shows as nothing, and the desk says so.
fn state_of(view: &ConversationView) -> State {
    serde_json::from_str(&view.state).unwrap_or_default()
}

fn with_words(href: &str, words: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("words", words).finish();
    format!("{href}?{query}")
}
