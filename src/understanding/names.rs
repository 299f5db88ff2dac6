//! Every name of a catalogue, in every language, in one tree of words. A word of a message stands for each word of the
//! tree that is the same but for an ending, so that plurals and cases of any name are found, foreign ones too; which
//! language's endings were taken for it is kept along the way. Besides the names as written the tree holds forms that
//! people make of them: "and" left out, numbers as digits or words, and a part of the name where that part means only
//! a few things. Two words of a name may be written as one.

use std::{collections::BTreeSet, hash::BuildHasher, sync::Arc};

use foldhash::{HashMap, HashSet, fast::RandomState};

use super::{
    lexicon::{Lexicon, Lexicons, Role},
    sense::{self, Sense, Senses, Step, Tongues},
    shop::Shop,
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

/// From so many names of which a part is the same on, what it means is gathered once rather than in each message.
const FEWEST_GATHERED: usize = 32;

/// The number of a word of a name.
pub type WordId = u32;

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

/// A name of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// What it stands for.
    pub thing: Thing,
    /// The lexicon of its language, as a set of one, or of none.
    pub tongue: Tongues,
}

/// A name that ends at a place of the tree, and the form it has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    /// Where it stands among the names.
    name: u32,
    form: Form,
}

/// What a part of many names means.
#[derive(Debug)]
pub struct Gathered {
    /// The products, in ascending order.
    pub products: Arc<[usize]>,
    /// The choices, in ascending order.
    pub choices: Vec<(usize, usize)>,
    /// Whether it is the beginning of each name.
    pub heads_only: bool,
    /// The lexicons of the names' languages.
    pub tongues: Tongues,
}

/// The words of names by number.
#[derive(Default)]
pub struct NameWords {
    ids: HashMap<Arc<str>, WordId>,
    texts: Vec<Arc<str>>,
    languages: Vec<Vec<Language>>,
    stems: Vec<Stem>,
    hasher: RandomState,
}

/// A word of a name, or two in a row, without its ending. Stems are told apart by their hash alone, which has 64 bits
/// and a key of its own in each process.
struct Stem {
    hash: u64,
    first: WordId,
    second: Option<WordId>,
    /// The lexicons that make this stem of it.
    tongues: Tongues,
}

/// All names of a catalogue.
pub struct NameBook {
    /// Their words.
    pub words: NameWords,
    /// What a misspelt word is compared with.
    pub spellings: Spellings,
    /// For a choice that is named as "one or the other" of its sisters: those.
    either: HashMap<(usize, usize), Vec<(usize, usize)>>,
    /// The products of each category.
    pub members: Vec<Arc<[usize]>>,
    names: Vec<Name>,
    tree: Tree,
    /// By place.
    gathered: HashMap<u32, Gathered>,
    senses: Senses,
}

/// A tree of words. Places are numbered level by level from the root, which is 0, so that those below one place stand
/// side by side, in the order of their words.
#[derive(Default)]
struct Tree {
    /// The word that leads to each place from the one above.
    words: Vec<WordId>,
    /// The first place below each place; that of the next place ends them.
    below: Vec<u32>,
    /// What ends at each place, places in order, whole names before parts.
    ends: Vec<End>,
    /// Where each place's ends begin among all.
    begins: Vec<u32>,
}

/// A row of words that is to be found in the tree.
struct Row {
    /// Its first two words, by which most rows are told apart.
    start: (WordId, Option<WordId>),
    /// Where it is among the words of all rows.
    words: std::ops::Range<u32>,
    end: End,
    /// After which words a beginning stands for the whole, a bit for each number of words.
    heads: u16,
}

impl NameWords {
    /// The number of a folded word, a new one where it is new.
    pub fn id(&mut self, word: &str) -> WordId {
        if let Some(&id) = self.ids.get(word) {
            return id;
        }
        let (id, text) = (self.texts.len() as WordId, Arc::<str>::from(word));
        self.ids.insert(text.clone(), id);
        self.texts.push(text);
        self.languages.push(Vec::new());
        id
    }

