//! The engine: a catalogue's names and all lexicons, compiled once, and the steps of reading one message. The steps
//! only ever mark segments as used; what is left over at the end is what the message said that nobody understood.

use super::{
    Expecting, Intent, LONGEST_MESSAGE, Lexicons, Reading, Utterance,
    apply::{self, Outcome},
    detect,
    intent::{self, Class, Hit},
    items::{self, Around},
    kind::{self, Sentence},
    lexicon::Role,
    names::{NameBook, NameWords, WordId},
    segment::{self, Segment, Word},
    shop::{Shop, ShopGroup},
    text::{self, Kind},
};
use crate::{
    cart::{Cart, Chosen, Pick},
    catalog::Catalog,
    language::Language,
    order::Fulfilment,
};

/// Most products of a class ("a pizza") among which the customer is asked to choose; a larger class is left to the menu.
const MOST_OF_A_CLASS: usize = 24;

/// Most products of a name that words behind it may tell apart; more are a class.
const MOST_NARROWED: usize = 4;

/// Most segments between a name and the words that tell which is meant.
const FARTHEST_NARROWING: usize = 4;

/// Most characters of an address; longer ones are no address.
const LONGEST_ADDRESS: usize = 200;

/// Most words of a name.
const LONGEST_NAME: usize = 4;

/// Most languages of which a capitalised yes may be a name: "ok" and "yes" are said in more.
const MOST_YES_OF_A_NAME: usize = 2;

/// Most words of an answer that is everyday talk and no address.
const MOST_WORDS_OF_TALK: usize = 3;

/// From so many words on, within the first half of a message, words of a greeting are no greeting.
const LATEST_GREETING: usize = 1;

/// Most letters of a word that joins the others of a name.
const LONGEST_JOINT: usize = 3;

/// Most known words before an unknown one that say with it what the shop lacks: "pizza capricciosa".
const MOST_WORDS_OF_KIND: usize = 2;

/// Fewest letters of an abbreviation whose full stop ends no address: "St. 5".
const LONGEST_ABBREVIATION: usize = 3;

/// Reads the messages of one shop's customers.
pub struct Engine {
    pub(super) lexicons: Lexicons,
    pub(super) book: NameBook,
    pub(super) shop: Shop,
}

/// What the steps hand on.
pub(super) struct Draft<'a> {
    pub(super) text: &'a str,
    pub(super) words: Vec<Word>,
    pub(super) segments: Vec<Segment>,
    pub(super) hits: Vec<Hit>,
    /// What the sentences may be for.
    pub(super) sentences: Vec<Sentence>,
    /// The answer, where the message is nothing but a yes or a no.
    pub(super) answer: Option<bool>,
    /// Pieces with numbers that can't be ordered: "-2 cola", "1.5 margherita".
    pub(super) refused: Vec<String>,
}

impl Engine {
    /// Gathers the names of a catalogue.
    pub fn compile(catalog: &Catalog, lexicons: &Lexicons) -> Engine {
        let mut words = NameWords::default();
        let shop = Shop::of(catalog, &mut words);
        Engine { lexicons: lexicons.clone(), book: NameBook::compile(catalog, &shop, words, lexicons), shop }
    }

    /// Reads a message. Never fails: what is not understood is said in the reading.
    pub fn read(&self, utterance: &Utterance<'_>) -> Reading {
        let text = cut(utterance.text);
        let mut words =
            segment::words(text, text::without_enumeration(text, text::tokens(text)), &self.book, &self.lexicons);
        let prior = utterance.language.or(utterance.prior);
        let own = self.shop.languages.first().copied();
        // A name or an address is in no language.
        let free = matches!(utterance.expecting, Some(Expecting::Name | Expecting::Address));
        let spoken =
            utterance.language.or(prior.filter(|_| free)).and_then(|language| self.lexicons.position(language));
        let language = spoken.unwrap_or_else(|| detect::language(&words, &self.lexicons, prior, own));
        let segments = segment::segments(&mut words, language, &self.book, &self.shop, &self.lexicons);
        let hits = intent::hits(&words, &segments, language, &self.lexicons);
        let mut draft = Draft { text, words, segments, hits, sentences: Vec::new(), answer: None, refused: Vec::new() };
        let spoken = utterance.language.unwrap_or(self.lexicons.all()[language].language);
        let mut reading =
            Reading { undo: draft.is_undo(), ..Reading::of(Intent::Other, spoken, utterance.cart.clone()) };
        if reading.undo {
            reading.confidence = 1.0;
            return reading;
        }
        if self.answers_freely(&draft, utterance, &mut reading) {
            return reading;
        }
        reading.fragment = is_fragment(&draft, utterance);
        draft.allergies(&mut reading);
        draft.drop_weak_hits();
        draft.judge(utterance);
        draft.spend_hits(utterance.expecting);
        draft.telephones();
        draft.times(&mut reading);
        draft.names(&mut reading);
        draft.fulfilment(&mut reading);
        draft.streets(&mut reading);
        draft.spend_told();
        self.measures(&mut draft);
        draft.refuse_odd_numbers();
        draft.spend_times();
        let mut cart = utterance.cart.clone();
        let settled = utterance.expecting == Some(Expecting::Choice) && self.settle(&mut draft, &mut cart);
        let settled = self.halves(&mut draft, &mut cart) || settled;
        let settled = self.keep_only(&mut draft, &mut cart) || settled;
        let there: Vec<Vec<usize>> = cart.lines.iter().map(|line| self.shop.products_of(line)).collect();
        self.classes(&mut draft, &there);
        self.narrow(&mut draft);
        self.ellipsis(&mut draft);
        self.find_in_cart(&mut draft, &cart);
        let known = |cart: &Cart| cart.lines.iter().map(|line| self.shop.known(line)).collect::<Vec<_>>();
        let pieces = items::pieces(
            &draft.segments,
            &self.shop,
            Around {
                cart: &known(&cart),
                usual: &known(utterance.usual),
                mentions: draft.mentioned().len() == 1,
                choosing: utterance.expecting == Some(Expecting::Choice),
            },
        );
        let outcome = apply::apply(&pieces.pieces, &cart, utterance.usual, &draft.mentioned(), &self.shop);
        let strays: Vec<usize> = pieces.stray.iter().chain(&outcome.homeless).copied().collect();
        self.conclude(&draft, utterance, outcome, settled, &strays, &mut reading);
        reading
    }

