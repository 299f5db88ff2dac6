//! Every name of a catalogue, in every language, in a tree of words. For each language that the program speaks there
//! is one tree whose words have lost that language's endings, so that plurals and cases of any name are found, foreign
//! ones too. Besides the names as written it holds forms that people make of them: two words joined, "and" left out,
//! numbers as digits or words, and a part of the name where that part means only a few things.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    lexicon::{Lexicon, Lexicons, Role},
    spelling::Spellings,
    text,
};
use crate::{catalog::Catalog, language::Language};

/// Most things that a part of a name may mean before it means a whole class of things.
pub const MOST_AMBIGUOUS: usize = 4;

/// Most words of a name that are compared; a longer name is found by its first words.
const LONGEST_NAME: usize = 10;

/// Fewest letters of a single word that may stand for a longer name.
const SHORTEST_PART: usize = 3;

/// Most letters of a word that joins others, such as "with", and may be left out.
const LONGEST_JOINT: usize = 4;

/// What a name stands for. Numbers are places in the catalogue's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// A product.
    Product(usize),
    /// A choice: group, then place in it.
    Choice(usize, usize),
    /// A category.
    Category(usize),
    /// A group.
    Group(usize),
}

/// How a name was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// As the file has it.
    Full,
    /// With a joint moved: words joined, "and" left out.
    Moved,
    /// Its last words.
    Tail,
    /// Its first words.
    Head,
}

/// A name in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// What it stands for.
    pub thing: Thing,
    /// Its language.
    pub language: Language,
    /// Its folded words without spaces.
    pub squashed: String,
    /// How it was come by.
    pub form: Form,
}

/// Names by their words.
#[derive(Default)]
pub struct Tree {
    words: HashMap<String, u32>,
    steps: HashMap<(u32, u32), u32>,
    names: Vec<Vec<Name>>,
}

/// All names of a catalogue.
pub struct NameBook {
    /// One for each lexicon, in its order.
    pub trees: Vec<Tree>,
    /// Every folded word of a name, with the languages that have it.
    pub words: HashMap<String, Vec<Language>>,
    /// What a misspelt word is compared with.
    pub spellings: Spellings,
    /// For a choice that is named as "one or the other" of its sisters: those.
    pub either: HashMap<(usize, usize), Vec<(usize, usize)>>,
    /// The products of each category.
    pub members: Vec<Vec<usize>>,
}

impl Tree {
    /// The place of a word below another; the root is 0.
    pub fn step(&self, from: u32, word: &str) -> Option<u32> {
        self.steps.get(&(from, *self.words.get(word)?)).copied()
    }

    /// The names that end there.
    pub fn names(&self, at: u32) -> &[Name] {
        &self.names[at as usize]
    }

    fn insert(&mut self, words: &[String], name: Name) {
        if self.names.is_empty() {
            self.names.push(Vec::new());
        }
        let mut at = 0;
        for word in words {
            let next_word = self.words.len() as u32;
            let word = *self.words.entry(word.clone()).or_insert(next_word);
            let next = self.names.len() as u32;
            at = *self.steps.entry((at, word)).or_insert(next);
            if at == next {
                self.names.push(Vec::new());
            }
        }
        let here = &mut self.names[at as usize];
        if !here.contains(&name) {
            here.push(name);
        }
    }
}