    /// The number of a folded word that occurs in a name or a form of one.
    pub fn find(&self, word: &str) -> Option<WordId> {
        self.ids.get(word).copied()
    }

    /// The word of this number.
    pub fn text(&self, id: WordId) -> &str {
        &self.texts[id as usize]
    }

    /// All words, by number.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// The languages of the names that have the word; none where only a form of a name has it.
    pub fn languages(&self, id: WordId) -> &[Language] {
        &self.languages[id as usize]
    }

    /// Whether a name has this folded word.
    pub fn has(&self, word: &str) -> bool {
        self.find(word).is_some_and(|id| !self.languages(id).is_empty())
    }

    /// The words that a word with these stems, one for each lexicon, may be a form of.
    pub fn steps(&self, word: &str, stems: &[String]) -> Box<[Step]> {
        let mut found: Vec<Step> = Vec::new();
        for (at, stem) in stems.iter().enumerate() {
            let same = (0..stems.len()).filter(|&other| stems[other] == *stem);
            let tongues = same.clone().fold(0, |set, other| set | sense::only(other));
            // Each stem once, with all lexicons that make it.
            if same.min() != Some(at) {
                continue;
            }
            let hash = self.hasher.hash_one(stem.as_str());
            let from = self.stems.partition_point(|known| known.hash < hash);
            for known in self.stems[from..].iter().take_while(|known| known.hash == hash) {
                let tongues = tongues & known.tongues;
                if tongues == 0 {
                    continue;
                }
                match found.iter_mut().find(|step| step.first == known.first && step.second == known.second) {
                    Some(step) => step.tongues |= tongues,
                    None => {
                        let rest = word.strip_prefix(self.text(known.first));
                        let exact =
                            rest.is_some_and(|rest| rest == known.second.map_or("", |second| self.text(second)));
                        found.push(Step { first: known.first, second: known.second, tongues, exact });
                    }
                }
            }
        }
        found.into()
    }

    /// Adds the stems of a word, or of two that are written as one.
    fn stem(&mut self, joined: &str, first: WordId, second: Option<WordId>, lexicons: &Lexicons) {
        let begin = self.stems.len();
        for (at, lexicon) in lexicons.all().iter().enumerate() {
            let hash = self.hasher.hash_one(lexicon.stem(joined).as_str());
            match self.stems[begin..].iter_mut().find(|known| known.hash == hash) {
                Some(known) => known.tongues |= sense::only(at),
                None => self.stems.push(Stem { hash, first, second, tongues: sense::only(at) }),
            }
        }
    }
}

impl Tree {
    /// The tree of these rows, whose words are found in `words`.
    fn of(mut rows: Vec<Row>, words: &[WordId]) -> Tree {
        let of = |row: &Row| &words[row.words.start as usize..row.words.end as usize];
        rows.sort_unstable_by(|a, b| a.start.cmp(&b.start).then_with(|| of(a).cmp(of(b))));
        let mut tree = Tree { words: vec![WordId::MAX], ..Tree::default() };
        // The rows that go through each place of a level, and how many words are before it.
        let mut level: Vec<std::ops::Range<usize>> = std::iter::once(0..rows.len()).collect();
        let mut depth = 0;
        while !level.is_empty() {
            let mut next = Vec::new();
            for through in level {
                let (begin, rows, first) = (tree.ends.len(), &rows[through.clone()], through.start);
                tree.begins.push(begin as u32);
                tree.below.push(tree.words.len() as u32);
                // Rows that end here come before those that go on.
                let ending = rows.partition_point(|row| of(row).len() == depth);
                tree.ends.extend(rows[..ending].iter().map(|row| row.end));
                let heads = rows[ending..].iter().filter(|row| row.heads & 1 << depth != 0);
                tree.ends.extend(heads.map(|row| End { form: Form::Head, ..row.end }));
                tree.ends[begin..].sort_by_key(|end| end.form.is_part());
                let mut at = ending;
                for same in rows[ending..].chunk_by(|a, b| of(a)[depth] == of(b)[depth]) {
                    tree.words.push(of(&same[0])[depth]);
                    next.push(first + at..first + at + same.len());
                    at += same.len();
                }
            }
            level = next;
            depth += 1;
        }
        tree.begins.push(tree.ends.len() as u32);
        tree.below.push(tree.words.len() as u32);
        tree.words.shrink_to_fit();
        tree.below.shrink_to_fit();
        tree.begins.shrink_to_fit();
        tree.ends.shrink_to_fit();
        tree
    }

