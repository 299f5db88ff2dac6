//! Names that a shop's staff have given to its goods, beside those of its catalogue: what one shop's customers call
//! things. The catalogue stays as it was imported; [`with`] adds the names to the copy that an engine is compiled from.

use std::fmt;

use super::{Lexicons, text};
use crate::{
    cart::Line,
    catalog::Catalog,
    id::{ChoiceId, GroupId, ProductId},
    language::Language,
};

/// Most words of a name. Longer pieces are sentences, and nobody says the same one twice.
pub const MOST_WORDS: usize = 6;

/// Most characters of a name: six long words.
pub const LONGEST: usize = 80;

/// Fewest letters of a name: a single one means too much.
const FEWEST_LETTERS: usize = 2;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meant {
    /// A product.
    Product(ProductId),
    /// A choice of a group.
    Choice(GroupId, ChoiceId),
}

/// A name as it is compared: its words in small letters without accents. Two texts that customers would take for the
/// same name are the same phrase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phrase(String);

/// A name with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub phrase: Phrase,
    /// The language that it was said in.
    pub language: Language,
    /// What it stands for.
    pub meant: Meant,
}

/// Why a text can't be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPhrase {
    /// It has no words, or just a letter.
    Empty,
    /// More than [`MOST_WORDS`] words or [`LONGEST`] characters.
    Long,
}

impl Phrase {
    /// Reads a text as a name.
    pub fn parse(text: &str) -> Result<Phrase, BadPhrase> {
        if text.chars().count() > LONGEST {
            return Err(BadPhrase::Long);
        }
        let words = text::words(text);
        if words.len() > MOST_WORDS {
            return Err(BadPhrase::Long);
        }
        let phrase = words.join(" ");
        if phrase.chars().filter(|c| c.is_alphabetic()).count() < FEWEST_LETTERS {
            return Err(BadPhrase::Empty);
        }
        Ok(Phrase(phrase))
    }

    /// The words, separated by spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text holds these words in a row.
    pub fn is_in(&self, text: &str) -> bool {
        format!(" {} ", text::words(text).join(" ")).contains(&format!(" {} ", self.0))
    }

    /// Whether all its words mean something else to everybody ("two", "yes", "without"), so that as a name it would take
    /// orders apart.
    pub fn is_everyday(&self, lexicons: &Lexicons) -> bool {
        lexicons.all().iter().any(|lexicon| {
            self.0.split(' ').all(|word| {
                lexicon.meaning(word).is_some_and(|m| !m.roles.is_empty() || m.number.is_some() || m.ordinal.is_some())
            })
        })
    }

    /// The things of a catalogue that have this name already.
    pub fn owners(&self, catalog: &Catalog) -> Vec<Meant> {
        let is = |names: &crate::catalog::Names| names.all().any(|(_, name)| text::words(name).join(" ") == self.0);
        let products = catalog.products.iter().filter(|p| is(&p.names)).map(|p| Meant::Product(p.id.clone()));
        let groups = catalog.groups.iter().filter(|group| group.halves.is_none());
        let choices = groups.flat_map(|group| {
            let named = group.choices.iter().filter(|choice| is(&choice.names));
            named.map(|choice| Meant::Choice(group.id.clone(), choice.id.clone()))
        });
        products.chain(choices).collect()
    }
}

impl Meant {
    /// What a correction says that a customer's words meant: the line's product where it is another one or a new line,
    /// else the one choice that it gained. `None` where it says nothing of a name.
    pub fn by(before: Option<&Line>, after: &Line) -> Option<Meant> {
        let product = after.product.settled()?;
        let Some(before) = before.filter(|before| before.product == after.product) else {
            return Some(Meant::Product(product.clone()));
        };
        let had = |group: &GroupId, choice: &ChoiceId| {
            before.options.iter().any(|o| o.group == *group && o.choice.settled() == Some(choice))
        };
        let mut gained = after.options.iter().filter_map(|option| {
            let choice = option.choice.settled()?;
            (!had(&option.group, choice)).then(|| Meant::Choice(option.group.clone(), choice.clone()))
        });
        gained.next().filter(|_| gained.next().is_none())
    }

    /// Whether the catalogue has it.
    pub fn is_in(&self, catalog: &Catalog) -> bool {
        match self {
            Meant::Product(id) => catalog.product(id).is_some(),
            Meant::Choice(group, choice) => catalog.choice(group, choice).is_some(),
        }
    }