impl NameBook {
    /// Gathers the names of a catalogue.
    pub fn compile(catalog: &Catalog, lexicons: &Lexicons) -> NameBook {
        let mut all: Vec<(Thing, Language, Vec<String>)> = Vec::new();
        let mut gather = |thing: Thing, names: &crate::catalog::Names| {
            for (language, name) in names.all() {
                let words: Vec<String> = text::words(name).into_iter().take(LONGEST_NAME).collect();
                if !words.is_empty() {
                    all.push((thing, language, words));
                }
            }
        };
        for (at, product) in catalog.products.iter().enumerate() {
            gather(Thing::Product(at), &product.names);
        }
        for (at, group) in catalog.groups.iter().enumerate() {
            gather(Thing::Group(at), &group.names);
            for (choice_at, choice) in group.choices.iter().enumerate() {
                gather(Thing::Choice(at, choice_at), &choice.names);
            }
        }
        for (at, category) in catalog.categories.iter().enumerate() {
            gather(Thing::Category(at), &category.names);
        }
        let members = catalog
            .categories
            .iter()
            .map(|category| {
                let of = |(at, p): (usize, &crate::catalog::Product)| (p.category == category.id).then_some(at);
                catalog.products.iter().enumerate().filter_map(of).collect()
            })
            .collect();
        let either = eithers(catalog, lexicons);
        let mut book =
            NameBook { trees: Vec::new(), words: HashMap::new(), spellings: Spellings::default(), either, members };
        for (thing, language, words) in &all {
            for word in words {
                let known = book.words.entry(word.clone()).or_default();
                if !known.contains(language) {
                    known.push(*language);
                }
                let lexicon = lexicons.position(*language).map(|at| &lexicons.all()[at]);
                book.spellings.insert(word, lexicon, *thing);
            }
        }
        let full: HashSet<String> = all.iter().map(|(_, _, words)| words.concat()).collect();
        let mut forms = Vec::new();
        for (thing, language, words) in &all {
            let lexicon = lexicons.position(*language).map(|at| &lexicons.all()[at]);
            forms_of(*thing, *language, words, lexicon, &full, &mut forms);
        }
        for lexicon in lexicons.all() {
            let mut tree = Tree { names: vec![Vec::new()], ..Tree::default() };
            for (words, name) in &forms {
                let stems: Vec<String> = words.iter().map(|word| lexicon.stem(word)).collect();
                tree.insert(&stems, name.clone());
            }
            book.trees.push(tree);
        }
        book
    }
}

/// The forms of one name.
fn forms_of(
    thing: Thing,
    language: Language,
    words: &[String],
    lexicon: Option<&Lexicon>,
    full: &HashSet<String>,
    forms: &mut Vec<(Vec<String>, Name)>,
) {
    let mut seen: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut push = |words: Vec<String>, form: Form| {
        if !words.is_empty() && seen.insert(words.clone()) {
            let squashed = words.concat();
            forms.push((words, Name { thing, language, squashed, form }));
        }
    };
    push(words.to_vec(), Form::Full);
    let role = |word: &str, roles: &[Role]| {
        lexicon.and_then(|l| l.meaning(word)).is_some_and(|meaning| meaning.roles.any(roles))
    };
    // "and" and small words that join are left out: "chicken rice" for "chicken with rice".
    let joins = |word: &str| {
        role(word, &[Role::And])
            || word.chars().count() <= LONGEST_JOINT
                && role(word, &[Role::Of, Role::With, Role::On, Role::Into, Role::Definite])
                && !role(word, &[Role::Without, Role::Not, Role::Or])
    };
    let plain: Vec<String> = words
        .iter()
        .enumerate()
        .filter(|(at, w)| *at == 0 || at + 1 == words.len() || !joins(w))
        .map(|(_, w)| w.clone())
        .collect();
    if plain.len() < words.len() && plain.len() > 1 {
        push(plain.clone(), Form::Moved);
    }
    // "not hot" for "without heat": a name that refuses is refused in other words too.
    if let Some(lexicon) = lexicon {
        let refuses = |words: &[String]| {
            lexicon.meaning(&words.join(" ")).is_some_and(|m| m.roles.any(&[Role::Without, Role::Not]))
        };
        let refusal = (1..words.len().min(4)).rev().find(|&length| refuses(&words[..length]));
        if let Some(length) = refusal {
            let others = lexicon.phrases_of(Role::Without).chain(lexicon.phrases_of(Role::Not));
            for other in others.map(text::words).filter(|other| other.len() <= 2) {
                push(other.into_iter().chain(words[length..].iter().cloned()).collect(), Form::Moved);
            }
        }
    }
    if let ([first, second], Some(true)) = (words, lexicon.map(|lexicon| lexicon.free_order))
        && first.chars().chain(second.chars()).all(char::is_alphabetic)
    {
        push(vec![second.clone(), first.clone()], Form::Moved);
    }
    // "0.5" for "0.5 l", "a kilo" for "1 kg".
    if words.len() > 1 && words[0].contains('.') && words[0].parse::<f32>().is_ok() {
        push(vec![words[0].clone()], Form::Moved);
    }
    if words.len() > 1 && words[0] == "1" && words[1].chars().all(char::is_alphabetic) {
        push(words[1..].to_vec(), Form::Moved);
    }
    for at in 1..words.len() {
        let mut joined = words.to_vec();
        let next = joined.remove(at);
        joined[at - 1].push_str(&next);
        push(joined, Form::Moved);
    }
    // A name that is nothing but a number stays as written: else every "two" would be it.
    if let Some(lexicon) = lexicon.filter(|_| words.len() > 1) {
        for (at, word) in words.iter().enumerate() {
            let number = match word.parse::<u32>() {
                Ok(number) => Some(number),
                Err(_) => lexicon.meaning(word).and_then(|meaning| meaning.number),
            };
            let Some(number) = number else { continue };
            let others = lexicon.number_words(number).map(str::to_owned).chain([number.to_string()]);
            for other in others {
                let mut counted = words.to_vec();
                counted[at] = other;
                push(counted, Form::Moved);
            }
        }
    }
    if matches!(thing, Thing::Category(_) | Thing::Group(_)) {
        return;
    }
    // A part of a name must carry meaning: "white" of "white rice" may, "of" or "bottle" may not.
    let telling = |part: &[String]| {
        let word_tells = |word: &String| {
            word.chars().count() >= SHORTEST_PART
                && word.parse::<f32>().is_err()
                && !lexicon.is_some_and(|l| {
                    l.meaning(word).is_some_and(|m| m.number.is_some() || m.ordinal.is_some() || !m.roles.is_empty())
                })
        };
        part.iter().any(word_tells)
            && !full.contains(&part.concat())
            && part.first().is_none_or(|first| !role(first, &[Role::And, Role::Or, Role::With, Role::Of]))
            && part.last().is_none_or(|last| !role(last, &[Role::And, Role::Or, Role::With, Role::Of]))
    };
    // "the kitten" is no food for kittens: what a name says behind a small word only describes.
    let describes = |at: usize| {
        let before = &words[at - 1];
        matches!(thing, Thing::Product(_))
            && at >= 2
            && (joins(before)
                || before.chars().count() <= LONGEST_JOINT && role(before, &[Role::Name, Role::WeakAddress]))
    };
    for at in 1..words.len() {
        if telling(&words[at..]) && !describes(at) {
            push(words[at..].to_vec(), Form::Tail);
        }
        if telling(&words[..at]) {
            push(words[..at].to_vec(), Form::Head);
        }
    }
}