    /// The place of a word below another.
    fn step(&self, from: u32, word: WordId) -> Option<u32> {
        let below = self.below[from as usize] as usize..self.below[from as usize + 1] as usize;
        let at = self.words[below.clone()].binary_search(&word).ok()?;
        Some((below.start + at) as u32)
    }

    fn ends(&self, place: u32) -> &[End] {
        &self.ends[self.begins[place as usize] as usize..self.begins[place as usize + 1] as usize]
    }
}

impl Form {
    /// Whether it is less than the name.
    pub fn is_part(self) -> bool {
        matches!(self, Form::Tail | Form::Head)
    }
}

impl NameBook {
    /// Gathers the names of a catalogue, whose words the shop numbered.
    pub fn compile(catalog: &Catalog, shop: &Shop, words: NameWords, lexicons: &Lexicons) -> NameBook {
        let mut compiler = Compiler::new(words, shop, lexicons);
        for (at, (product, names)) in catalog.products.iter().zip(&shop.names).enumerate() {
            compiler.add(Thing::Product(at), product.names.all().map(|(language, _)| language).zip(names));
        }
        for (at, (group, of_shop)) in catalog.groups.iter().zip(&shop.groups).enumerate() {
            compiler.read(Thing::Group(at), &group.names);
            // A half is called as the product that it is half of: without "half" that is meant.
            if group.halves.is_some() {
                continue;
            }
            for (choice_at, (choice, names)) in group.choices.iter().zip(&of_shop.names).enumerate() {
                let languages = choice.names.all().map(|(language, _)| language);
                compiler.add(Thing::Choice(at, choice_at), languages.zip(names));
            }
        }
        for (at, category) in catalog.categories.iter().enumerate() {
            compiler.read(Thing::Category(at), &category.names);
        }
        let place: HashMap<_, usize> = catalog.categories.iter().enumerate().map(|(at, c)| (&c.id, at)).collect();
        let mut members = vec![Vec::new(); catalog.categories.len()];
        for (at, product) in catalog.products.iter().enumerate() {
            if let Some(&category) = place.get(&product.category) {
                members[category].push(at);
            }
        }
        compiler.book.members = members.into_iter().map(Arc::from).collect();
        compiler.book.either = eithers(catalog, lexicons);
        compiler.finish()
    }

    /// What is known of these folded words, in their order.
    pub fn senses<'a>(&self, words: impl Iterator<Item = &'a str>, lexicons: &Lexicons) -> Vec<Arc<Sense>> {
        self.senses.of(words, &self.words, lexicons)
    }

    /// What is known of a folded word.
    pub fn sense(&self, word: &str, lexicons: &Lexicons) -> Arc<Sense> {
        self.senses(std::iter::once(word), lexicons).remove(0)
    }

    /// The place in the tree of a word, or of two, below another; the root is 0.
    pub fn step(&self, from: u32, step: &Step) -> Option<u32> {
        let first = self.tree.step(from, step.first)?;
        step.second.map_or(Some(first), |second| self.tree.step(first, second))
    }

    /// The names that end there, whole ones before parts.
    pub fn names(&self, place: u32) -> impl Iterator<Item = (Form, &Name)> {
        self.tree.ends(place).iter().map(|end| (end.form, &self.names[end.name as usize]))
    }

    /// What the part of many names that ends there means, where no whole name ends there.
    pub fn gathered(&self, place: u32) -> Option<&Gathered> {
        self.gathered.get(&place)
    }

    /// The choices that the name of a choice stands for: itself, or its sisters.
    pub fn choices(&self, group: usize, at: usize) -> impl Iterator<Item = (usize, usize)> {
        let either = self.either.get(&(group, at));
        let own = either.is_none().then_some((group, at));
        own.into_iter().chain(either.into_iter().flatten().copied())
    }
}

