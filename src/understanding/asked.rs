//! What the bot asked, answered: which of several, an option that is missing, a name, an address, a yes or a no. What
//! settles a question is used up, so that the rest of the message is read as if it had come alone.

use super::{
    Expecting, Intent, Reading, Utterance,
    engine::{Draft, Engine},
    lexicon::Role,
    names::WordId,
    segment::{Segment, Word},
    shop::ShopGroup,
    text::{self, Kind},
};
use crate::{
    cart::{Cart, Chosen, Line, Pick},
    id::ChoiceId,
    order::Fulfilment,
};

/// Most words of a name.
const LONGEST_NAME: usize = 4;

/// Most languages of which a capitalised yes may be a name: "ok" and "yes" are said in more.
const MOST_YES_OF_A_NAME: usize = 2;

/// Most words of an answer that is everyday talk and no address.
const MOST_WORDS_OF_TALK: usize = 3;

impl Engine {
    /// What a customer who was asked for a name is called: the text without "my name is" and its like.
    pub fn stated_name<'a>(&self, text: &'a str) -> &'a str {
        self.without_opening(text, &[Role::Name, Role::Called])
    }

    /// Where a customer who was asked for an address lives: the text without "to" and its like.
    pub fn stated_address<'a>(&self, text: &'a str) -> &'a str {
        self.without_opening(text, &[Role::Address, Role::WeakAddress])
    }

    /// The text without a phrase of these roles, of any language, at its beginning, and without marks at its end.
    pub(super) fn without_opening<'a>(&self, text: &'a str, roles: &[Role]) -> &'a str {
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
    pub(super) fn answers_freely(&self, draft: &Draft<'_>, utterance: &Utterance<'_>, reading: &mut Reading) -> bool {
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
    pub(super) fn is_name_like_yes(&self, draft: &Draft<'_>) -> bool {
        let mut words = draft.words.iter().filter(|word| text::is_word(&word.token));
        let (Some(word), None) = (words.next(), words.next()) else { return false };
        let saying = self.lexicons.all().iter().filter_map(|lexicon| lexicon.meaning(&word.token.text));
        draft.text[word.token.from..].starts_with(char::is_uppercase)
            && saying.filter(|meaning| meaning.roles.any(&[Role::Yes, Role::No])).count() <= MOST_YES_OF_A_NAME
    }

    /// Whether a text that a name was asked with is none.
    pub(super) fn is_no_name(&self, draft: &Draft<'_>) -> bool {
        let named = |segment: &Segment| segment.roles.any(&[Role::Name, Role::Called]);
        let hit = draft.hits.iter().any(|hit| {
            let phrase = draft.segments.iter().any(|s| named(s) && s.from <= hit.from && hit.to <= s.to);
            let lone = hit.words == 1 && draft.words[hit.from].capital && hit.intent != Intent::Thanks;
            !phrase && !lone && hit.intent != Intent::Greeting && hit.intent != Intent::Rating
        });
        let sells = draft.segments.iter().any(|s| !s.products.is_empty())
            && draft.segments.iter().any(|s| {
                s.number.is_some() || s.roles.any(&[Role::Add, Role::Make, Role::Open, Role::Article, Role::Another])
            });
        let makes = draft.segments.iter().any(|s| s.number.is_some())
            && draft.segments.iter().any(|s| s.roles.any(&[Role::Make, Role::Add, Role::Remove]));
        let fetched = draft.segments.iter().any(|s| s.roles.any(&[Role::Pickup, Role::Delivery]) && !s.is_name());
        // "I want": the rest is to come.
        let begins = draft.segments.iter().any(|s| s.to - s.from > 1)
            && draft.segments.iter().all(|s| s.mark.is_some() || s.roles.has(Role::Open));
        let name = self.stated_name(draft.text);
        let long = name.split_whitespace().count() > LONGEST_NAME;
        draft.is_lone_street()
            || hit
            || sells
            || makes
            || fetched
            || begins
            || long
            || !name.contains(char::is_alphabetic)
    }

    /// Settles what the bot asked: which of several, or an option that is missing. Says whether anything was.
    pub(super) fn settle(&self, draft: &mut Draft<'_>, cart: &mut Cart) -> bool {
        cart.lines.iter_mut().rev().any(|line| {
            self.settle_product(draft, line) || self.settle_choice(draft, line) || self.settle_missing(draft, line)
        })
    }

    /// Which product a line means.
    fn settle_product(&self, draft: &mut Draft<'_>, line: &mut Line) -> bool {
        let Pick::OneOf(ids) = &line.product else { return false };
        let candidates: Vec<usize> = ids.iter().filter_map(|id| self.shop.product(id)).collect();
        let found = draft
            .segments
            .iter_mut()
            .find(|s| !s.dead && s.products.iter().chain(&*s.class).any(|product| candidates.contains(product)));
        let picked: Vec<usize> = match found {
            Some(segment) => {
                segment.dead = true;
                let named = |product: &&usize| segment.products.contains(product) || segment.class.contains(product);
                candidates.iter().filter(named).copied().collect()
            }
            None => {
                let names: Vec<&[Box<[WordId]>]> = candidates.iter().map(|&p| &*self.shop.names[p]).collect();
                let nth = draft.nth(&names).or_else(|| self.told_apart(draft, &names));
                nth.map(|n| candidates[n]).into_iter().collect()
            }
        };
        if picked.is_empty() {
            return false;
        }
        line.product = self.shop.product_pick(&picked);
        true
    }

    /// Which choice an option of a line means.
    fn settle_choice(&self, draft: &mut Draft<'_>, line: &mut Line) -> bool {
        let open = line.options.iter_mut().find_map(|option| match &option.choice {
            Pick::OneOf(ids) => Some((ids.clone(), option)),
            Pick::One(_) => None,
        });
        let Some((ids, option)) = open else { return false };
        let is_open = |&&(g, c): &&(usize, usize)| ids.contains(&self.shop.groups[g].choices[c]);
        let named = draft.segments.iter_mut().filter(|s| !s.dead).find_map(|segment| {
            let &choice = segment.choices.iter().find(is_open)?;
            segment.dead = true;
            Some(choice)
        });
        let picked = match named {
            Some((g, c)) => Some((self.shop.groups[g].id.clone(), self.shop.groups[g].choices[c].clone())),
            None => {
                let group = self.shop.group(&option.group).map(|group| &self.shop.groups[group]);
                let names_of = |id: &ChoiceId| {
                    let at = group.and_then(|group| group.choices.iter().position(|choice| choice == id));
                    group.zip(at).map(|(group, at)| &*group.names[at]).unwrap_or_default()
                };
                let names: Vec<&[Box<[WordId]>]> = ids.iter().map(names_of).collect();
                let nth = draft.nth(&names).or_else(|| self.told_apart(draft, &names));
                nth.map(|n| (option.group.clone(), ids[n].clone()))
            }
        };
        let Some((group, choice)) = picked else { return false };
        option.group = group;
        option.choice = Pick::One(choice);
        true
    }

    /// The choices of a group that a line must have and lacks.
    fn settle_missing(&self, draft: &mut Draft<'_>, line: &mut Line) -> bool {
        let lacking = |group: &ShopGroup| {
            let made = line.options.iter().filter(|option| option.group == group.id && !option.without);
            (group.asked_for as usize).saturating_sub(made.map(|option| option.count as usize).sum())
        };
        let missing = self.shop.products_of(line).first().and_then(|&product| {
            let mut groups = self.shop.groups_of[product].iter();
            groups.find_map(|&g| Some((g, lacking(&self.shop.groups[g]))).filter(|&(_, lacking)| lacking > 0))
        });
        let Some((group, lacking)) = missing else { return false };
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
        let settled = !picked.is_empty();
        for (group, choice) in picked {
            let first = match &choice {
                Pick::One(id) => id.clone(),
                Pick::OneOf(ids) => ids[0].clone(),
            };
            line.options.push(Chosen { choice, ..Chosen::of(group, first) });
        }
        settled
    }

    /// Which of these, told by their names, has words of the message that the others lack: "with meat" of a pie with meat
    /// and a pie with cheese. Uses the words up.
    pub(super) fn told_apart(&self, draft: &mut Draft<'_>, names: &[&[Box<[WordId]>]]) -> Option<usize> {
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
}

impl Draft<'_> {
    /// Which of these, told by their names, the customer chose by a number in its name or by its place: "10" of "10
    /// tablets", "2", "the second one", "the last". Uses the words up.
    pub(super) fn nth(&mut self, names: &[&[Box<[WordId]>]]) -> Option<usize> {
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

    /// The answer, where the message is nothing but a yes or a no with courtesy. "Ok no" is a no.
    pub(super) fn yes_or_no(&self) -> Option<bool> {
        let mut answer = None;
        for segment in &self.segments {
            let roles = segment.roles;
            if roles.any(&[Role::Yes, Role::No]) {
                let no = roles.has(Role::No) && (answer.is_none() || !roles.has(Role::Yes));
                answer = Some(!no && answer.unwrap_or(true));
                continue;
            }
            let filling = segment.mark.is_some_and(|mark| mark != Kind::Question)
                || segment.dead
                || roles.any(&[Role::Polite, Role::Stop, Role::Definite, Role::One]);
            let holds_back = roles.any(&[Role::Not, Role::Without, Role::Instead, Role::Correction]);
            if !filling || holds_back || segment.is_name() {
                return None;
            }
        }
        answer
    }
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
