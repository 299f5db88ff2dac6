//! Conversations as text files, held with the real turn over a real database: `tests/dialogues/<language>/*.txt`.
//!
//! A line that begins with `>` is what a customer writes, `*` presses the button of that label, `~` sends something
//! without words (`~ voice`); a line that begins with `<` has to be contained in the answer, one with `!` must not be;
//! `=` alone means that there is no answer; `@ shop NAME`, `@ channel NAME`, `@ customer NAME`, `@ time 2026-11-18T18:00Z`,
//! `@ wait` (until half messages are answered) and `@ staff accept 20 | decline REASON | ready | out | delivered |
//! take over | say WORDS | hand back | add QUANTITY PRODUCT [WORDS] | remove PLACE | approve WORDS` set the scene. Each message is a minute later than the one before.

use std::{collections::HashMap, fs, path::Path, time::Duration};

use theusual::{
    cart::Line,
    channel::{Arrival, Button, ChannelKind, Content, Inbox as _, Medium, Peer},
    id::{ConversationId, MerchantId},
    moment::{Moment, Span},
    order::Move,
    store::{Author, Standing, Store},
    work::{Action, Change, Correction, Habits, Work, new_id},
};

use self::support::place::Place;

mod support;

/// Short, so that the files that wait do not take long; long enough that nothing else in a file takes as long.
const GATHER: Span = Span::millis(400);

struct Scene {
    work: Work,
    merchant: MerchantId,
    channel: ChannelKind,
    customer: String,
    at: Moment,
    seen: HashMap<ConversationId, i64>,
    answer: String,
    buttons: Vec<Button>,
    asked: bool,
}

