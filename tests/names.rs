//! Corrections by the staff, and the names that come of them: through the real turn, over a real database.

use std::{fs, path::Path};

use theusual::{
    cart::{Cart, Line},
    channel::{Arrival, ChannelKind, Content, Inbox as _, Peer},
    conversation::State,
    id::{ConversationId, MerchantId},
    moment::{Moment, Span},
    store::{Author, NameView, Standing, Store},
    understanding::alias::{Meant, Phrase},
    work::{Action, Change, Correction, Event, Habits, NotDone, Work, new_id, now},
};

use self::support::place::Place;

mod support;

/// A database with two shops that sell the same.
struct House {
    place: Place,
}

impl House {
    async fn new() -> House {
        let house = House { place: Place::new().await };
        let store = Store::open(&house.place.address()).await.unwrap();
        for shop in ["one", "two"] {
            store.import(&shop.parse().unwrap(), &file("catalog.json"), &file("faq.json"), Moment(0)).await.unwrap();
        }
        store.close().await;
        house
    }

    async fn work(&self) -> Work {
        let store = Store::open(&self.place.address()).await.unwrap();
        Work::start(store, Habits { gather: Span::millis(0) }, Vec::new()).await.unwrap()
    }
}

/// A customer of a shop.
struct Customer<'a> {
    work: &'a Work,
    shop: MerchantId,
    name: &'a str,
}

impl Customer<'_> {
    async fn says(&self, text: &str) -> String {
        let before = self.heard().await.len();
        let arrival = Arrival {
            merchant: self.shop.clone(),
            channel: ChannelKind::Web,
            foreign_id: format!("{:032x}", new_id()),
            peer: Peer::new(self.name).unwrap(),
            name: None,
            language: None,
            at: now(),
            content: Content::words(text).unwrap(),
            raw: String::new(),
        };
        self.work.deliver(arrival).await.unwrap();
        self.heard().await.split_off(before).join("\n").replace('\u{a0}', " ")
    }

    async fn id(&self) -> Option<ConversationId> {
        let peer = Peer::new(self.name).unwrap();
        self.work.store().conversation_with(&self.shop, ChannelKind::Web, &peer).await.unwrap()
    }

    /// All that the shop has said.
    async fn heard(&self) -> Vec<String> {
        let Some(id) = self.id().await else { return Vec::new() };
        let all = self.work.store().messages(&self.shop, id, 0).await.unwrap();
        all.into_iter().filter(|m| matches!(m.author, Author::Bot | Author::Staff)).map(|m| m.body).collect()
    }

    async fn notes(&self) -> Vec<String> {
        let all = self.work.store().messages(&self.shop, self.id().await.unwrap(), 0).await.unwrap();
        all.into_iter().filter(|m| m.author == Author::Note).map(|m| m.body).collect()
    }

    async fn state(&self) -> (State, i64) {
        let view = self.work.store().conversation(&self.shop, self.id().await.unwrap()).await.unwrap().unwrap();
        (serde_json::from_str(&view.state).unwrap(), view.version)
    }

    async fn cart(&self) -> Cart {
        self.state().await.0.cart()
    }

    /// The staff correct this customer's order as it now stands.
    async fn corrected(&self, change: Change, words: Option<&str>) -> Result<String, NotDone> {
        let version = self.state().await.1;
        self.corrected_at(version, change, words).await
    }

    async fn corrected_at(&self, version: i64, change: Change, words: Option<&str>) -> Result<String, NotDone> {
        let before = self.heard().await.len();
        let correction =
            Correction { conversation: self.id().await.unwrap(), version, change, words: words.map(str::to_owned) };
        self.work.act(&self.shop, "Ana", Action::Correct(Box::new(correction))).await?;
        Ok(self.heard().await.split_off(before).join("\n"))
    }
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples/pizzeria").join(name)).unwrap()
}

fn customer<'a>(work: &'a Work, shop: &str, name: &'a str) -> Customer<'a> {
    Customer { work, shop: shop.parse().unwrap(), name }
}