/// A name book in the making.
struct Compiler<'a> {
    lexicons: &'a Lexicons,
    shop: &'a Shop,
    book: NameBook,
    /// The language of each name, and where its words are.
    spoken: Vec<(Language, std::ops::Range<usize>)>,
    /// The words of all names.
    rows: Vec<WordId>,
}

/// What the words of names say in the language of a name.
struct Says<'a> {
    lexicon: Option<&'a Lexicon>,
    /// By word, as far as it was asked.
    known: HashMap<WordId, Kind>,
    /// The same number in other words and in digits, by word.
    numbers: HashMap<WordId, Vec<WordId>>,
    /// "without" and its like, and what refuses in other words, as rows of words; read when first needed.
    refusals: Option<Vec<Vec<WordId>>>,
}

/// What a word of a name does there.
#[derive(Clone, Copy)]
struct Kind {
    /// Whether it carries meaning by itself.
    tells: bool,
    /// Whether it joins, so that no part of a name begins or ends with it.
    is_glue: bool,
    /// Whether it may be left out.
    joins: bool,
    /// Whether what a product's name says behind it only describes.
    describes: bool,
    /// Whether it may begin a refusal.
    refuses: bool,
    /// Whether it is a number.
    counts: bool,
}

impl<'a> Compiler<'a> {
    fn new(words: NameWords, shop: &'a Shop, lexicons: &'a Lexicons) -> Compiler<'a> {
        let book = NameBook {
            words,
            spellings: Spellings::default(),
            either: HashMap::default(),
            members: Vec::new(),
            names: Vec::new(),
            tree: Tree::default(),
            gathered: HashMap::default(),
            senses: Senses::default(),
        };
        Compiler { lexicons, shop, book, spoken: Vec::new(), rows: Vec::new() }
    }

    fn read(&mut self, thing: Thing, names: &crate::catalog::Names) {
        for (language, name) in names.all() {
            let words: Vec<WordId> = text::words(name).iter().map(|word| self.book.words.id(word)).collect();
            self.name(thing, language, &words);
        }
    }

    fn add<'n>(&mut self, thing: Thing, names: impl Iterator<Item = (Language, &'n Box<[WordId]>)>) {
        for (language, words) in names {
            self.name(thing, language, words);
        }
    }

    fn name(&mut self, thing: Thing, language: Language, words: &[WordId]) {
        if words.is_empty() {
            return;
        }
        let lexicon = self.lexicons.all().iter().position(|lexicon| lexicon.language == language);
        self.book.names.push(Name { thing, tongue: lexicon.map_or(0, sense::only) });
        let begin = self.rows.len();
        self.rows.extend(words.iter().take(LONGEST_NAME));
        self.spoken.push((language, begin..self.rows.len()));
    }

    fn finish(mut self) -> NameBook {
        self.spell();
        self.join();
        self.grow();
        self.gather();
        self.book
    }

    /// Notes the languages of each word, and how it is spelt.
    fn spell(&mut self) {
        let book = &mut self.book;
        let mut spelt: HashMap<(WordId, Language), (usize, Option<usize>)> = HashMap::default();
        for (name, (language, words)) in book.names.iter().zip(&self.spoken) {
            for &word in &self.rows[words.clone()] {
                let (plain, stem) = *spelt.entry((word, *language)).or_insert_with(|| {
                    book.words.languages[word as usize].push(*language);
                    let text = &book.words.texts[word as usize];
                    let lexicon = self.lexicons.position(*language).map(|at| &self.lexicons.all()[at]);
                    let plain = book.spellings.add(text, text);
                    let stem = lexicon.map(|lexicon| lexicon.stem(text)).filter(|stem| **stem != **text);
                    (plain, stem.map(|stem| book.spellings.add(&stem, text)))
                });
                book.spellings.note(plain, name.thing);
                if let Some(stem) = stem {
                    book.spellings.note(stem, name.thing);
                }
            }
        }
        book.spellings.settle();
    }

    /// Notes which two words stand side by side in a name, so that a message may write them as one.
    fn join(&mut self) {
        let mut pairs: HashSet<(WordId, WordId)> = HashSet::default();
        let mut joined = String::new();
        for (_, words) in &self.spoken {
            for pair in self.rows[words.clone()].windows(2) {
                if pairs.insert((pair[0], pair[1])) {
                    joined.clear();
                    joined.push_str(self.book.words.text(pair[0]));
                    joined.push_str(self.book.words.text(pair[1]));
                    self.book.words.stem(&joined, pair[0], Some(pair[1]), self.lexicons);
                }
            }
        }
    }

    /// Puts all forms of all names into the tree.
    fn grow(&mut self) {
        let mut full: HashSet<u64> = HashSet::default();
        let (hasher, mut joined) = (RandomState::default(), String::new());
        let mut squash = |row: &[WordId], words: &NameWords| {
            joined.clear();
            row.iter().for_each(|&word| joined.push_str(words.text(word)));
            hasher.hash_one(joined.as_str())
        };
        for (_, row) in &self.spoken {
            full.insert(squash(&self.rows[row.clone()], &self.book.words));
        }
        let mut says: HashMap<Language, Says<'a>> = HashMap::default();
        let NameBook { words, names, tree, .. } = &mut self.book;
        let (mut rows, mut moved) = (Vec::new(), Vec::new());
        for (at, (language, place)) in self.spoken.iter().enumerate() {
            let says = says.entry(*language).or_insert_with(|| Says {
                lexicon: self.lexicons.position(*language).map(|at| &self.lexicons.all()[at]),
                known: HashMap::default(),
                numbers: HashMap::default(),
                refusals: None,
            });
            let row = &self.rows[place.clone()];
            let put = |place: std::ops::Range<usize>, all: &[WordId], form: Form, heads: u16, rows: &mut Vec<Row>| {
                let (row, end) = (&all[place.clone()], End { name: at as u32, form });
                let start = (row[0], row.get(1).copied());
                rows.push(Row { start, words: place.start as u32..place.end as u32, end, heads });
            };
            moved.clear();
            moved_forms(row, says, words, &mut moved);
            let mut heads = 0;
            let whole = match names[at].thing {
                Thing::Category(_) | Thing::Group(_) => true,
                // "half" alone is half of something.
                Thing::Product(product) => self.shop.is_halved(product),
                Thing::Choice(..) => false,
            };
            if !whole {
                // "the kitten" is no food for kittens: what a name says behind a small word only describes.
                let is_product = matches!(names[at].thing, Thing::Product(_));
                let mut describes = |cut: usize, words: &mut NameWords| {
                    is_product && cut >= 2 && says.kind(row[cut - 1], words).describes
                };
                let described =
                    (1..row.len()).filter(|&cut| describes(cut, words)).fold(0u16, |set, cut| set | 1 << cut);
                // A part of a name must carry meaning.
                let mut telling = |part: &[WordId], words: &mut NameWords| {
                    part.iter().any(|&word| says.kind(word, words).tells)
                        && !part.first().is_some_and(|&first| says.kind(first, words).is_glue)
                        && !part.last().is_some_and(|&last| says.kind(last, words).is_glue)
                        && !full.contains(&squash(part, words))
                        && !moved.iter().any(|form| form == part)
                };
                for cut in 1..row.len() {
                    let (head, tail) = row.split_at(cut);
                    let plain = described & 1 << cut == 0;
                    // "so so": of a beginning and an end that are alike the one that was cut first.
                    if plain && telling(tail, words) && !(tail.len() < cut && row.starts_with(tail)) {
                        put(place.start + cut..place.end, &self.rows, Form::Tail, 0, &mut rows);
                    }
                    let other = row.len() - cut;
                    let is_tail = other <= cut && described & 1 << other == 0 && row.ends_with(head);
                    if telling(head, words) && !is_tail {
                        heads |= 1 << cut;
                    }
                }
            }
            put(place.clone(), &self.rows, Form::Full, heads, &mut rows);
            for form in &moved {
                let begin = self.rows.len();
                self.rows.extend(form);
                put(begin..self.rows.len(), &self.rows, Form::Moved, 0, &mut rows);
            }
        }
        *tree = Tree::of(rows, &self.rows);
        for word in 0..words.texts.len() {
            let text = words.texts[word].clone();
            words.stem(&text, word as WordId, None, self.lexicons);
        }
        words.stems.sort_unstable_by_key(|stem| (stem.hash, stem.first, stem.second));
        words.stems.shrink_to_fit();
    }

    /// Gathers what parts of many names mean.
    fn gather(&mut self) {
        let book = &mut self.book;
        for place in 0..book.tree.words.len() as u32 {
            let ends = book.tree.ends(place);
            if ends.len() < FEWEST_GATHERED || !ends[0].form.is_part() {
                continue;
            }
            let (mut products, mut choices, mut tongues) = (Vec::new(), Vec::new(), 0);
            for end in ends {
                let name = &book.names[end.name as usize];
                tongues |= name.tongue;
                match name.thing {
                    Thing::Product(at) => products.push(at),
                    Thing::Choice(group, at) => choices.extend(book.choices(group, at)),
                    Thing::Category(_) | Thing::Group(_) => {}
                }
            }
            let heads_only = ends.iter().all(|end| end.form == Form::Head);
            products.sort_unstable();
            products.dedup();
            choices.sort_unstable();
            choices.dedup();
            book.gathered.insert(place, Gathered { products: products.into(), choices, heads_only, tongues });
        }
    }
}

