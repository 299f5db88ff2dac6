//! Every statement is held to one shop, so that shops can be put on several servers: what reads, changes or deletes
//! rows of a shop's table names the shop, and what writes new ones writes it down. The statements are read from the
//! sources; the few that look over all shops stand here with their reasons.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    iter::Peekable,
    path::Path,
    str::Chars,
};

/// The column by which a row belongs to a shop.
const SHOP: &str = "merchant_id";

/// Statements that name no shop, by file and by the constant or function that they stand in, with the reason.
const OVER_ALL_SHOPS: [(&str, &str, &str); 8] = [
    ("turn.rs", "SHOPS", "which shops there are is what a process asks first"),
    ("turn.rs", "DUE", "one process sends for all shops, and takes up first what is due longest on the channel"),
    ("vitals.rs", "OUTBOX", "what is watched is the whole database"),
    ("vitals.rs", "ASIDE", "what is watched is the whole database"),
    ("backup.rs", "checked", "counts the rows of a copy, table by table"),
    ("transfer.rs", "select", "a move takes every shop"),
    ("transfer.rs", "insert", "a move takes every shop; the column is one of those that are written"),
    ("postgres.rs", "write", "puts together what was checked where it stands"),
];

/// Indexes that do not begin with the shop, with the reason.
const INDEXES_OVER_ALL_SHOPS: [(&str, &str); 1] = [("outbox_due", "the way of DUE, which looks over all shops")];

/// Statements that have to be among those that are found: a text for both engines, one for each, one of a macro, and
/// those that take many rows at once.
const FOUND: [&str; 6] = ["BY_PEER", "TAKE_ORDER_NUMBER", "orders", "conversations", "TALKS", "HOLDING"];

/// What a statement begins with that touches rows.
const VERBS: [&str; 4] = ["select", "insert", "update", "delete"];

/// Words behind a table that are not its second name.
const NO_NAMES: [&str; 21] = [
    "cross",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "returning",
    "right",
    "select",
    "set",
    "using",
    "values",
    "where",
    "window",
];

/// Words that end a condition.
const ENDS: [&str; 17] = [
    "cross",
    "for",
    "from",
    "full",
    "group",
    "having",
    "inner",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "order",
    "returning",
    "right",
    "set",
    "window",
];

/// A statement in a source, or a part of one.
#[derive(Debug)]
struct Statement {
    file: String,
    /// The constant, function or macro that it stands in.
    place: String,
    sql: String,
}

/// A piece of a Rust source.
#[derive(Debug)]
enum Piece {
    Word(String),
    Text(String),
}

/// A piece of a statement. Words are in small letters.
#[derive(Debug)]
enum Token {
    Word(String),
    /// What comes from outside: `$1`.
    Value,
    Mark(char),
    /// What stands in parentheses.
    Group(Vec<Token>),
}

/// What stands at one level of parentheses of a statement.
#[derive(Debug, Default)]
struct Query {
    sources: Vec<Source>,
    links: Vec<Link>,
    /// Whether its conditions leave another way.
    either: bool,
}

/// Where rows come from.
#[derive(Debug)]
struct Source {
    /// As the rest of the statement calls it.
    name: String,
    /// The shop's table that it is.
    table: Option<String>,
    /// Whether its rows, and so their shops, come from outside.
    given: bool,
}

/// A condition by which a source is held to the shop of another one, or of a value from outside.
#[derive(Debug)]
struct Link {
    name: String,
    to: Option<String>,
}

/// Files of a folder by name.
fn files(folder: &str, kind: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_file(), "{} is a folder, into which nobody looks here", path.display());
        if path.extension().is_some_and(|extension| extension == kind) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

/// The migrations without their comments.
fn migrations() -> String {
    let mut all = String::new();
    for text in files("migrations", "sql").values() {
        for line in text.lines().filter(|line| !line.starts_with("--")) {
            all.push_str(line);
            all.push('\n');
        }
    }
    all
}

/// The tables that belong to shops.
fn tables() -> BTreeSet<String> {
    migrations().split("CREATE TABLE ").skip(1).map(name).collect()
}