    /// The languages that the engine reads.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        self.lexicons.languages()
    }

    /// What a customer who was asked for a name is called: the text without "my name is" and its like.
    pub fn stated_name<'a>(&self, text: &'a str) -> &'a str {
        self.without_opening(text, &[Role::Name, Role::Called])
    }

    /// Where a customer who was asked for an address lives: the text without "to" and its like.
    pub fn stated_address<'a>(&self, text: &'a str) -> &'a str {
        self.without_opening(text, &[Role::Address, Role::WeakAddress])
    }

    /// The text without a phrase of these roles, of any language, at its beginning, and without marks at its end.
    fn without_opening<'a>(&self, text: &'a str, roles: &[Role]) -> &'a str {
        let tokens = text::tokens(text);
        let mut skip = 0;
        for lexicon in self.lexicons.all() {
            for length in 1..=lexicon.longest_phrase().min(tokens.len().saturating_sub(1)) {
                let phrase = tokens[..length].iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
                if lexicon.meaning(&phrase).is_some_and(|meaning| meaning.roles.any(roles)) {
                    skip = skip.max(length);
                }
            }
        }
        let from = tokens.get(skip).map_or(0, |token| token.from);
        text[from..].trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | '!' | ':' | ';'))
    }

    /// Answers that are free text: a name, an address. Says whether the message is one.
    fn answers_freely(&self, draft: &Draft<'_>, utterance: &Utterance<'_>, reading: &mut Reading) -> bool {
        let Some(expecting @ (Expecting::Name | Expecting::Address)) = utterance.expecting else { return false };
        let content = draft.words.iter().filter(|word| text::is_word(&word.token)).count();
        let strong = draft.hits.iter().any(|hit| {
            !matches!(hit.intent, Intent::Greeting | Intent::Thanks | Intent::Rating)
                && (hit.words >= 3 || hit.words * 2 >= content)
        });
        let asks = draft.segments.iter().any(|s| s.mark == Some(Kind::Question));
        let orders = draft.segments.iter().any(|s| s.roles.any(&[Role::Open, Role::Usual, Role::Clear, Role::Remove]))
            && draft.segments.iter().any(|s| !s.products.is_empty() || s.roles.any(&[Role::Usual, Role::Clear]));
        let answered = draft.segments.iter().any(|s| s.roles.any(&[Role::Yes, Role::No]))
            && draft.segments.iter().all(|s| s.mark.is_some() || s.roles.any(&[Role::Yes, Role::No, Role::Polite]));
        let fetched = draft.segments.iter().any(|s| s.roles.any(&[Role::Pickup]))
            && !draft.words.iter().any(|word| word.token.kind == Kind::Number);
        let refused = match expecting {
            Expecting::Name => (answered && !self.is_name_like_yes(draft)) || self.is_no_name(draft),
            _ => answered || fetched || is_no_address(draft),
        };
        if content == 0 || strong || asks || orders || refused {
            return false;
        }
        reading.confidence = 1.0;
        if expecting == Expecting::Name {
            reading.name = Some(self.stated_name(draft.text).to_owned()).filter(|name| !name.is_empty());
        }
        if expecting == Expecting::Address {
            reading.address = Some(self.stated_address(draft.text).to_owned()).filter(|a| !a.is_empty());
            reading.fulfilment = Some(Fulfilment::Delivery);
        }
        true
    }

    /// Whether the message is a lone capitalised word that few languages say yes with: "Jo", "Da".
    fn is_name_like_yes(&self, draft: &Draft<'_>) -> bool {
        let mut words = draft.words.iter().filter(|word| text::is_word(&word.token));
        let (Some(word), None) = (words.next(), words.next()) else { return false };
        let saying = self.lexicons.all().iter().filter_map(|lexicon| lexicon.meaning(&word.token.text));
        draft.text[word.token.from..].starts_with(char::is_uppercase)
            && saying.filter(|meaning| meaning.roles.any(&[Role::Yes, Role::No])).count() <= MOST_YES_OF_A_NAME
    }

    /// Whether a text that a name was asked with is none.
    fn is_no_name(&self, draft: &Draft<'_>) -> bool {
        let named = |segment: &Segment| segment.roles.any(&[Role::Name, Role::Called]);
        let hit = draft.hits.iter().any(|hit| {
            let phrase = draft.segments.iter().any(|s| named(s) && s.from <= hit.from && hit.to <= s.to);
            let lone = hit.words == 1 && draft.is_capitalised(hit.from) && hit.intent != Intent::Thanks;
            !phrase && !lone && hit.intent != Intent::Greeting && hit.intent != Intent::Rating
        });
        let sells = draft.segments.iter().any(|s| !s.products.is_empty())
            && draft.segments.iter().any(|s| {
                s.number.is_some() || s.roles.any(&[Role::Add, Role::Make, Role::Open, Role::Article, Role::Another])
            });
        let makes = draft.segments.iter().any(|s| s.number.is_some())
            && draft.segments.iter().any(|s| s.roles.any(&[Role::Make, Role::Add, Role::Remove]));
        let fetched = draft.segments.iter().any(|s| s.roles.any(&[Role::Pickup, Role::Delivery]) && !s.is_name());
        let name = self.stated_name(draft.text);
        let long = name.split_whitespace().count() > LONGEST_NAME;
        draft.is_lone_street() || hit || sells || makes || fetched || long || !name.contains(char::is_alphabetic)
    }

    /// Whether a word of the message is a form of a word of a name that is more than a joint.
    pub(super) fn says(&self, word: &Word, name: WordId) -> bool {
        word.sense.is_form_of(name) && self.book.words.text(name).chars().count() > 2
    }

    /// Narrows an ambiguous product by plain words behind it that only some of the candidates have in their names: "a bed,
    /// for dogs".
    fn narrow(&self, draft: &mut Draft<'_>) {
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            if segment.dead || !(2..=MOST_NARROWED).contains(&segment.products.len()) {
                continue;
            }
            let own = segment.from..segment.to;
            let plain = |s: &&Segment| s.mark.is_none() && s.products.is_empty() && s.number.is_none() && !s.dead;
            let end = at + 1 + draft.segments[at + 1..].iter().take_while(plain).take(FARTHEST_NARROWING).count();
            let candidates = segment.products.clone();
            let says = |word: &Word, product: usize| {
                self.shop.names[product].iter().flat_map(|name| name.iter()).any(|&name| self.says(word, name))
            };
            for next in at + 1..end {
                let words = draft.segments[next].from..draft.segments[next].to;
                let chooses = !self.shop.fitting(&candidates, &draft.segments[next].choices).is_empty();
                if chooses || draft.segments[next].roles.any(&[Role::And, Role::Or]) {
                    continue;
                }
                let saying: Vec<usize> = candidates
                    .iter()
                    .copied()
                    .filter(|&product| words.clone().any(|w| !own.contains(&w) && says(&draft.words[w], product)))
                    .collect();
                if !saying.is_empty() && saying.len() < candidates.len() {
                    draft.segments[at].products = saying;
                    draft.segments[next].dead = true;
                    break;
                }
            }
        }
    }

    /// "take everything off except the tea": what is named behind stays, the rest of the cart goes.
    fn keep_only(&self, draft: &mut Draft<'_>, cart: &mut Cart) -> bool {
        let Some(except) = draft.segments.iter().position(|s| s.is(Role::Except) && !s.is_name()) else { return false };
        let begin = draft.segments[..except].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
        let end = draft.segments[except..].iter().position(Segment::ends_sentence);
        let end = end.map_or(draft.segments.len(), |stop| except + stop);
        let before = &draft.segments[begin..except];
        let says = |role: Role| before.iter().any(|s| s.is(role) && !s.is_name());
        let all = draft.segments[except].roles.has(Role::All) || says(Role::All) || says(Role::Rest);
        let clears = says(Role::Clear) || says(Role::Remove) && all;
        let named: Vec<usize> =
            draft.segments[except..end].iter().filter(|s| !s.dead).flat_map(|s| s.products.iter().copied()).collect();
        let stays = |line: &crate::cart::Line| self.shop.products_of(line).iter().any(|p| named.contains(p));
        if !clears || before.iter().any(|s| !s.dead && s.is_name()) || !cart.lines.iter().any(stays) {
            return false;
        }
        cart.lines.retain(stays);
        draft.spend_to(begin, end - 1);
        true
    }

    /// "a cola 0.5": a number with decimals is the option of the product beside it whose name begins with that number.
    fn measures(&self, draft: &mut Draft<'_>) {
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            let token = &draft.words[segment.from].token;
            let alone = !segment.dead && segment.to == segment.from + 1 && !segment.is_name();
            if !alone || token.kind != Kind::Number || !token.text.contains(['.', ',']) {
                continue;
            }
            let number = token.text.replace(',', ".");
            let is_product = |&b: &usize| !draft.segments[b].dead && !draft.segments[b].products.is_empty();
            let before = (0..at).rev().find(is_product);
            let after = (at + 1..draft.segments.len()).find(is_product);
            let found = before.into_iter().chain(after).find_map(|product| {
                match self.shop.numbered(&draft.segments[product].products, &number)[..] {
                    [one] => Some(one),
                    _ => None,
                }
            });
            if let Some(choice) = found {
                draft.segments[at].choices = vec![choice];
                draft.segments[at].number = None;
                draft.segments[at].unknown = false;
            }
        }
    }

    /// "four cheese pies and two with steak": behind a number, words that complete the name of the product before to that
    /// of another, and are no option of it, stand for that other.
    fn ellipsis(&self, draft: &mut Draft<'_>) {
        let mut last: Option<usize> = None;
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            if segment.dead || segment.mark.is_some() {
                continue;
            }
            let led = |b: &Segment| {
                !b.dead && !b.is_name() && b.roles.any(&[Role::With, Role::Of]) && !b.roles.has(Role::Without)
            };
            let with = at.checked_sub(1).filter(|&b| led(&draft.segments[b]));
            let counted = with.unwrap_or(at).checked_sub(1).is_some_and(|b| {
                let b = &draft.segments[b];
                !b.dead && (b.number.is_some() || b.roles.has(Role::Article)) && b.choices.is_empty()
            });
            let other = last.filter(|_| counted && (segment.is_name() || segment.unknown || segment.is_silent()));
            let other = other.and_then(|last| self.completed(draft, at, last));
            match (other, &segment.products[..]) {
                (Some(other), _) => {
                    let segment = &mut draft.segments[at];
                    segment.products = vec![other];
                    segment.choices.clear();
                    segment.unknown = false;
                    if let Some(with) = with {
                        draft.segments[with].dead = true;
                    }
                    last = Some(other);
                }
                (None, [one]) => last = Some(*one),
                (None, []) => {}
                (None, _) => last = None,
            }
        }
    }

    /// Whether a word of names is long enough to be more than a joint, such as "with".
    fn is_telling(&self, word: WordId) -> bool {
        self.book.words.text(word).chars().count() > LONGEST_JOINT
    }

    /// The one other product whose name has all words of a segment and shares another with that of the last product.
    fn completed(&self, draft: &Draft<'_>, at: usize, last: usize) -> Option<usize> {
        let segment = &draft.segments[at];
        let words = &draft.words[segment.from..segment.to];
        let full = segment.part.is_none() && !segment.loose && !segment.products.is_empty();
        let optional = !self.shop.fitting(&[last], &segment.choices).is_empty();
        if full || optional || segment.products == [last] {
            return None;
        }
        let begins: Vec<WordId> = self.shop.names[last].iter().flat_map(|name| name.iter().copied()).collect();
        let completes = |product: usize| {
            product != last
                && self.shop.names[product].iter().any(|name| {
                    let said = |&own: &WordId| words.iter().any(|word| self.says(word, own));
                    words.iter().all(|word| name.iter().any(|&own| self.says(word, own)))
                        && name.iter().any(|own| !said(own) && begins.contains(own) && self.is_telling(*own))
                })
        };
        let mut found = (0..self.shop.products.len()).filter(|&product| completes(product));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    }

    /// Behind "remove" and its like a word that only one line of the cart has in its name means that line: "tripe" of a
    /// tripe soup.
    fn find_in_cart(&self, draft: &mut Draft<'_>, cart: &Cart) {
        for at in 1..draft.segments.len() {
            let (before, segment) = (&draft.segments[at - 1], &draft.segments[at]);
            let pointed = !before.dead && before.roles.any(&[Role::Remove, Role::Change, Role::Instead]);
            if !pointed || segment.dead || segment.is_name() || segment.mark.is_some() || !segment.roles.is_empty() {
                continue;
            }
            let words = &draft.words[segment.from..segment.to];
            let says = |product: usize| {
                let mut names = self.shop.names[product].iter().flat_map(|name| name.iter());
                names.any(|&name| words.iter().any(|word| self.says(word, name)))
            };
            let mut found = cart.lines.iter().flat_map(|line| match self.shop.products_of(line)[..] {
                [one] if says(one) => Some(one),
                _ => None,
            });
            if let (Some(one), None) = (found.next(), found.next()) {
                draft.segments[at].products = vec![one];
                draft.segments[at].unknown = false;
            }
        }
    }

    /// Which of these, told by their names, has words of the message that the others lack: "with meat" of a pie with meat
    /// and a pie with cheese. Uses the words up.
    fn told_apart(&self, draft: &mut Draft<'_>, names: &[&[Box<[WordId]>]]) -> Option<usize> {
        let of = |word: &Word| -> Vec<usize> {
            (0..names.len())
                .filter(|&n| names[n].iter().flat_map(|name| name.iter()).any(|&name| self.says(word, name)))
                .collect()
        };
        let mut points = vec![0; names.len()];
        for word in draft.words.iter().filter(|word| word.token.kind == Kind::Word) {
            let having = of(word);
            if having.len() < names.len() {
                having.into_iter().for_each(|n| points[n] += 1);
            }
        }
        let most = *points.iter().max()?;
        let mut best = (0..names.len()).filter(|&n| points[n] == most);
        let (Some(best), None, true) = (best.next(), best.next(), most > 0) else { return None };
        for segment in &mut draft.segments {
            let named = draft.words[segment.from..segment.to].iter().any(|word| of(word).contains(&best));
            segment.dead |= named;
        }
        Some(best)
    }

    /// Settles what the bot asked: which of several, or an option that is missing. Says whether anything was.
    fn settle(&self, draft: &mut Draft<'_>, cart: &mut Cart) -> bool {
        let mut settled = false;
        for line in cart.lines.iter_mut().rev() {
            if let Pick::OneOf(ids) = &line.product {
                let candidates: Vec<usize> = ids.iter().filter_map(|id| self.shop.product(id)).collect();
                let found = draft.segments.iter().position(|s| {
                    !s.dead && s.products.iter().chain(&*s.class).any(|product| candidates.contains(product))
                });
                let picked: Vec<usize> = match found {
                    Some(at) => {
                        let segment = &mut draft.segments[at];
                        segment.dead = true;
                        let named =
                            |product: &&usize| segment.products.contains(product) || segment.class.contains(product);
                        candidates.iter().filter(named).copied().collect()
                    }
                    None => {
                        let names: Vec<&[Box<[WordId]>]> = candidates.iter().map(|&p| &*self.shop.names[p]).collect();
                        let nth = draft.nth(&names).or_else(|| self.told_apart(draft, &names));
                        nth.map(|n| candidates[n]).into_iter().collect()
                    }
                };
                if !picked.is_empty() {
                    line.product = self.shop.product_pick(&picked);
                    settled = true;
                    break;
                }
            }
            let products = self.shop.products_of(line);
            let open = line.options.iter().position(|option| option.choice.settled().is_none());
            if let Some(open) = open
                && let Pick::OneOf(ids) = &line.options[open].choice
            {
                let ids = ids.clone();
                let named = draft.segments.iter().position(|s| {
                    !s.dead && s.choices.iter().any(|&(g, c)| ids.contains(&self.shop.groups[g].choices[c]))
                });
                let picked = match named {
                    Some(at) => {
                        draft.segments[at].dead = true;
                        draft.segments[at]
                            .choices
                            .iter()
                            .find(|&&(g, c)| ids.contains(&self.shop.groups[g].choices[c]))
                            .map(|&(g, c)| (self.shop.groups[g].id.clone(), self.shop.groups[g].choices[c].clone()))
                    }
                    None => {
                        let names: Vec<&[Box<[WordId]>]> = ids
                            .iter()
                            .map(|id| {
                                let group = self.shop.group(&line.options[open].group).map(|g| &self.shop.groups[g]);
                                let at = group.and_then(|group| group.choices.iter().position(|choice| choice == id));
                                group.zip(at).map(|(group, at)| &*group.names[at]).unwrap_or_default()
                            })
                            .collect();
                        let nth = draft.nth(&names).or_else(|| self.told_apart(draft, &names));
                        nth.map(|n| (line.options[open].group.clone(), ids[n].clone()))
                    }
                };
                if let Some((group, choice)) = picked {
                    line.options[open].group = group;
                    line.options[open].choice = Pick::One(choice);
                    settled = true;
                    break;
                }
            }
            let lacking = |group: &ShopGroup| {
                let made = line.options.iter().filter(|option| option.group == group.id && !option.without);
                (group.asked_for as usize).saturating_sub(made.map(|option| option.count as usize).sum())
            };
            let missing = products.first().and_then(|&product| {
                let mut groups = self.shop.groups_of[product].iter();
                groups.find_map(|&g| Some((g, lacking(&self.shop.groups[g]))).filter(|&(_, lacking)| lacking > 0))
            });
            if let Some((group, lacking)) = missing {
                let of_group = |s: &Segment| -> Vec<(usize, usize)> {
                    let own = s.choices.iter().copied().filter(|&(other, _)| other == group);
                    own.chain(self.shop.halves_of(group, &s.products)).collect()
                };
                let mut picked: Vec<_> = Vec::new();
                for segment in draft.segments.iter_mut().filter(|s| !s.dead) {
                    if picked.len() < lacking
                        && let Some(choice) = self.shop.choice_pick(&of_group(segment))
                    {
                        segment.dead = true;
                        picked.push(choice);
                    }
                }
                if picked.is_empty() {
                    let names = self.shop.groups[group].names.iter().map(|names| &**names).collect::<Vec<_>>();
                    picked.extend(draft.nth(&names).and_then(|n| self.shop.choice_pick(&[(group, n)])));
                }
                settled |= !picked.is_empty();
                for (group, choice) in picked {
                    let first = match &choice {
                        Pick::One(id) => id.clone(),
                        Pick::OneOf(ids) => ids[0].clone(),
                    };
                    line.options.push(Chosen { choice, ..Chosen::of(group, first) });
                }
                if settled {
                    break;
                }
            }
        }
        settled
    }

    /// A class that stands for a thing ("a pizza") becomes the question which; one that merely goes with a thing
    /// ("a margherita pizza", "for drinks a cola") is filling.
    fn classes(&self, draft: &mut Draft<'_>, cart: &[Vec<usize>]) {
        for at in 1..draft.segments.len().saturating_sub(1) {
            // "for veggies I want tomatoes": behind an item a heading of what it is to have.
            let [before, segment, after] = &draft.segments[at - 1..=at + 1] else { continue };
            let opened = after.is(Role::Open) && !after.is_name();
            let led = before.is(Role::Into) && before.roles.has(Role::Name) && !before.is_name();
            let item = draft.segments[..at - 1].iter().any(|s| !s.dead && !s.products.is_empty());
            if opened && led && item && segment.is_name() && segment.to - segment.from == 1 {
                draft.segments[at].dead = true;
            }
        }
        for at in 0..draft.segments.len() {
            let segment = &draft.segments[at];
            if segment.dead || segment.class.is_empty() || segment.is_name() || segment.class.len() > MOST_OF_A_CLASS {
                continue;
            }
            let told = draft
                .segments
                .iter()
                .any(|other| !other.dead && other.products.iter().any(|product| segment.class.contains(product)));
            let before = &draft.segments[..at];
            let begun = before.iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
            let wanted = before[begun..]
                .iter()
                .any(|s| s.number.is_some() || s.is(Role::Article) || s.is(Role::Open) || s.is(Role::Another));
            let negated = at
                .checked_sub(1)
                .is_some_and(|b| draft.segments[b].roles.any(&[Role::Without, Role::Not, Role::Remove]));
            // "make the pies five": those of the cart.
            let mut there = cart.iter().filter_map(|products| match products[..] {
                [one] if segment.class.contains(&one) => Some(one),
                _ => None,
            });
            if let (Some(one), None) = (there.next(), there.next()) {
                let pointed = before[begun..].iter().any(|s| {
                    s.is(Role::Make)
                        || s.is(Role::Change)
                        || s.is(Role::Remove)
                        || s.is(Role::Definite)
                        || s.is(Role::On)
                });
                if pointed || segment.definite {
                    draft.segments[at].products = vec![one];
                    continue;
                }
            }
            // "sandwiches for two: a chicken mayo and a ham": a heading.
            if told {
                draft.segments[at].dead = true;
            }
            if !told && wanted && !negated {
                let class = draft.segments[at].class.to_vec();
                draft.segments[at].products = class;
            }
        }
    }

    /// Intent, confidence and what was left over.
    fn conclude(
        &self,
        draft: &Draft<'_>,
        utterance: &Utterance<'_>,
        outcome: Outcome,
        settled: bool,
        strays: &[usize],
        reading: &mut Reading,
    ) {
        let changed = outcome.acted || settled;
        let live = |s: &&Segment| !s.dead;
        let opened = draft.segments.iter().filter(live).any(|s| {
            s.roles.any(&[Role::Open, Role::Add, Role::Remove]) && !s.roles.has(Role::Polite) || s.number.is_some()
        });
        reading.unmatched = draft.unmatched(strays, utterance.expecting == Some(Expecting::Choice), changed);
        let chance = |intent: Intent| kind::chance(&draft.sentences, intent);
        let told = |intent: &Intent| kind::is_told(*intent, &draft.sentences);
        // "delivery", "to Storgata 5": told, and nothing asked, though it is like questions.
        let answers = reading.fulfilment.is_some() && draft.segments.iter().all(|s| s.mark != Some(Kind::Question));
        let likely = draft.sentences.iter().filter_map(|sentence| sentence.told);
        // "pickup, my name is Kim" tells a name, and asks for no data.
        let introduced = reading.name.is_some();
        let likely = likely.filter(|intent| match intent {
            Intent::DeliveryQuestion | Intent::ChangeOrder => !answers,
            Intent::MyData => !introduced,
            _ => true,
        });
        let intents = draft.hits.iter().map(|hit| hit.intent).chain(likely);
        let mut found: Vec<(Intent, f32)> = intents.filter(told).map(|intent| (intent, chance(intent))).collect();
        let names = draft.segments.iter().filter(live).any(Segment::is_name);
        // "a motor boat" names goods, whether or not the shop has them.
        let mut after = draft.segments.iter().skip_while(|s| !s.is(Role::Article));
        let counted = after.any(|s| !s.dead && s.unknown);
        if changed
            || !draft.refused.is_empty()
            || ((opened || names || counted) && !reading.unmatched.is_empty())
            || draft.live(Role::Usual)
            || draft.sentences.iter().any(|sentence| sentence.likeliest() == Intent::Order)
        {
            found.push((Intent::Order, chance(Intent::Order)));
        }
        if let Some(yes) = draft.answer
            && !changed
        {
            let intent = if yes { Intent::Confirm } else { Intent::Decline };
            let asked = utterance.expecting == Some(Expecting::Confirm);
            let courtesy = found.iter().any(|(intent, _)| intent::class(*intent) == Class::Courtesy);
            // "ok thanks" agrees to nothing, "no thanks" declines.
            let thanks = yes && courtesy;
            if asked || !thanks && found.iter().all(|(intent, _)| intent::class(*intent) <= Class::Courtesy) {
                found.push((intent, if asked { 1.0 } else { chance(intent) }));
            }
        }
        if utterance.expecting == Some(Expecting::Rating) && !changed_by_name(draft) {
            let stars = draft.words.iter().any(|word| matches!(word.token.text.as_str(), "⭐" | "★" | "🌟"));
            if stars || draft.segments.iter().any(|s| s.number.is_some()) {
                found.retain(|(intent, _)| *intent != Intent::Order);
                found.push((Intent::Rating, 1.0));
            }
        }
        (reading.intent, reading.also) = intent::main_of(found, utterance.expecting);
        let rated = reading.intent == Intent::Rating && utterance.expecting == Some(Expecting::Rating);
        if changed && !rated {
            reading.cart = outcome.cart;
        }
        let mut confidence: f32 = match reading.intent {
            Intent::Order => 0.97,
            intent => chance(intent),
        };
        if reading.intent == Intent::Order {
            confidence -= 0.15 * reading.unmatched.len().min(4) as f32;
            confidence -= 0.05 * draft.segments.iter().filter(|s| !s.dead && s.loose).count().min(4) as f32;
            if outcome.inferred {
                confidence -= 0.1;
            }
            if !changed {
                confidence -= 0.3;
            }
        }
        if !draft.words.iter().any(|word| text::is_word(&word.token)) && reading.intent == Intent::Other {
            confidence = 0.0;
        }
        reading.confidence = confidence.clamp(0.0, 1.0);
    }
}

