//! How long the engine takes to read messages and to be compiled, and what it allocates. Every message is one of the six
//! languages'. Run with `cargo bench --bench understanding`; a word after it picks the benches whose names have it.
//!
//! The goals, on one core: half of all messages of twenty words within 50 µs and 99 in 100 within 500 µs on a catalogue
//! of 100 products; twice that at most on one of 20,000, which compiles within 2 s; no text at all over 50 ms. What
//! divan cannot tell, the share of messages within a time and the memory of it all, `cargo bench --bench goals` does.

mod shops;

use std::sync::OnceLock;

use divan::{AllocProfiler, Bencher, black_box, counter::ItemsCount};
use theusual::{
    cart::Cart,
    catalog::Catalog,
    understanding::{Engine, Lexicons, Utterance},
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Messages that are read in one round.
const MESSAGES: usize = 600;

fn main() {
    divan::main();
}

fn lexicons() -> Lexicons {
    Lexicons::embedded().expect("lexicons")
}

fn read(engine: &Engine, text: &str) {
    let cart = Cart::default();
    let utterance = Utterance { text, language: None, prior: None, cart: &cart, usual: &cart, expecting: None };
    black_box(engine.read(&utterance));
}

fn read_all(bencher: Bencher<'_, '_>, catalog: &Catalog) {
    let engine = Engine::compile(catalog, &lexicons());
    let messages = shops::messages(catalog, MESSAGES);
    // The engine knows the words of its customers.
    messages.iter().for_each(|text| read(&engine, text));
    let mut next = messages.iter().cycle();
    bencher
        .counter(ItemsCount::new(1usize))
        .with_inputs(|| next.next().expect("messages"))
        .bench_local_values(|text| read(&engine, text));
}

/// A message of about twenty words to each of the sample shops.
#[divan::bench(args = ["pizzeria", "petshop", "pharmacy"], sample_count = MESSAGES as u32 * 5)]
fn message_to(bencher: Bencher<'_, '_>, shop: &str) {
    read_all(bencher, &shops::sample(shop));
}

/// The same to shops of so many products.
#[divan::bench(args = [100, 20_000], sample_count = MESSAGES as u32 * 5)]
fn message_of_products(bencher: Bencher<'_, '_>, products: usize) {
    read_all(bencher, &shops::generated(products));
}

/// Texts that are meant to take long, to a shop of 20,000 products.
#[divan::bench(args = 0..shops::HOSTILE, sample_count = 5, sample_size = 1)]
fn hostile(bencher: Bencher<'_, '_>, at: usize) {
    static SHOP: OnceLock<(Engine, [(&'static str, String); shops::HOSTILE])> = OnceLock::new();
    let (engine, texts) = SHOP.get_or_init(|| {
        let catalog = shops::generated(20_000);
        (Engine::compile(&catalog, &lexicons()), shops::hostile(&catalog))
    });
    bencher.bench_local(|| read(engine, &texts[at].1));
}

/// Catalogues of so many products with names in six languages.
#[divan::bench(args = [100, 20_000], sample_count = 5, sample_size = 1)]
fn compile(bencher: Bencher<'_, '_>, products: usize) {
    let (catalog, lexicons) = (shops::generated(products), lexicons());
    bencher.bench_local(|| black_box(Engine::compile(&catalog, &lexicons)));
}

/// The lexicons that are built in, which the program reads when it starts.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn lexicons_read(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| black_box(Lexicons::read_embedded()));
}