/// The name that a text begins with.
fn name(text: &str) -> String {
    text.chars().take_while(|c| is_word(*c)).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The statements of a source and what is appended to them; its tests are left out.
fn statements(file: &str, source: &str) -> Vec<Statement> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or(source);
    let (mut place, mut named, mut found) = (String::new(), false, Vec::new());
    for piece in pieces(code) {
        match piece {
            // Of a `const fn` the name comes behind both.
            Piece::Word(word) if named && word != "fn" => (place, named) = (word, false),
            Piece::Word(word) => named = ["const", "static", "fn", "macro_rules"].contains(&word.as_str()),
            Piece::Text(sql) if is_statement(&sql) || is_appended(&sql) => {
                found.push(Statement { file: file.to_owned(), place: place.clone(), sql });
            }
            Piece::Text(_) => {}
        }
    }
    found
}

/// Words and texts of Rust code; comments, letters and lifetimes are left out.
fn pieces(code: &str) -> Vec<Piece> {
    let chars: Vec<char> = code.chars().collect();
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    let length = |at: usize| chars.iter().skip(at).take_while(|c| is_word(**c)).count();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        if starts(at, "//") {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if chars[at] == '"' {
            let (text, end) = text(&chars, at + 1);
            found.push(Piece::Text(text));
            at = end;
        } else if chars[at] == '\'' && (starts(at + 1, "\\") || starts(at + 2, "'")) {
            // What is escaped may be a quote itself.
            at += if starts(at + 1, "\\") { 3 } else { 2 };
            at += chars[at..].iter().take_while(|c| **c != '\'').count() + 1;
        } else if chars[at] == '\'' {
            at += 1 + length(at + 1);
        } else if is_word(chars[at]) {
            let word: String = chars[at..at + length(at)].iter().collect();
            at += length(at);
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if ["r", "br"].contains(&word.as_str()) && starts(at + hashes, "\"") {
                let (from, end) = (at + hashes + 1, format!("\"{}", "#".repeat(hashes)));
                let to = (from..chars.len()).find(|to| starts(*to, &end)).unwrap_or(chars.len());
                found.push(Piece::Text(chars[from..to].iter().collect()));
                at = to + end.len();
            } else {
                found.push(Piece::Word(word));
            }
        } else {
            at += 1;
        }
    }
    found
}

/// A text from behind its first quote on, and where it is over.
fn text(chars: &[char], mut at: usize) -> (String, usize) {
    let mut text = String::new();
    while at < chars.len() && chars[at] != '"' {
        if chars[at] != '\\' {
            text.push(chars[at]);
        } else if chars.get(at + 1) == Some(&'\n') {
            at += chars[at + 1..].iter().take_while(|c| c.is_whitespace()).count();
        } else {
            at += 1;
            text.push(match chars.get(at) {
                Some('n' | 't' | 'r') | None => ' ',
                Some(other) => *other,
            });
        }
        at += 1;
    }
    (text, at + 1)
}

/// Whether a text is a statement that touches rows, or the beginning of one.
fn is_statement(text: &str) -> bool {
    let words: Vec<&str> = text.trim_start_matches(['(', ' ', '\n']).split_whitespace().collect();
    let small = words.join(" ").to_lowercase();
    let first = name(&small);
    let touches = [" from ", " into ", " set ", "{"].iter().any(|word| small.contains(word));
    (VERBS.contains(&first.as_str()) || first == "with") && touches
}

/// Whether a text is put behind a statement's conditions.
fn is_appended(text: &str) -> bool {
    ["AND ", "OR "].iter().any(|word| text.trim_start().starts_with(word))
}

/// What is wrong with a statement.
fn faults(sql: &str, tables: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let tokens = tokens(&mut sql.chars().peekable());
    if sql.contains('{') {
        faults.push("it is put together from pieces".to_owned());
    } else if is_appended(sql) {
        if tokens.iter().any(|token| is(token, "or")) {
            faults.push("what is appended leaves another way".to_owned());
        }
        for token in &tokens {
            if let Token::Group(group) = token {
                look(group, &BTreeSet::new(), tables, &mut faults);
            }
        }
    } else {
        look(&tokens, &BTreeSet::new(), tables, &mut faults);
    }
    faults
}