/// Whether the message names something to buy.
fn changed_by_name(draft: &Draft<'_>) -> bool {
    draft.segments.iter().any(|s| !s.dead && s.is_name())
}

/// Whether a text that an address was asked with is none: nothing but a few words of everyday talk ("dont know", "home"),
/// or goods with their numbers.
fn is_no_address(draft: &Draft<'_>) -> bool {
    let content = draft.words.iter().filter(|word| text::is_word(&word.token)).count();
    let digits = draft.text.contains(|c: char| c.is_numeric());
    let known = draft.segments.iter().all(|s| !s.unknown);
    let talk = known
        && !digits
        && !draft.text.contains(',')
        && content <= MOST_WORDS_OF_TALK
        && draft.segments.iter().all(|s| s.mark.is_some() || !s.roles.is_empty() || s.is_name());
    let sells = known
        && draft.segments.iter().enumerate().any(|(at, s)| {
            !s.products.is_empty()
                && draft.segments[..at].iter().any(|b| b.number.is_some() || b.roles.has(Role::Article))
        });
    talk || sells
}

impl Draft<'_> {
    /// Whether the token begins with a capital letter.
    fn is_capitalised(&self, token: usize) -> bool {
        self.words[token].capital
    }

    /// Whether the message is nothing but "undo" with courtesy.
    fn is_undo(&self) -> bool {
        self.segments.iter().any(|s| s.roles.has(Role::Undo))
            && self.segments.iter().all(|s| {
                s.mark.is_some_and(|mark| mark != Kind::Question)
                    || s.roles.any(&[Role::Undo, Role::Polite, Role::No, Role::Definite, Role::Stop, Role::Chatter])
            })
    }

    fn live(&self, role: Role) -> bool {
        self.segments.iter().any(|s| s.is(role))
    }

    /// Forgets questions and opinions in the middle of an order: "a pizza which is small in size".
    fn drop_weak_hits(&mut self) {
        let (segments, words) = (&self.segments, &self.words);
        self.hits.retain(|hit| {
            let Some(first) = segments.iter().position(|s| s.to > hit.from) else { return true };
            let begin = segments[..first].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
            // "is it ok if I get" asks nothing.
            let opens = segments[first].roles.any(&[Role::Open, Role::Polite]) && hit.to <= segments[first].to;
            if opens && intent::class(hit.intent) == Class::Question {
                return false;
            }
            if hit.intent == Intent::DeliveryQuestion {
                // "you deliver to" is a question in some languages, unless an address with its number follows.
                let mut rest = segments[begin..].iter().skip_while(|s| !s.roles.has(Role::Address));
                let addressed = rest.next().is_some()
                    && rest.take_while(|s| !s.ends_sentence()).any(|s| words[s.from].token.kind == Kind::Number);
                let end = segments[first..].iter().find(|s| s.ends_sentence());
                return !(addressed && end.is_none_or(|s| s.mark != Some(Kind::Question)));
            }
            // "I dreamt of it this morning" greets nobody.
            if hit.intent == Intent::Greeting && hit.from >= LATEST_GREETING && hit.from < words.len() / 2 {
                return false;
            }
            // "môre" greets at the beginning and means tomorrow elsewhere.
            if hit.intent == Intent::Greeting && segments[first].roles.has(Role::When) {
                let timed = segments.get(first + 1).is_some_and(|s| s.roles.any(&[Role::Clock, Role::When]));
                return first == 0 && !timed;
            }
            if !matches!(hit.intent, Intent::ProductQuestion | Intent::Rating | Intent::Menu) {
                return true;
            }
            let before = &segments[begin..first];
            let opened = before.iter().any(|s| s.roles.has(Role::Open)) && before.iter().any(Segment::is_name);
            let starts = before
                .last()
                .is_none_or(|s| s.mark.is_some() || s.roles.any(&[Role::And, Role::But, Role::Polite]) && !s.is_name());
            !opened || starts
        });
    }

    /// Weighs the phrases against everything else that tells what a sentence is for.
    fn judge(&mut self, utterance: &Utterance<'_>) {
        self.answer = self.yes_or_no();
        let (has_cart, expecting) = (!utterance.cart.is_empty(), utterance.expecting);
        self.sentences = kind::sentences(self.text, &self.words, &self.segments, &self.hits, has_cart, expecting);
        self.hits = kind::judge(&self.hits, &mut self.sentences);
    }

    /// Marks what the phrases of intents have used: their own words, and where they ask or complain, what they ask or
    /// complain about.
    fn spend_hits(&mut self, expecting: Option<Expecting>) {
        for at in 0..self.hits.len() {
            let hit = self.hits[at];
            let inside = |s: &Segment| s.from >= hit.from && s.to <= hit.to;
            let Some(first) = self.segments.iter().position(|s| s.to > hit.from) else { continue };
            let begin = self.segments[..first].iter().rposition(Segment::ends_sentence).map_or(0, |stop| stop + 1);
            let end = self.segments[first..]
                .iter()
                .position(Segment::ends_sentence)
                .map_or(self.segments.len(), |stop| first + stop);
            let small = intent::class(hit.intent) == Class::Courtesy
                || hit.intent == Intent::Checkout
                || (hit.intent == Intent::Rating && expecting != Some(Expecting::Rating));
            if small {
                for segment in
                    self.segments.iter_mut().filter(|s| inside(s) && (!s.is_name() || s.roles.has(Role::Polite)))
                {
                    segment.dead = true;
                }
                continue;
            }
            // An order before or after the question, in the same sentence, stands.
            let opens = |s: &Segment| s.roles.any(&[Role::Open, Role::Add, Role::Usual]) && !s.roles.has(Role::Polite);
            let ordered_before = self.segments[begin..first]
                .iter()
                .any(|s| !s.dead && (opens(s) || s.number.is_some() || s.roles.has(Role::Article)))
                && self.segments[begin..first].iter().any(Segment::is_name);
            let from = if ordered_before { first } else { begin };
            let until =
                (first..end).find(|&s| self.segments[s].from >= hit.to && opens(&self.segments[s])).unwrap_or(end);
            for segment in &mut self.segments[from..until] {
                segment.dead = true;
            }
        }
    }

    /// Marks what stands in sentences that are no order.
    fn spend_told(&mut self) {
        for sentence in self.sentences.iter() {
            let Some(told) = sentence.told else { continue };
            // "and three white loaves, thank you" orders all the same.
            let mut own = self.segments.iter().filter(|s| sentence.from <= s.from && s.to <= sentence.to);
            let counts = own.clone().any(|s| !s.dead && s.number.is_some() && !s.is_name());
            if intent::class(told) == Class::Courtesy && counts && own.any(|s| !s.dead && !s.products.is_empty()) {
                continue;
            }
            let within = |s: &&mut Segment| sentence.from <= s.from && s.to <= sentence.to;
            self.segments.iter_mut().filter(within).for_each(|segment| segment.dead = true);
        }
    }

    /// Pickup, delivery and an address, where they are said.
    fn fulfilment(&mut self, reading: &mut Reading) {
        for at in 0..self.segments.len() {
            let roles = self.segments[at].roles;
            if self.segments[at].dead || self.segments[at].is_name() {
                continue;
            }
            let negated = at
                .checked_sub(1)
                .is_some_and(|b| self.segments[b].roles.any(&[Role::Without, Role::Not]) && !self.segments[b].dead);
            if roles.has(Role::Address) {
                let address = self.address(at);
                if address.is_some() {
                    reading.address = address;
                    reading.fulfilment = Some(Fulfilment::Delivery);
                    self.segments[at].dead = true;
                    continue;
                }
            }
            if roles.has(Role::Delivery)
                && let Some(last) = self.address_after(at)
                && let Some(address) = self.address(last)
            {
                reading.address = Some(address);
                reading.fulfilment = Some(Fulfilment::Delivery);
                self.spend_to(at, last);
                continue;
            }
            if roles.has(Role::WeakAddress) && reading.address.is_none() && self.is_corrected_address(at) {
                reading.address = self.address(at);
                reading.fulfilment = Some(Fulfilment::Delivery);
                self.spend_to(at, at);
                continue;
            }
            let way = if roles.has(Role::Pickup) {
                Fulfilment::Pickup
            } else if roles.has(Role::Delivery) {
                Fulfilment::Delivery
            } else {
                continue;
            };
            if !negated {
                reading.fulfilment = Some(way);
            }
            self.segments[at].dead = true;
        }
    }

    /// Products that the message names where it orders nothing.
    fn mentioned(&self) -> Vec<usize> {
        let mut found: Vec<usize> =
            self.segments.iter().filter(|s| s.dead && !s.told).flat_map(|s| s.products.iter().copied()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn spend_to(&mut self, from: usize, last: usize) {
        for segment in &mut self.segments[from..=last] {
            segment.dead = true;
        }
    }

    /// Marks numbers that are times: "at 7", "kl 18", "in 30 minutes". Those of the order are told already.
    fn spend_times(&mut self) {
        for at in 0..self.segments.len() {
            let clock = |s: &Segment| !s.dead && s.roles.has(Role::Clock) && !s.is_name();
            let segment = &self.segments[at];
            if segment.number.is_none() || segment.dead || segment.is_name() {
                continue;
            }
            let before = at.checked_sub(1).is_some_and(|b| clock(&self.segments[b]));
            let after = self.segments.get(at + 1).is_some_and(clock);
            let counts = self.segments.get(at + 1).is_some_and(|s| s.is_name() || s.roles.has(Role::Unit));
            if (before && !counts) || after {
                self.segments[at].dead = true;
            }
        }
        for segment in &mut self.segments {
            segment.dead |= segment.roles.only(&[Role::Clock, Role::Stop, Role::Chatter])
                && segment.roles.has(Role::Clock)
                && !segment.is_name();
        }
    }

    /// The address after the phrase at this segment, whose segments it uses up.
    fn address(&mut self, at: usize) -> Option<String> {
        let mut end = at + 1;
        while end < self.segments.len() {
            let segment = &self.segments[end];
            let stops = segment.told
                || match segment.mark {
                    Some(Kind::Question | Kind::Sign) => true,
                    Some(Kind::Stop) => {
                        let word = &self.words[segment.from - 1].token;
                        let point = self.text[self.words[segment.from].token.from..].starts_with('.');
                        !(point && word.kind == Kind::Word && word.text.chars().count() <= LONGEST_ABBREVIATION)
                    }
                    Some(_) => false,
                    None => {
                        segment.roles.any(&[Role::Open, Role::Add, Role::Pickup, Role::Usual])
                            && segment.to - segment.from >= 1
                            && !segment.roles.any(&[Role::On, Role::Stop])
                            || (!segment.products.is_empty() && !segment.loose)
                            || (segment.roles.has(Role::Polite) && !segment.roles.has(Role::Stop))
                    }
                };
            if stops {
                break;
            }
            end += 1;
        }
        // Words that lead over to the next thing are no part of the address.
        while end > at + 1 && end < self.segments.len() {
            let segment = &self.segments[end - 1];
            let leads = segment.mark.is_some()
                || segment.roles.any(&[Role::And, Role::Article, Role::With, Role::Definite, Role::But])
                || (segment.number.is_some() && !self.segments[end].products.is_empty())
                || !segment.choices.is_empty();
            if !leads {
                break;
            }
            end -= 1;
        }
        let words = &self.words[self.segments[at].to..self.segments.get(end).map_or(self.words.len(), |s| s.from)];
        let telling = self.segments[at + 1..end].iter().any(|s| s.unknown || s.is_name() || s.number.is_some())
            || words.iter().any(|word| word.token.kind == Kind::Number);
        let (first, last) =
            (words.iter().find(|w| text::is_word(&w.token))?, words.iter().rfind(|w| text::is_word(&w.token))?);
        let address = self.text[first.token.from..last.token.to].trim();
        if !telling || address.chars().count() > LONGEST_ADDRESS {
            return None;
        }
        let address = address.to_owned();
        for segment in &mut self.segments[at + 1..end] {
            segment.dead = true;
        }
        Some(address)
    }

    /// Which of these, told by their names, the customer chose by a number in its name or by its place: "10" of "10
    /// tablets", "2", "the second one", "the last". Uses the words up.
    fn nth(&mut self, names: &[&[Box<[WordId]>]]) -> Option<usize> {
        let of = names.len();
        let at = self
            .segments
            .iter()
            .position(|s| !s.dead && (s.ordinal.is_some() || s.number.is_some() || s.roles.has(Role::Last)))?;
        // Beside a name a number is a quantity.
        if self.segments.iter().any(|s| !s.dead && s.is_name()) {
            return None;
        }
        let digits = self.words[self.segments[at].from].sense.word;
        let has = |name: &[WordId]| digits.is_some_and(|digits| name.contains(&digits));
        let holding: Vec<usize> = (0..of).filter(|&n| names[n].iter().any(|name| has(name))).collect();
        let said = self.segments[at].ordinal.or(self.segments[at].number);
        let named = match holding[..] {
            [one] if self.segments[at].number.is_some() => Some(one as u32 + 1),
            _ => None,
        };
        let n = match named.or(said) {
            Some(n) => (n as usize).checked_sub(1)?,
            None => of.checked_sub(1)?,
        };
        if n >= of {
            return None;
        }
        for segment in &mut self.segments {
            segment.dead |=
                segment.number.is_some() || segment.ordinal.is_some() || segment.roles.any(&[Role::Last, Role::One]);
        }
        Some(n)
    }

    /// The answer, where the message is nothing but a yes or a no with courtesy.
    fn yes_or_no(&self) -> Option<bool> {
        let mut answer = None;
        for segment in &self.segments {
            let roles = segment.roles;
            if answer.is_none() && roles.any(&[Role::Yes, Role::No]) {
                answer = Some(!roles.has(Role::No));
                continue;
            }
            let filling = segment.mark.is_some_and(|mark| mark != Kind::Question)
                || segment.dead
                || roles.any(&[Role::Yes, Role::No, Role::Polite, Role::Stop, Role::Definite, Role::Open, Role::One]);
            if !filling || segment.is_name() {
                return None;
            }
        }
        answer
    }

    /// Whether unknown words stand where goods would: behind a number, an article, "with", "and" and their like, or as
    /// the whole of a sentence; and not as a person's name.
    fn is_goods(&self, sentence: usize, from: usize, to: usize) -> bool {
        const BEFORE: [Role; 17] = [
            Role::Article,
            Role::And,
            Role::Or,
            Role::With,
            Role::Without,
            Role::Not,
            Role::Extra,
            Role::Light,
            Role::Only,
            Role::Remove,
            Role::Add,
            Role::Another,
            Role::SideOf,
            Role::Unit,
            Role::Of,
            Role::Times,
            Role::Open,
        ];
        let polite = |s: &Segment| s.mark == Some(Kind::Sign) || s.roles.has(Role::Polite) && !s.roles.any(&BEFORE);
        // "one of those bubbling chests", "a large sprite": what is before the words that describe the goods.
        let describes = |s: &Segment| {
            s.products.is_empty() && !s.choices.is_empty()
                || !s.is_name() && s.roles.any(&[Role::Definite, Role::One])
                || s.is_silent()
        };
        let mut edge = from;
        while edge > sentence && describes(&self.segments[edge - 1]) && self.segments[edge - 1].number.is_none() {
            edge -= 1;
        }
        let points = self.segments[edge..from].iter().all(|s| !s.is_name());
        let before = self.segments[sentence..edge].iter().rev().find(|s| !polite(s));
        let counts = self.segments.get(to).is_some_and(|s| s.number.is_some());
        let counted =
            before.is_some_and(|s| s.number.is_some() || s.roles.any(&[Role::Article, Role::Times, Role::Unit]));
        if self.words[self.segments[from].from].capital && from > sentence && !counted {
            return false;
        }
        // "Elm Grove"
        if to - from > 1 && self.segments[from..to].iter().all(|s| self.words[s.from].capital) && !counted {
            return false;
        }
        match before {
            None if edge < from => !points,
            None => !counts || self.segments[to..].iter().all(|s| s.number.is_none() || !s.is_name()),
            Some(s) if edge < from && points => {
                let silent = self.segments[edge..from].iter().all(Segment::is_silent);
                counted || s.roles.has(Role::Of) || silent && s.roles.any(&[Role::Open, Role::Add])
            }
            Some(s) => counted || s.mark.is_some() || s.unknown || s.roles.any(&BEFORE),
        }
    }

    /// Pieces of the text that seem to name something and name nothing that the shop has.
    fn unmatched(&self, strays: &[usize], answering: bool, changed: bool) -> Vec<String> {
        let mut found = self.refused.clone();
        let mut begin = 0;
        while begin < self.segments.len() {
            let end = self.segments[begin..]
                .iter()
                .position(Segment::ends_sentence)
                .map_or(self.segments.len(), |stop| begin + stop);
            let sentence = &self.segments[begin..end];
            let orders = answering
                || (sentence.iter().any(|s| s.is(Role::Article)) && sentence.iter().any(|s| !s.dead && s.is_name()))
                || sentence.iter().any(|s| {
                    !s.dead
                        && (s.is_name() && changed
                            || s.number.is_some()
                            || s.roles.any(&[Role::Open, Role::Add, Role::Remove, Role::Another])
                                && !s.roles.has(Role::Polite))
                });
            let mut at = begin;
            while at < end {
                let lost = |s: usize| {
                    let segment = &self.segments[s];
                    // A word of everyday talk that happens to be an option too.
                    if segment.roles.any(&[Role::Chatter, Role::Stop, Role::Polite]) {
                        return false;
                    }
                    !segment.dead && ((segment.unknown && orders) || strays.contains(&s))
                };
                if !lost(at) {
                    at += 1;
                    continue;
                }
                let first = at;
                while at < end && lost(at) && strays.contains(&at) == strays.contains(&first) {
                    at += 1;
                }
                // "for John", "I'm John": a person, nothing to buy.
                let named = first
                    .checked_sub(1)
                    .is_some_and(|b| self.segments[b].roles.has(Role::Name) && !self.segments[b].roles.has(Role::With));
                if !named && (strays.contains(&first) || answering || self.is_goods(begin, first, at)) {
                    // "a pizza capricciosa", where the shop has no pizza at all.
                    let known = self.segments[begin..first].iter().rev().take_while(|s| s.is_silent()).count();
                    let goods = known <= MOST_WORDS_OF_KIND && !strays.contains(&first);
                    let begins = if goods { first - known } else { first };
                    let (from, to) = (self.segments[begins].from, self.segments[at - 1].to);
                    let piece = &self.text[self.words[from].token.from..self.words[to - 1].token.to];
                    found.push(piece.to_owned());
                }
            }
            begin = end + 1;
        }
        found
    }
}

/// At most [`LONGEST_MESSAGE`] characters of a text.
pub(super) fn cut(text: &str) -> &str {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

/// Whether the text waits for its other half.
fn is_fragment(draft: &Draft<'_>, utterance: &Utterance<'_>) -> bool {
    let words = draft.segments.iter().filter(|s| s.mark.is_none()).count();
    if words == 0 || draft.segments.iter().any(|s| s.mark == Some(Kind::Question)) {
        return false;
    }
    if draft.yes_or_no().is_some() {
        return false;
    }
    if let Some(last) = draft.segments.iter().rfind(|s| s.mark != Some(Kind::Sign)) {
        let hangs = matches!(last.mark, Some(Kind::Comma | Kind::Dots))
            || (last.mark.is_none()
                && !last.is_name()
                && last.roles.any(&[Role::And, Role::Or, Role::With, Role::Without, Role::Article])
                && !last.roles.any(&[Role::Polite, Role::Again, Role::Another]));
        if hangs {
            return true;
        }
    }
    if !draft.hits.is_empty() {
        return false;
    }
    let answering = utterance.expecting.is_some() || !utterance.cart.is_empty();
    draft.segments.iter().all(|s| {
        s.mark.is_some_and(|mark| mark == Kind::Sign)
            || (!s.is_name()
                && !s.unknown
                && s.class.is_empty()
                && ((s.number.is_some() && !answering)
                    || s.roles.any(&[
                        Role::Open,
                        Role::Article,
                        Role::Definite,
                        Role::And,
                        Role::Or,
                        Role::With,
                        Role::Add,
                        Role::Times,
                        Role::Unit,
                        Role::Polite,
                    ])))
    }) && draft
        .segments
        .iter()
        .any(|s| s.number.is_some() || s.roles.any(&[Role::Open, Role::Article, Role::And, Role::Add, Role::Definite]))
}