fn line(product: &str, quantity: u32) -> Line {
    Line { quantity, ..Line::of(product.parse().unwrap()) }
}

fn product(id: &str) -> Meant {
    Meant::Product(id.parse().unwrap())
}

async fn names(work: &Work, shop: &str, standing: Standing) -> Vec<NameView> {
    work.store().names(&shop.parse().unwrap(), standing).await.unwrap()
}

async fn decide(work: &Work, shop: &str, phrase: &str, meant: Meant, approved: bool) -> Result<(), NotDone> {
    let action = Action::Name { phrase: Phrase::parse(phrase).unwrap(), meant, approved };
    work.act(&shop.parse().unwrap(), "Ana", action).await
}

#[tokio::test]
async fn what_a_customer_calls_a_thing_becomes_its_name_in_that_shop_alone() {
    let house = House::new().await;
    let work = house.work().await;
    let (marta, nina) = (customer(&work, "one", "marta"), customer(&work, "one", "nina"));

    // Not known: said once, and with the staff's help ordered all the same.
    let answer = marta.says("2 cola and a Gondoliera").await;
    assert!(answer.contains("couldn't find “Gondoliera”"), "{answer}");
    assert_eq!(marta.state().await.0.missed[0].piece, "Gondoliera");
    let told = marta.corrected(Change::Add(line("capricciosa", 1)), Some("gondoliera")).await.unwrap();
    assert!(told.starts_with("The shop has changed your order:\nAdded: 1 × Capricciosa"), "{told}");
    assert!(marta.state().await.0.missed[0].settled, "not shown to the staff again");
    assert!(marta.notes().await.contains(&"Ana changed the order".to_owned()));

    // Suggested with the message that it came from, and not yet used; counted when it comes again.
    assert!(nina.says("one gondoliera please").await.contains("couldn't find"));
    nina.corrected(Change::Add(line("capricciosa", 1)), Some("gondoliera")).await.unwrap();
    let suggested = names(&work, "one", Standing::Suggested).await;
    let [name] = suggested.as_slice() else { panic!("{suggested:?}") };
    assert_eq!((name.times, name.by.as_str(), &name.alias.meant), (2, "Ana", &product("capricciosa")));
    assert_eq!(name.message.as_deref(), Some("one gondoliera please"));

    // One press, and the next customer orders it; in the other shop nobody knows it.
    decide(&work, "one", "gondoliera", product("capricciosa"), true).await.unwrap();
    let olga = customer(&work, "one", "olga");
    assert!(olga.says("three Gondoliera for pickup").await.contains("Added: 3 × Capricciosa"), "live at once");
    assert!(names(&work, "two", Standing::Approved).await.is_empty());
    let other = customer(&work, "two", "olga");
    assert!(other.says("three gondoliera").await.contains("couldn't find"));

    // It survives a restart and another import of the catalogue, and goes when it is removed.
    work.close().await;
    let work = house.work().await;
    assert!(customer(&work, "one", "per").says("a gondoliera").await.contains("Added: 1 × Capricciosa"));
    let mut changes = work.events();
    let store = Store::open(&house.place.address()).await.unwrap();
    store.import(&"one".parse().unwrap(), &file("catalog.json"), &file("faq.json"), Moment(0)).await.unwrap();
    while changes.recv().await.unwrap().event != Event::Anything {}
    assert!(customer(&work, "one", "pia").says("a gondoliera").await.contains("Added: 1 × Capricciosa"));
    decide(&work, "one", "gondoliera", product("capricciosa"), false).await.unwrap();
    assert!(!customer(&work, "one", "pål").says("a gondoliera").await.contains("Added"));
    assert_eq!(names(&work, "one", Standing::Dismissed).await.len(), 1);
    work.close().await;
}