#[tokio::test]
async fn every_dialogue_goes_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let mut files = Vec::new();
    for language in fs::read_dir(&root).unwrap() {
        for file in fs::read_dir(language.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    let (mut faults, mut lines) = (Vec::new(), 0);
    for file in &files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        let text = fs::read_to_string(file).unwrap();
        lines += text.lines().filter(|line| line.starts_with(['<', '!', '='])).count();
        faults.extend(hold(&name, &text).await);
    }
    println!("{} dialogues, {lines} expectations", files.len());
    assert!(lines >= 100, "the dialogues were not found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

async fn hold(name: &str, text: &str) -> Vec<String> {
    let place = Place::new().await;
    let store = Store::open(&place.address()).await.unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples");
    let named = |shop: &&str| *shop == "pizzeria" || text.contains(&format!("@ shop {shop}"));
    for shop in ["pizzeria", "pharmacy", "petshop"].into_iter().filter(named) {
        let read = |file: &str| fs::read_to_string(samples.join(shop).join(file)).unwrap();
        store.import(&shop.parse().unwrap(), &read("catalog.json"), &read("faq.json"), Moment(0)).await.unwrap();
    }
    let work = Work::start(store, Habits { gather: GATHER }, Vec::new()).await.unwrap();
    let mut scene = Scene {
        work,
        merchant: "pizzeria".parse().unwrap(),
        channel: ChannelKind::Web,
        customer: "one".to_owned(),
        // A Wednesday evening in all three shops' zones, while they are open.
        at: time("2026-11-18T16:00Z"),
        seen: HashMap::new(),
        answer: String::new(),
        buttons: Vec::new(),
        asked: false,
    };
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("tests/dialogues/{name}:{}", number + 1);
        let line = line.trim_end();
        let Some(first) = line.chars().next() else { continue };
        let rest = line[first.len_utf8()..].trim();
        match first {
            '#' => {}
            '@' => scene.set(rest, &place).await,
            '>' => scene.send(Content::words(rest).unwrap()).await,
            '*' => match scene.buttons.iter().find(|button| button.label == rest) {
                Some(button) => scene.send(Content::Press(button.data.clone())).await,
                None => {
                    let labels: Vec<&str> = scene.buttons.iter().map(|b| b.label.as_str()).collect();
                    faults.push(format!("{place}: there is no button {rest:?} among {labels:?}"));
                }
            },
            '~' => scene.send(wordless(rest)).await,
            '<' if !scene.answer.to_lowercase().contains(&rest.to_lowercase()) => {
                faults.push(format!("{place}: {rest:?} is missing in\n    {}", scene.answer.replace('\n', "\n    ")));
            }
            '!' if scene.answer.to_lowercase().contains(&rest.to_lowercase()) => {
                faults.push(format!("{place}: {rest:?} stands in\n    {}", scene.answer.replace('\n', "\n    ")));
            }
            '=' if scene.asked && !scene.answer.is_empty() => {
                faults.push(format!("{place}: an answer:\n    {}", scene.answer.replace('\n', "\n    ")));
            }
            '<' | '!' | '=' => {}
            _ => faults.push(format!("{place}: a line begins with none of the signs: {line}")),
        }
    }
    scene.work.close().await;
    faults
}

impl Scene {
    async fn send(&mut self, content: Content) {
        self.at = self.at.after(Span::minutes(1));
        let arrival = Arrival {
            merchant: self.merchant.clone(),
            channel: self.channel,
            foreign_id: format!("{:032x}", new_id()),
            peer: Peer::new(self.customer.clone()).unwrap(),
            name: None,
            language: None,
            at: self.at,
            content,
            raw: String::new(),
        };
        // Twice, as vendors do: the second must change nothing.
        self.work.deliver(arrival.clone()).await.unwrap();
        self.work.deliver(arrival).await.unwrap();
        self.asked = true;
        self.look().await;
    }

    async fn conversation(&self) -> Option<ConversationId> {
        let peer = Peer::new(self.customer.clone()).unwrap();
        self.work.store().conversation_with(&self.merchant, self.channel, &peer).await.unwrap()
    }

    /// Takes in what was said to the customer since the last look.
    async fn look(&mut self) {
        self.answer.clear();
        let Some(id) = self.conversation().await else { return };
        let seen = self.seen.entry(id).or_default();
        let mut said = Vec::new();
        for message in self.work.store().messages(&self.merchant, id, *seen).await.unwrap() {
            *seen = message.seq;
            match message.author {
                Author::Bot | Author::Staff => {
                    said.push(message.body);
                    if !message.buttons.is_empty() {
                        self.buttons = message.buttons;
                    }
                }
                Author::Customer | Author::Note => {}
            }
        }
        // A no-break space reads like any other.
        self.answer = said.join("\n").replace('\u{a0}', " ");
    }

    async fn set(&mut self, what: &str, place: &str) {
        let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
        match verb {
            "shop" => self.merchant = rest.parse().unwrap(),
            "channel" => self.channel = rest.parse().unwrap(),
            "customer" => self.customer = rest.to_owned(),
            "time" => self.at = time(rest),
            "wait" => {
                tokio::time::sleep(GATHER.to_duration() + Duration::from_millis(200)).await;
                self.work.settled().await;
                self.look().await;
            }
            "staff" => self.staff(rest, place).await,
            _ => panic!("{place}: @ {verb} is unknown"),
        }
    }

    async fn staff(&mut self, what: &str, place: &str) {
        let id = self.conversation().await.unwrap();
        let order = |a_move: Move| async {
            let orders = self.work.store().orders_of(&self.merchant, id).await.unwrap();
            let order = &orders.first().unwrap().order;
            Action::Order { order: order.id, version: order.version, a_move }
        };
        let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
        let correct = |change: Change, words: Option<&str>| {
            let words = words.map(str::to_owned);
            async {
                let version = self.work.store().conversation(&self.merchant, id).await.unwrap().unwrap().version;
                Action::Correct(Box::new(Correction { conversation: id, version, change, words }))
            }
        };
        let action = match verb {
            "add" => {
                let mut parts = rest.splitn(3, ' ');
                let quantity = parts.next().unwrap().parse().unwrap();
                let line = Line { quantity, ..Line::of(parts.next().unwrap().parse().unwrap()) };
                correct(Change::Add(line), parts.next()).await
            }
            "remove" => correct(Change::Remove(rest.parse().unwrap()), None).await,
            "approve" => {
                let names = self.work.store().names(&self.merchant, Standing::Suggested).await.unwrap();
                let name = names.into_iter().find(|name| name.written == rest).unwrap_or_else(|| panic!("{place}"));
                Action::Name { phrase: name.alias.phrase, meant: name.alias.meant, approved: true }
            }
            "accept" => order(Move::Accept { minutes: rest.parse().unwrap() }).await,
            "decline" => order(Move::Decline { reason: rest.to_owned() }).await,
            "ready" => order(Move::Ready).await,
            "out" => order(Move::OutForDelivery).await,
            "delivered" => order(Move::Delivered).await,
            "take" => Action::TakeOver(id),
            "say" => Action::Answer(id, rest.to_owned()),
            "hand" => Action::HandBack(id),
            _ => panic!("{place}: staff can't {verb}"),
        };
        self.work.act(&self.merchant, "Ana", action).await.unwrap();
        self.look().await;
    }
}

fn wordless(word: &str) -> Content {
    Content::Medium(match word {
        "voice" => Medium::Voice,
        "picture" => Medium::Picture,
        "sticker" => Medium::Sticker,
        "location" => Medium::Location,
        "contact" => Medium::Contact,
        "file" => Medium::File,
        "edit" => Medium::Edit,
        "other" => Medium::Other,
        "long" => return Content::words(&"very long ".repeat(1_000)).unwrap(),
        "open" => return Content::Opened(None),
        _ => panic!("~ {word} is unknown"),
    })
}

fn time(text: &str) -> Moment {
    let full = text.replace('Z', ":00Z");
    Moment(full.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}
