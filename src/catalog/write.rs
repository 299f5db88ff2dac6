//! Writes a catalogue as a file again, the way people write one by hand: keys in a fixed order, short things on one
//! line, nothing that says what is so anyway. What [`read`](super::read::read) makes of the text is equal to what was
//! written, and the same catalogue always gives the same text, so that two exports can be compared.

use std::collections::BTreeMap;

use crate::{
    calendar::{Hours, Period, WEEKDAYS},
    catalog::{Catalog, Category, Choice, Group, HalvesPrice, Names, Product, Zone},
    language::Language,
};

/// Widest line that several values share, in characters.
const WIDTH: usize = 120;

/// The catalogue's file.
pub fn write(catalog: &Catalog) -> String {
    let mut top = Fields::default();
    top.add("merchant", text(&catalog.merchant));
    top.add("currency", text(catalog.currency.code()));
    top.add("languages", list(&catalog.languages, |language| text(language.tag())));
    if let Some(hours) = &catalog.hours {
        top.add("timezone", text(hours.zone_name()));
        if !hours.is_always() {
            top.add("hours", hours_of(hours));
        }
    }
    if !catalog.zones.is_empty() {
        top.add("zones", list(&catalog.zones, zone));
    }
    // Written even where the file had none: what was made up for it is the merchant's to change.
    top.add("categories", list(&catalog.categories, category));
    top.add("products", list(&catalog.products, product));
    if !catalog.groups.is_empty() {
        top.add("option_groups", list(&catalog.groups, group));
    }
    let mut out = String::new();
    lay_out(&Node::Object(top.0), 0, 0, &mut out);
    out.push('\n');
    out
}

/// A JSON value whose keys keep their order.
enum Node {
    /// As the file has it, with its quotes.
    Leaf(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Default)]
struct Fields(Vec<(String, Node)>);

impl Fields {
    fn add(&mut self, key: &str, node: Node) {
        self.0.push((key.to_owned(), node));
    }

    fn add_texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.add(key, list(texts, |t| text(t)));
        }
    }
}

fn hours_of(hours: &Hours) -> Node {
    let periods = |periods: &[Period]| list(periods, |period| text(&period.to_string()));
    let mut fields = Fields::default();
    for (key, weekday) in WEEKDAYS {
        fields.add(key, periods(hours.periods_of(weekday)));
    }
    let exceptions: Vec<_> = hours.exceptions().map(|(date, on)| (date.to_string(), periods(on))).collect();
    if !exceptions.is_empty() {
        fields.add("exceptions", Node::Object(exceptions));
    }
    Node::Object(fields.0)
}

fn zone(zone: &Zone) -> Node {
    let mut fields = Fields::default();
    fields.add("id", text(zone.id.as_str()));
    fields.add("names", names(&zone.names));
    fields.add_texts("postcodes", &zone.postcodes);
    fields.add_texts("areas", &zone.areas);
    fields.add("fee", text(&zone.fee.digits()));
    if !zone.minimum.is_zero() {
        fields.add("minimum", text(&zone.minimum.digits()));
    }
    if let Some(free_from) = zone.free_from {
        fields.add("free_from", text(&free_from.digits()));
    }
    Node::Object(fields.0)
}

fn category(category: &Category) -> Node {
    let mut fields = Fields::default();
    fields.add("id", text(category.id.as_str()));
    fields.add("names", names(&category.names));
    Node::Object(fields.0)
}

fn product(product: &Product) -> Node {
    let mut fields = Fields::default();
    fields.add("id", text(product.id.as_str()));
    fields.add("category", text(product.category.as_str()));
    fields.add("names", names(&product.names));
    if !product.description.is_empty() {
        fields.add("description", by_language(&product.description, |t| text(t)));
    }
    fields.add("price", text(&product.price.digits()));
    if !product.groups.is_empty() {
        fields.add("option_groups", list(&product.groups, |id| text(id.as_str())));
    }
    if !product.available {
        fields.add("available", flag(false));
    }
    if let Some(allergens) = &product.allergens {
        fields.add("allergens", list(allergens, |t| text(t)));
    }
    fields.add_texts("tags", &product.tags);
    fields.add_texts("interests", &product.interests);
    if let Some(image) = &product.image {
        fields.add("image", text(image));
    }
    Node::Object(fields.0)
}

fn group(group: &Group) -> Node {
    let mut fields = Fields::default();
    fields.add("id", text(group.id.as_str()));
    fields.add("names", names(&group.names));
    if let Some(halves) = &group.halves {
        let price = match halves.price {
            HalvesPrice::Dearest => "dearest",
            HalvesPrice::Average => "average",
        };
        fields.add(
            "halves",
            Node::Object(vec![("of".to_owned(), text(halves.of.as_str())), ("price".to_owned(), text(price))]),
        );
        return Node::Object(fields.0);
    }
    fields.add("min", Node::Leaf(group.min.to_string()));
    if let Some(max) = group.max {
        fields.add("max", Node::Leaf(max.to_string()));
    }
    fields.add("choices", list(&group.choices, choice));
    Node::Object(fields.0)
}