#[tokio::test]
async fn a_line_that_was_read_wrong_names_its_words_by_itself() {
    let house = House::new().await;
    let work = house.work().await;
    let marta = customer(&work, "one", "marta");
    let answer = marta.says("2 tiramisoup").await;
    assert!(answer.contains("Added: 2 × Tiramisu"), "{answer}");
    let told = marta.corrected(Change::Replace(0, line("panna_cotta", 2)), None).await.unwrap();
    assert!(told.contains("Panna cotta") && told.contains("Removed: 2 × Tiramisu"), "{told}");
    let suggested = names(&work, "one", Standing::Suggested).await;
    assert_eq!(suggested.len(), 1);
    assert_eq!((suggested[0].written.as_str(), &suggested[0].alias.meant), ("tiramisoup", &product("panna_cotta")));
    // A change of mind about a thing that was named by its name is no name of another.
    marta.says("and a margherita").await;
    marta.corrected(Change::Replace(1, line("diavola", 1)), None).await.unwrap();
    assert_eq!(names(&work, "one", Standing::Suggested).await.len(), 1);
    assert!(marta.notes().await.iter().any(|note| note.contains("“margherita” is the name of Margherita")));
    // The number and the options alone say nothing of names.
    marta.corrected(Change::Replace(1, line("diavola", 3)), None).await.unwrap();
    marta.corrected(Change::Remove(1), None).await.unwrap();
    assert_eq!(names(&work, "one", Standing::Suggested).await.len(), 1);
    assert_eq!(marta.cart().await, Cart { lines: vec![line("panna_cotta", 2)] });
    // And the customer can take it back, one step.
    assert!(marta.says("undo").await.contains("Added: 3 × Diavola"));
    work.close().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words_and_changes_nothing() {
    let house = House::new().await;
    let work = house.work().await;
    let marta = customer(&work, "one", "marta");
    marta.says("2 margherita").await;
    let (_, seen) = marta.state().await;
    marta.says("and a zumba pie").await;
    let before = marta.cart().await;
    let refused = |result: Result<String, NotDone>| result.unwrap_err().to_string();

    let stale = marta.corrected_at(seen, Change::Remove(0), None).await;
    assert!(matches!(stale, Err(NotDone::Stale)), "{stale:?}");
    let why = refused(marta.corrected(Change::Replace(0, line("margherita", 2)), None).await);
    assert!(why.contains("how it stands already"), "{why}");
    let why = refused(marta.corrected(Change::Add(line("diavola", 5_000)), None).await);
    assert!(why.contains("1 to 999"), "{why}");
    let why = refused(marta.corrected(Change::Add(line("diavola", 1)), Some("never said")).await);
    assert!(why.contains("did not write"), "{why}");
    assert_eq!(marta.cart().await, before, "nothing of it was done");
    assert!(names(&work, "one", Standing::Suggested).await.is_empty());

    // A large order is the staff's to take, and stands when the customer goes on.
    marta.corrected(Change::Add(line("cola", 80)), None).await.unwrap();
    let answer = marta.says("and a tiramisu").await;
    assert!(answer.contains("Added: 1 × Tiramisu"), "{answer}");

    // A phrase means one thing, and never what another thing is called.
    marta.corrected(Change::Add(line("diavola", 1)), Some("zumba pie")).await.unwrap();
    marta.corrected(Change::Add(line("hawaii", 1)), Some("zumba pie")).await.unwrap();
    decide(&work, "one", "zumba pie", product("diavola"), true).await.unwrap();
    let second = decide(&work, "one", "zumba pie", product("hawaii"), true).await.unwrap_err().to_string();
    assert!(second.contains("already means Diavola"), "{second}");
    for (phrase, why) in [("margherita", "is the name of Margherita"), ("two", "means something else")] {
        let fault = decide(&work, "one", phrase, product("diavola"), true).await.unwrap_err().to_string();
        assert!(fault.contains(why), "{fault}");
    }
    assert!(matches!(decide(&work, "two", "zumba pie", product("diavola"), true).await, Err(NotDone::Missing)));
    work.close().await;
}