/// Reads a statement up to its end, or to that of its parentheses.
fn tokens(chars: &mut Peekable<Chars<'_>>) -> Vec<Token> {
    let mut found = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            ')' => return found,
            '(' => found.push(Token::Group(tokens(chars))),
            '\'' => {
                // A quote in it makes it two, which is the same here.
                while chars.next().is_some_and(|c| c != '\'') {}
                found.push(Token::Mark(c));
            }
            '$' => {
                while chars.next_if(char::is_ascii_digit).is_some() {}
                found.push(Token::Value);
            }
            c if is_word(c) => {
                let mut word = c.to_string();
                while let Some(c) = chars.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                found.push(Token::Word(word.to_lowercase()));
            }
            // A name in quotes is the same name.
            c if c.is_whitespace() || c == '"' => {}
            c => found.push(Token::Mark(c)),
        }
    }
    found
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found == word)
}

fn is_any(token: &Token, words: &[&str]) -> bool {
    words.iter().any(|word| is(token, word))
}

fn is_mark(tokens: &[Token], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(Token::Mark(found)) if *found == mark)
}

fn word(tokens: &[Token], at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some(Token::Word(word)) => Some(word),
        _ => None,
    }
}

fn group(tokens: &[Token], at: usize) -> Option<&[Token]> {
    match tokens.get(at) {
        Some(Token::Group(group)) => Some(group),
        _ => None,
    }
}

fn names_the_shop(columns: &[Token]) -> bool {
    columns.iter().any(|token| is(token, SHOP))
}

/// Looks at what stands at one level of parentheses, and then at what stands deeper. `around` are the names that are
/// held to a shop by what stands around it.
fn look(tokens: &[Token], around: &BTreeSet<String>, tables: &BTreeSet<String>, faults: &mut Vec<String>) {
    for part in tokens.split(|token| is_any(token, &["union", "except", "intersect"])) {
        let mut held = around.clone();
        if let Some(verb) = part.iter().position(|token| is_any(token, &VERBS)) {
            if is(&part[verb], "insert") {
                look_at_insert(part, verb, tables, faults);
            }
            let query = Query::read(part, verb, tables);
            held = query.held(around);
            for source in query.sources.iter().filter(|source| !held.contains(&source.name)) {
                if let Some(table) = &source.table {
                    faults.push(format!("{table} (as {}) is held to no shop", source.name));
                }
            }
        }
        for token in part {
            if let Token::Group(group) = token {
                look(group, &held, tables, faults);
            }
        }
    }
}

/// A new row names its shop, and what may stand in its way is a row of the same one.
fn look_at_insert(part: &[Token], verb: usize, tables: &BTreeSet<String>, faults: &mut Vec<String>) {
    let Some(table) = word(part, verb + 2).filter(|_| word(part, verb + 1) == Some("into")) else {
        faults.push("it does not say where it inserts".to_owned());
        return;
    };
    if !tables.contains(table) {
        return;
    }
    if !group(part, verb + 3).is_some_and(names_the_shop) {
        faults.push(format!("a row of {table} is written without its shop"));
    }
    let conflicts = (verb..part.len()).filter(|at| word(part, *at) == Some("conflict"));
    for at in conflicts {
        if group(part, at + 1).is_some_and(|target| !names_the_shop(target)) {
            faults.push(format!("a row of {table} may meet another shop's"));
        }
    }
}

impl Query {
    fn read(part: &[Token], verb: usize, tables: &BTreeSet<String>) -> Query {
        let mut query = Query::default();
        // Whether conditions stand here, how deep in a CASE, and whether the next join keeps rows that find no other.
        let (mut conditions, mut cases, mut outer) = (false, 0_usize, false);
        let mut only: Option<String> = None;
        let mut at = verb;
        while at < part.len() {
            let Some(here) = word(part, at) else {
                at += 1;
                continue;
            };
            at += 1;
            match here {
                "case" => cases += 1,
                "end" => cases = cases.saturating_sub(1),
                "or" => query.either |= conditions && cases == 0,
                "where" => (conditions, only) = (true, None),
                "on" => conditions = word(part, at) != Some("conflict"),
                // Of these it is not said here what they hold.
                "right" | "full" => query.either = true,
                "left" => (conditions, outer) = (false, true),
                other => conditions &= !ENDS.contains(&other),
            }
            if ["where", "on", "and"].contains(&here) && conditions && cases == 0 {
                let links = query.links_at(part, at).into_iter();
                query.links.extend(links.filter(|link| only.as_ref().is_none_or(|only| *only == link.name)));
            }
            let list = here == "from" || here == "using" && is(&part[verb], "delete");
            if list || here == "join" || here == "update" && at == verb + 1 {
                at = query.read_sources(part, at, list, tables);
            }
            if here == "join" {
                only = query.sources.last().filter(|_| outer).map(|source| source.name.clone());
                outer = false;
            }
        }
        query
    }