fn choice(choice: &Choice) -> Node {
    let mut fields = Fields::default();
    fields.add("id", text(choice.id.as_str()));
    fields.add("names", names(&choice.names));
    fields.add("price", text(&choice.price.digits()));
    if choice.default {
        fields.add("default", flag(true));
    }
    if !choice.available {
        fields.add("available", flag(false));
    }
    if let Some(allergens) = &choice.allergens {
        fields.add("allergens", list(allergens, |t| text(t)));
    }
    Node::Object(fields.0)
}

fn names(names: &Names) -> Node {
    by_language(&names.0, |all| list(all, |t| text(t)))
}

fn by_language<T>(map: &BTreeMap<Language, T>, node: impl Fn(&T) -> Node) -> Node {
    Node::Object(map.iter().map(|(language, value)| (language.tag().to_owned(), node(value))).collect())
}

fn list<T>(items: &[T], node: impl Fn(&T) -> Node) -> Node {
    Node::List(items.iter().map(node).collect())
}

fn text(text: &str) -> Node {
    Node::Leaf(quoted(text))
}

fn flag(flag: bool) -> Node {
    Node::Leaf(flag.to_string())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Writes a value at a depth, with so many characters before it on its line.
fn lay_out(node: &Node, depth: usize, before: usize, out: &mut String) {
    let mut line = String::new();
    let room = WIDTH.saturating_sub(before);
    // The comma that may follow counts too.
    if on_one_line(node, &mut line) && line.chars().count() < room {
        out.push_str(&line);
        return;
    }
    let inner = 2 * (depth + 1);
    match node {
        Node::Leaf(leaf) => out.push_str(leaf),
        Node::List(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                start_line(n, inner, out);
                lay_out(item, depth + 1, inner, out);
            }
            end_lines(depth, ']', out);
        }
        Node::Object(fields) => {
            out.push('{');
            for (n, (key, value)) in fields.iter().enumerate() {
                start_line(n, inner, out);
                let key = quoted(key);
                out.push_str(&key);
                out.push_str(": ");
                lay_out(value, depth + 1, inner + key.chars().count() + 2, out);
            }
            end_lines(depth, '}', out);
        }
    }
}

/// Writes a value without a line break, and stops where it is sure not to fit. A list of objects never goes on one line:
/// one thing a line reads best, and shows best in a comparison.
fn on_one_line(node: &Node, line: &mut String) -> bool {
    // Four bytes are the most that a character has.
    if line.len() > 4 * WIDTH {
        return false;
    }
    match node {
        Node::Leaf(leaf) => line.push_str(leaf),
        Node::List(items) if items.iter().any(|item| matches!(item, Node::Object(_))) => return false,
        Node::List(items) => {
            line.push('[');
            for (n, item) in items.iter().enumerate() {
                line.push_str(if n == 0 { "" } else { ", " });
                if !on_one_line(item, line) {
                    return false;
                }
            }
            line.push(']');
        }
        Node::Object(fields) => {
            line.push('{');
            for (n, (key, value)) in fields.iter().enumerate() {
                line.push_str(if n == 0 { "" } else { ", " });
                line.push_str(&quoted(key));
                line.push_str(": ");
                if !on_one_line(value, line) {
                    return false;
                }
            }
            line.push('}');
        }
    }
    true
}

fn start_line(n: usize, indent: usize, out: &mut String) {
    out.push_str(if n == 0 { "\n" } else { ",\n" });
    out.extend(std::iter::repeat_n(' ', indent));
}

fn end_lines(depth: usize, bracket: char, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', 2 * depth));
    out.push(bracket);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::read::{read, tests::EVERYTHING};

    #[test]
    fn what_is_written_reads_the_same() {
        let (catalog, warnings) = read(EVERYTHING).unwrap();
        assert_eq!(warnings, []);
        let file = write(&catalog);
        assert_eq!(read(&file).unwrap().0, catalog);
        assert_eq!(write(&read(&file).unwrap().0), file);
        // This one is laid out as it would be written.
        assert_eq!(file, EVERYTHING);
    }

    #[test]
    fn what_a_file_leaves_out_reads_the_same_too() {
        for extra in ["", r#", "timezone": "UTC""#, r#", "languages": ["nb", "en"]"#] {
            let file = format!(
                r#"{{"merchant": "Bar \"X\" \\ é\u0041", "currency": "jpy"{extra}, "products": [
                    {{"id": "a", "category": "hot_drinks", "names": {{"nb": [" Kaffe "], "en": ["Coffee"]}}, "price": "950"}}]}}"#
            );
            let (catalog, warnings) = read(&file).unwrap();
            assert_eq!(warnings, []);
            assert_eq!(read(&write(&catalog)).unwrap(), (catalog, vec![]));
        }
    }
}