    /// Its name in a language; its id where the catalogue lacks it.
    pub fn shown(&self, catalog: &Catalog, language: Language) -> String {
        let names = match self {
            Meant::Product(id) => catalog.product(id).map(|product| &product.names),
            Meant::Choice(group, id) => catalog.choice(group, id).map(|choice| &choice.names),
        };
        match (names, self) {
            (Some(names), _) => names.shown(language).to_owned(),
            (None, Meant::Product(id)) => id.to_string(),
            (None, Meant::Choice(_, id)) => id.to_string(),
        }
    }

    /// Its name as the shop's staff know it.
    pub fn shown_to_staff(&self, catalog: &Catalog) -> String {
        self.shown(catalog, catalog.languages.first().copied().unwrap_or(Language::ENGLISH))
    }
}

/// A copy of a catalogue whose things have these names too. What the catalogue lacks by now is left out.
pub fn with(catalog: &Catalog, aliases: &[Alias]) -> Catalog {
    let mut catalog = catalog.clone();
    for alias in aliases {
        let names = match &alias.meant {
            Meant::Product(id) => catalog.products.iter_mut().find(|p| p.id == *id).map(|p| &mut p.names),
            Meant::Choice(group, choice) => catalog
                .groups
                .iter_mut()
                .find(|g| g.id == *group)
                .and_then(|g| g.choices.iter_mut().find(|c| c.id == *choice))
                .map(|c| &mut c.names),
        };
        if let Some(names) = names {
            names.0.entry(alias.language).or_default().push(alias.phrase.0.clone());
        }
    }
    catalog
}

impl fmt::Display for BadPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPhrase::Empty => f.write_str("a name needs a word"),
            BadPhrase::Long => write!(f, "a name has at most {MOST_WORDS} words"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cart::Chosen, catalog::read::read};

    fn shop() -> Catalog {
        read(include_str!("../../config/samples/pizzeria/catalog.json")).unwrap().0
    }

    #[test]
    fn phrases_are_compared_as_customers_would() {
        let phrase = Phrase::parse(" The Pie, of  the Poor! ").unwrap();
        assert_eq!(phrase.as_str(), "the pie of the poor");
        assert!(phrase.is_in("one THE PIE OF THE POOR please") && !phrase.is_in("the pie of the poorest"));
        assert_eq!(Phrase::parse("?!"), Err(BadPhrase::Empty));
        assert_eq!(Phrase::parse("7"), Err(BadPhrase::Empty));
        assert_eq!(Phrase::parse("a b c d e f g"), Err(BadPhrase::Long));
        let lexicons = Lexicons::embedded().unwrap();
        assert!(Phrase::parse("yes two").unwrap().is_everyday(&lexicons));
        assert!(!Phrase::parse("poor pie").unwrap().is_everyday(&lexicons));
    }

    #[test]
    fn owners_are_named_and_names_added_where_the_thing_is_there() {
        let shop = shop();
        let product = |id: &str| Meant::Product(id.parse().unwrap());
        assert_eq!(Phrase::parse("Margherita").unwrap().owners(&shop), [product("margherita")]);
        let poor = Phrase::parse("poor pie").unwrap();
        assert!(poor.owners(&shop).is_empty());
        let alias = |meant: &Meant| Alias { phrase: poor.clone(), language: Language::ENGLISH, meant: meant.clone() };
        let named = with(&shop, &[alias(&product("margherita")), alias(&product("gone"))]);
        assert_eq!(poor.owners(&named), [product("margherita")]);
        assert_eq!(product("margherita").shown_to_staff(&named), "Margherita", "shown as before");
    }

    #[test]
    fn a_correction_tells_what_was_meant() {
        let line = Line::of("margherita".parse().unwrap());
        let other = Line::of("diavola".parse().unwrap());
        assert_eq!(Meant::by(Some(&line), &other), Some(Meant::Product("diavola".parse().unwrap())));
        assert_eq!(Meant::by(None, &line), Some(Meant::Product("margherita".parse().unwrap())));
        assert_eq!(Meant::by(Some(&line), &Line { quantity: 3, ..line.clone() }), None);
        let basil = Chosen::of("topping".parse().unwrap(), "basil".parse().unwrap());
        let with = Line { options: vec![basil], ..line.clone() };
        let choice = Meant::Choice("topping".parse().unwrap(), "basil".parse().unwrap());
        assert_eq!(Meant::by(Some(&line), &with), Some(choice));
        assert_eq!(Meant::by(Some(&with), &line), None);
    }
}
