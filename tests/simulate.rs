//! The pure core in a simulated world: `conversation::step`, `Order::moved`, `desk`, `quote` and `calendar`, driven as the
//! program drives them, while deliveries are lost, doubled, delayed and reordered, vendors fail, clocks are set, shops
//! change their catalogues and the program crashes, all from a seed. What must hold is in `simulate/check.rs`, and at the
//! end of each world in `simulate/world.rs`.
//!
//! A failure prints its seed and what happened last; `SIMULATE_SEED=<seed> cargo test --test simulate` runs that world
//! again. Seeds that once found something are kept in `simulate/seeds.txt` and come first. `SIMULATE_EVENTS` makes a
//! run longer (or shorter), `SIMULATE_FROM` begins at another seed, `SIMULATE_TOLD` tells more of a world that failed.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Instant,
};

use self::{
    words::Shop,
    world::{Count, World},
};

#[path = "simulate/check.rs"]
mod check;
#[path = "simulate/dice.rs"]
mod dice;
#[path = "simulate/rows.rs"]
mod rows;
#[path = "simulate/turn.rs"]
mod turn;
#[path = "simulate/words.rs"]
mod words;
#[path = "simulate/world.rs"]
mod world;

/// Events of a run where `SIMULATE_EVENTS` does not say.
const EVENTS: u64 = 1_000_000;

/// Events of a world before it is healed.
const EVENTS_OF_A_WORLD: u64 = 2_500;

/// How many of the last things that happened are printed of a world that failed.
const MOST_TOLD: usize = 30;

#[test]
fn a_million_things_happen_and_what_must_hold_holds() {
    let begun = Instant::now();
    let town: Vec<Rc<Shop>> = words::shops().into_iter().map(Rc::new).collect();
    let mut count = Count::default();
    let kept = include_str!("simulate/seeds.txt").lines();
    let kept = kept.filter_map(|line| line.split('#').next()?.trim().parse().ok());
    if let Some(seed) = number("SIMULATE_SEED") {
        live(seed, &town, &mut count);
    } else {
        kept.for_each(|seed| live(seed, &town, &mut count));
        let events = number("SIMULATE_EVENTS").unwrap_or(EVENTS);
        let mut seed = number("SIMULATE_FROM").unwrap_or(1);
        while count.events < events {
            live(seed, &town, &mut count);
            seed += 1;
        }
        assert!(count.placed * 1_000 > count.events, "hardly anything is ordered: {count:?}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{count:#?}\n{:.0} events a second, {seconds:.1} s", count.events as f64 / seconds);
}

/// Lets a world happen. One that fails happens once more, and is told.
fn live(seed: u64, town: &[Rc<Shop>], count: &mut Count) {
    let languages = words::languages();
    let mut run = |trace: Option<&mut Vec<String>>| {
        catch_unwind(AssertUnwindSafe(|| World::new(seed, town, &languages, count, trace).run(EVENTS_OF_A_WORLD)))
    };
    let told = RefCell::new(Vec::new());
    let Err(fault) = run(None) else { return };
    let again = run(Some(&mut told.borrow_mut()));
    let told = told.into_inner();
    let last = told.len().saturating_sub(number("SIMULATE_TOLD").map_or(MOST_TOLD, |many| many as usize));
    let words = fault.downcast_ref::<String>().map(String::as_str).or(fault.downcast_ref::<&str>().copied());
    println!("{}\n{}", told[last..].join("\n"), words.unwrap_or("it panicked"));
    println!("seed {seed} failed; SIMULATE_SEED={seed} cargo test --test simulate runs it again");
    assert!(
        again.is_err(),
        "and it did not fail the second time: the simulator draws from something else than its seed"
    );
    std::panic::resume_unwind(fault);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.replace('_', "").parse().ok()
}
