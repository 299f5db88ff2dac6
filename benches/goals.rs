//! The engine against its goals, in one table: how many messages are read within which time, on small and large
//! catalogues, what the worst texts take, how long compiling takes and how much memory the process has then. Ends with 1
//! where a goal is missed. Run with `cargo bench --bench goals`.

mod shops;

use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

use theusual::{
    cart::Cart,
    understanding::{Engine, Lexicons, Utterance},
};

const MESSAGES: usize = 1_200;

/// Rounds of which a message's shortest time counts, so that other work of the machine does not.
const ROUNDS: usize = 5;

fn read(engine: &Engine, text: &str) -> Duration {
    let cart = Cart::default();
    let utterance = Utterance { text, language: None, prior: None, cart: &cart, usual: &cart, expecting: None };
    let start = Instant::now();
    black_box(engine.read(&utterance));
    start.elapsed()
}

/// The times of so many messages, the shortest first: when the shop first hears them, and from then on.
fn times(engine: &Engine, messages: &[String]) -> (Vec<Duration>, Vec<Duration>) {
    let mut first: Vec<Duration> = messages.iter().map(|text| read(engine, text)).collect();
    let mut later = vec![Duration::MAX; messages.len()];
    // All messages in turn, as they come: the same one over again would find the processor prepared for it.
    for _ in 0..ROUNDS {
        for (shortest, text) in later.iter_mut().zip(messages) {
            *shortest = read(engine, text).min(*shortest);
        }
    }
    first.sort();
    later.sort();
    (first, later)
}

fn of_hundred(times: &[Duration], share: usize) -> Duration {
    times[(times.len() - 1) * share / 100]
}

/// Resident memory in MB, where the system tells.
fn memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kilobytes| kilobytes / 1_000)
}

fn main() -> ExitCode {
    let mut missed = false;
    let mut say = |what: &str, is: f64, unit: &str, goal: f64| {
        let good = is <= goal;
        missed |= !good;
        println!("{what:<44} {is:>9.2} {unit:<3} {} {goal}", if good { "within" } else { "OVER" });
    };
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;

    let start = Instant::now();
    let lexicons = Lexicons::read_embedded().expect("lexicons");
    say("lexicons of six languages", millis(start.elapsed()), "ms", 200.0);

    let mut of_small = Duration::ZERO;
    for (products, slower, longest) in [(100, 1.0, 0.2), (20_000, 2.0, 2.0)] {
        let catalog = shops::generated(products);
        let start = Instant::now();
        let engine = Engine::compile(&catalog, &lexicons);
        say(&format!("{products} products compile"), start.elapsed().as_secs_f64(), "s", longest);
        if let Some(memory) = memory() {
            say(&format!("{products} products, memory"), memory as f64, "MB", 200.0);
        }
        let (first, later) = times(&engine, &shops::messages(&catalog, MESSAGES));
        let half = of_hundred(&later, 50);
        if products == 100 {
            of_small = half;
        }
        let most = if products == 100 { 50.0 } else { slower * micros(of_small) };
        say(&format!("{products} products, half of messages"), micros(half), "µs", most);
        say(&format!("{products} products, 99 in 100"), micros(of_hundred(&later, 99)), "µs", 500.0 * slower);
        say(
            &format!("{products} products, 99 in 100, new words"),
            micros(of_hundred(&first, 99)),
            "µs",
            500.0 * slower,
        );
        for (what, text) in shops::hostile(&catalog) {
            say(&format!("{products} products, {what}"), millis(read(&engine, &text)), "ms", 50.0);
        }
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