    /// Reads a source, or a list of them; where it ends.
    fn read_sources(&mut self, part: &[Token], mut at: usize, list: bool, tables: &BTreeSet<String>) -> usize {
        loop {
            while part.get(at).is_some_and(|token| is_any(token, &["lateral", "only"])) {
                at += 1;
            }
            let mut source = Source { name: String::new(), table: None, given: false };
            if let Some(first) = word(part, at) {
                source.name = first.to_owned();
                at += 1;
                while let Some(next) = word(part, at + 1).filter(|_| is_mark(part, at, '.')) {
                    source.name = next.to_owned();
                    at += 2;
                }
                source.table = tables.get(&source.name).cloned();
            }
            let made_of = source.name.clone();
            // A query, or what a function is given.
            let deeper = group(part, at).is_some();
            at += usize::from(deeper);
            at += usize::from(word(part, at) == Some("as"));
            if let Some(second) = word(part, at).filter(|second| !NO_NAMES.contains(second)) {
                source.name = second.to_owned();
                at += 1;
                if let Some(columns) = group(part, at) {
                    // Rows that the caller hands in, column by column.
                    source.given = deeper && made_of == "unnest" && names_the_shop(columns);
                    at += 1;
                }
            }
            self.sources.push(source);
            if !list || !is_mark(part, at, ',') {
                return at;
            }
            at += 1;
        }
    }

    /// The condition that two shops are one which stands there, if it is one, in both directions.
    fn links_at(&self, part: &[Token], at: usize) -> Vec<Link> {
        let Some((one, at)) = self.shop_at(part, at).filter(|(_, end)| is_mark(part, *end, '=')) else {
            return Vec::new();
        };
        let (links, end) = match (part.get(at + 1), self.shop_at(part, at + 1)) {
            (Some(Token::Value), _) => (vec![Link { name: one, to: None }], at + 2),
            (_, Some((other, end))) => {
                let back = Link { name: other.clone(), to: Some(one.clone()) };
                (vec![Link { name: one, to: Some(other) }, back], end)
            }
            _ => return Vec::new(),
        };
        let over =
            part.get(end).is_none_or(|token| is_any(token, &ENDS) || is_any(token, &["and", "or", "on", "where"]));
        if over { links } else { Vec::new() }
    }

    /// Of which source the column is that stands there, if it is a shop's, and where its name ends.
    fn shop_at(&self, part: &[Token], at: usize) -> Option<(String, usize)> {
        if is_mark(part, at + 1, '.') && word(part, at + 2) == Some(SHOP) {
            return Some((word(part, at)?.to_owned(), at + 3));
        }
        let first = self.sources.iter().find(|source| source.table.is_some())?;
        (word(part, at) == Some(SHOP)).then(|| (first.name.clone(), at + 1))
    }

    /// The names that are held to one shop, those around it among them.
    fn held(&self, around: &BTreeSet<String>) -> BTreeSet<String> {
        let own: BTreeSet<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        let mut held: BTreeSet<String> = around.iter().filter(|name| !own.contains(name.as_str())).cloned().collect();
        held.extend(self.sources.iter().filter(|source| source.given).map(|source| source.name.clone()));
        if self.either {
            return held;
        }
        let holds = |link: &&Link, held: &BTreeSet<String>| {
            own.contains(link.name.as_str()) && link.to.as_ref().is_none_or(|to| held.contains(to))
        };
        while let Some(link) = self.links.iter().find(|link| !held.contains(&link.name) && holds(link, &held)) {
            held.insert(link.name.clone());
        }
        held
    }
}

fn all() -> Vec<Statement> {
    files("src/store", "rs").iter().flat_map(|(file, source)| statements(file, source)).collect()
}

fn is_excused(statement: &Statement) -> bool {
    OVER_ALL_SHOPS.iter().any(|(file, place, _)| statement.file == *file && statement.place == *place)
}

#[test]
fn every_statement_is_held_to_one_shop() {
    let (tables, all) = (tables(), all());
    for place in FOUND {
        assert!(all.iter().any(|statement| statement.place == place), "{place} is not found any more");
    }
    for statement in all.iter().filter(|statement| !is_excused(statement)) {
        let faults = faults(&statement.sql, &tables);
        let (file, place) = (&statement.file, &statement.place);
        assert!(faults.is_empty(), "src/store/{file}, {place}: {}\n{}", faults.join("; "), statement.sql);
    }
}