impl Says<'_> {
    /// What a word does.
    fn kind(&mut self, id: WordId, words: &mut NameWords) -> Kind {
        if let Some(&kind) = self.known.get(&id) {
            return kind;
        }
        let word = words.texts[id as usize].clone();
        let meaning = self.lexicon.and_then(|lexicon| lexicon.meaning(&word)).unwrap_or_default();
        let roles = meaning.roles;
        let number = self.lexicon.zip(word.parse::<u32>().ok().or(meaning.number));
        if let Some((lexicon, number)) = number {
            let mut others: Vec<WordId> = lexicon.number_words(number).map(|other| words.id(other)).collect();
            others.push(words.id(&number.to_string()));
            self.numbers.insert(id, others);
        }
        let joins = roles.has(Role::And)
            || word.chars().count() <= LONGEST_JOINT
                && roles.any(&[Role::Of, Role::With, Role::On, Role::Into, Role::Definite])
                && !roles.any(&[Role::Without, Role::Not, Role::Or]);
        let kind = Kind {
            // "white" of "white rice" carries meaning, "of" or "bottle" does not.
            tells: word.chars().count() >= SHORTEST_PART
                && word.parse::<f32>().is_err()
                && meaning.number.is_none()
                && meaning.ordinal.is_none()
                && roles.is_empty(),
            is_glue: roles.any(&[Role::And, Role::Or, Role::With, Role::Without, Role::Of]),
            joins,
            describes: joins || word.chars().count() <= LONGEST_JOINT && roles.any(&[Role::Name, Role::WeakAddress]),
            refuses: self.lexicon.is_some_and(|lexicon| {
                lexicon.begins(&word) || lexicon.respelt(&word).is_some_and(|word| lexicon.begins(word))
            }),
            counts: number.is_some(),
        };
        self.known.insert(id, kind);
        kind
    }

    /// How many of the first words refuse what follows them.
    fn refusal(&mut self, row: &[WordId], words: &mut NameWords) -> Option<usize> {
        if !self.kind(*row.first()?, words).refuses {
            return None;
        }
        let lexicon = self.lexicon?;
        let refuses = |row: &[WordId]| {
            let phrase = row.iter().map(|&word| words.text(word)).collect::<Vec<_>>().join(" ");
            lexicon.meaning(&phrase).is_some_and(|m| m.roles.any(&[Role::Without, Role::Not]))
        };
        (1..row.len().min(4)).rev().find(|&length| refuses(&row[..length]))
    }

    /// The phrases of at most two words that refuse.
    fn refusals(&mut self, words: &mut NameWords) -> &[Vec<WordId>] {
        let lexicon = self.lexicon;
        self.refusals.get_or_insert_with(|| {
            let phrases = lexicon.into_iter().flat_map(|lexicon| {
                lexicon.phrases_of(Role::Without).chain(lexicon.phrases_of(Role::Not)).map(text::words)
            });
            phrases
                .filter(|phrase| phrase.len() <= 2)
                .map(|phrase| phrase.iter().map(|word| words.id(word)).collect())
                .collect()
        })
    }
}