/// Choices that a file names "A or B" (or "or A B") after their sisters: no third thing to buy, but the question which.
fn eithers(catalog: &Catalog, lexicons: &Lexicons) -> HashMap<(usize, usize), Vec<(usize, usize)>> {
    let mut either = HashMap::new();
    for (group_at, group) in catalog.groups.iter().enumerate() {
        for (choice_at, choice) in group.choices.iter().enumerate() {
            for (language, name) in choice.names.all() {
                let is_or = |word: &String| {
                    lexicons
                        .position(language)
                        .and_then(|at| lexicons.all()[at].meaning(word))
                        .is_some_and(|meaning| meaning.roles.has(Role::Or))
                };
                let words = text::words(name);
                if !words.iter().any(is_or) {
                    continue;
                }
                let sisters: Vec<(Vec<String>, usize)> = group
                    .choices
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at != choice_at)
                    .flat_map(|(at, c)| c.names.all().map(move |(_, name)| (text::words(name), at)))
                    .filter(|(words, _)| !words.is_empty())
                    .collect();
                let mut found = BTreeSet::new();
                let mut at = 0;
                while at < words.len() {
                    if is_or(&words[at]) {
                        at += 1;
                        continue;
                    }
                    let longest = sisters
                        .iter()
                        .filter(|(sister, _)| words[at..].starts_with(sister))
                        .max_by_key(|(sister, _)| sister.len());
                    let Some((sister, which)) = longest else { break };
                    found.insert((group_at, *which));
                    at += sister.len();
                }
                if at == words.len() && found.len() >= 2 {
                    either.insert((group_at, choice_at), found.into_iter().collect());
                }
            }
        }
    }
    either
}