#[test]
fn what_is_excused_needs_it() {
    let (tables, all) = (tables(), all());
    for (file, place, _) in OVER_ALL_SHOPS {
        let mut excused = all.iter().filter(|statement| statement.file == file && statement.place == place);
        let needs_it = excused.any(|statement| !faults(&statement.sql, &tables).is_empty());
        assert!(needs_it, "src/store/{file}, {place} is held to one shop; excuse it no longer");
    }
}

#[test]
fn every_table_and_its_keys_lead_with_the_shop() {
    let migrations = migrations();
    for table in migrations.split("CREATE TABLE ").skip(1) {
        let columns = table.split_once('(').unwrap().1;
        assert!(columns.trim_start().starts_with(SHOP), "{} does not begin with its shop", name(table));
    }
    for kind in ["PRIMARY KEY (", "UNIQUE ("] {
        for key in migrations.split(kind).skip(1) {
            assert!(key.starts_with(SHOP), "a key does not begin with its shop: {kind}{}", key.lines().next().unwrap());
        }
    }
    for index in migrations.split("INDEX ").skip(1) {
        let excused = INDEXES_OVER_ALL_SHOPS.iter().any(|(excused, _)| *excused == name(index));
        // One that is dropped has no columns.
        let columns = index.split(';').next().unwrap().split_once('(');
        let leads = columns.is_none_or(|(_, columns)| columns.starts_with(SHOP));
        assert!(leads != excused, "the index {} does not begin with its shop, or is excused for nothing", name(index));
    }
}

#[test]
fn a_statement_that_names_its_shop_is_good() {
    let tables = tables();
    for sql in [
        "SELECT name FROM staff WHERE merchant_id = $1 AND login = $2",
        "select name from staff where login = $2 and merchant_id = $1 order by name limit 1",
        "SELECT s.name FROM staff s WHERE (s.login = $2 OR s.name = $2) AND s.merchant_id = $1 FOR UPDATE",
        "SELECT t.seen_at FROM session t JOIN staff s ON s.merchant_id = t.merchant_id WHERE t.merchant_id = $1",
        "SELECT t.seen_at FROM staff s LEFT JOIN session t ON t.merchant_id = s.merchant_id WHERE s.merchant_id = $1",
        "SELECT CASE WHEN name = $2 OR login = $2 THEN 1 ELSE 0 END FROM staff WHERE merchant_id = $1",
        "SELECT (SELECT max(m.seq) FROM message m WHERE m.merchant_id = c.merchant_id) FROM conversation c \
         WHERE c.merchant_id = $1",
        "SELECT m.body FROM unnest($1::text[]) AS u (merchant_id) JOIN message m ON m.merchant_id = u.merchant_id",
        "UPDATE orders SET note = $2 WHERE merchant_id = $1",
        "UPDATE orders o SET note = u.note FROM unnest($1::text[], $2::text[]) AS u (merchant_id, note) \
         WHERE o.merchant_id = u.merchant_id",
        "DELETE FROM outbox WHERE merchant_id = $1 AND seq = $2",
        "INSERT INTO keepsake (merchant_id, name, value) VALUES ($1, $2, $3) \
         ON CONFLICT (merchant_id, name) DO UPDATE SET value = excluded.value WHERE keepsake.value = $4 OR $5 = 1",
        "SELECT seq FROM message WHERE merchant_id = $1 UNION ALL SELECT seq FROM outbox WHERE merchant_id = $1",
        "SELECT max(version) FROM _sqlx_migrations",
        "AND seq > $2 ORDER BY seq",
    ] {
        assert_eq!(faults(sql, &tables), [""; 0], "{sql}");
    }
}