/// What people make of a name without making it shorter.
fn moved_forms(row: &[WordId], says: &mut Says<'_>, words: &mut NameWords, forms: &mut Vec<Vec<WordId>>) {
    let push = |form: Vec<WordId>, forms: &mut Vec<Vec<WordId>>| {
        if !form.is_empty() && form != row && !forms.contains(&form) {
            forms.push(form);
        }
    };
    // "and" and small words that join are left out: "chicken rice" for "chicken with rice".
    let mut stays = |at: usize| at == 0 || at + 1 == row.len() || !says.kind(row[at], words).joins;
    let plain: Vec<WordId> = (0..row.len()).filter(|&at| stays(at)).map(|at| row[at]).collect();
    if plain.len() > 1 {
        push(plain, forms);
    }
    // "not hot" for "without heat": a name that refuses is refused in other words too.
    if let Some(length) = says.refusal(row, words) {
        for other in says.refusals(words) {
            push(other.iter().chain(&row[length..]).copied().collect(), forms);
        }
    }
    if let ([first, second], Some(true)) = (row, says.lexicon.map(|lexicon| lexicon.free_order))
        && words.text(*first).chars().chain(words.text(*second).chars()).all(char::is_alphabetic)
    {
        push(vec![*second, *first], forms);
    }
    // "0.5" for "0.5 l", "a kilo" for "1 kg".
    let first = words.text(row[0]);
    if row.len() > 1 && first.contains('.') && first.parse::<f32>().is_ok() {
        push(vec![row[0]], forms);
    }
    if row.len() > 1 && first == "1" && words.text(row[1]).chars().all(char::is_alphabetic) {
        push(row[1..].to_vec(), forms);
    }
    // A name that is nothing but a number stays as written: else every "two" would be it.
    if row.len() > 1 {
        for (at, &word) in row.iter().enumerate() {
            if !says.kind(word, words).counts {
                continue;
            }
            for &other in says.numbers.get(&word).into_iter().flatten() {
                let mut counted = row.to_vec();
                counted[at] = other;
                push(counted, forms);
            }
        }
    }
}

/// Choices that a file names "A or B" (or "or A B") after their sisters: no third thing to buy, but the question which.
fn eithers(catalog: &Catalog, lexicons: &Lexicons) -> HashMap<(usize, usize), Vec<(usize, usize)>> {
    let mut either = HashMap::default();
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