#[test]
fn a_statement_that_does_not_name_its_shop_is_found() {
    let tables = tables();
    for sql in [
        "SELECT name FROM staff WHERE login = $1",
        "SELECT name FROM \"staff\" WHERE login = $1",
        "SELECT count(*) FROM staff",
        "SELECT name FROM staff WHERE merchant_id > $1",
        "SELECT name FROM staff WHERE NOT merchant_id = $1",
        "SELECT name FROM staff WHERE merchant_id = merchant_id",
        "SELECT name FROM staff WHERE merchant_id = $1 OR login = $2",
        "SELECT name FROM staff WHERE merchant_id = $1 || $2",
        "SELECT merchant_id FROM staff ORDER BY merchant_id",
        "SELECT CASE WHEN 1 = 1 AND merchant_id = $1 THEN 1 END FROM staff",
        "SELECT t.seen_at FROM session t JOIN staff s ON s.staff_id = t.staff_id WHERE t.merchant_id = $1",
        "SELECT t.seen_at FROM session t, staff s WHERE t.merchant_id = $1 AND s.staff_id = t.staff_id",
        "SELECT t.seen_at FROM session t JOIN staff s ON s.merchant_id = t.merchant_id",
        "SELECT s.name FROM staff s LEFT JOIN session t ON t.merchant_id = s.merchant_id AND s.merchant_id = $1",
        "SELECT (SELECT max(seq) FROM message) FROM conversation WHERE merchant_id = $1",
        "SELECT t.seq FROM (SELECT seq FROM message) t",
        "SELECT m.body FROM unnest($1::text[]) AS u (seq) JOIN message m ON m.merchant_id = u.merchant_id",
        "WITH old AS (SELECT seq FROM outbox) SELECT seq FROM message WHERE merchant_id = $1",
        "UPDATE orders SET note = $2",
        "UPDATE orders SET merchant_id = $1 WHERE note = $2",
        "UPDATE orders SET note = $2 WHERE order_id = $1",
        "DELETE FROM outbox",
        "DELETE FROM outbox o USING message m WHERE o.merchant_id = $1 AND m.seq = o.seq",
        "INSERT INTO keepsake (name, value) VALUES ($1, $2)",
        "INSERT INTO keepsake VALUES ($1, $2, $3)",
        "INSERT INTO keepsake (merchant_id, name, value) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        "INSERT INTO keepsake (merchant_id, name, value) SELECT merchant_id, name, login FROM staff",
        "SELECT seq FROM message WHERE merchant_id = $1 UNION ALL SELECT seq FROM outbox",
        "SELECT name FROM {table} WHERE merchant_id = $1",
        "AND seq = $2 OR seq = $3",
    ] {
        assert!(is_statement(sql) || is_appended(sql), "taken for no statement: {sql}");
        assert!(!faults(sql, &tables).is_empty(), "{sql}");
    }
}

#[test]
fn statements_are_found_however_they_are_written() {
    let source = r##"
        //! "SELECT 0 FROM comment"
        const ONE: &str = "SELECT 1 FROM a \
            WHERE x = '\"'";
        const BOTH: Sql = Sql {
            lite: "UPDATE b SET x = 2",
            pg: "\n  WITH q AS (SELECT 3) DELETE FROM b",
        };
        macro_rules! some {
            ($which:literal) => { concat!("SELECT 4 FROM c WHERE d ", $which) };
        }
        const SOME: &str = some!("AND e = 5");
        async fn six<'a>(quote: char, text: &'static str) -> &'a str {
            let is = quote == '"' || quote == '\'';
            tx.run(r#"INSERT INTO "f" (g) VALUES (6)"#, text) // "DELETE FROM comment"
        }
        const fn seven() -> &'static str { "( select 7 from h )" }
        const WORDS: &str = "select a file from the list, with care";
        const NONE: &str = "within a day";
    "##;
    let tests = "#[cfg(test)]\nmod tests {\n    const EIGHT: &str = \"SELECT 8 FROM i\";\n}";
    let found = statements("made_up.rs", &format!("{source}\n{tests}"));
    let found: Vec<(&str, &str)> = found.iter().map(|found| (found.place.as_str(), found.sql.trim())).collect();
    let wanted = [
        ("ONE", "SELECT 1 FROM a WHERE x = '\"'"),
        ("BOTH", "UPDATE b SET x = 2"),
        ("BOTH", "WITH q AS (SELECT 3) DELETE FROM b"),
        ("some", "SELECT 4 FROM c WHERE d"),
        ("SOME", "AND e = 5"),
        ("six", "INSERT INTO \"f\" (g) VALUES (6)"),
        ("seven", "( select 7 from h )"),
        // Rather one too many than one too few.
        ("WORDS", "select a file from the list, with care"),
    ];
    assert_eq!(found, wanted);
}
