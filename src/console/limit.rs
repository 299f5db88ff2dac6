//! So many within so long, for each of many: tries to sign in, messages of a visitor. In this process's memory alone.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Most names that are counted at once. Beyond it nobody new is let in until old ones have run out; a hundred thousand
/// of them take some megabytes.
const MOST_NAMES: usize = 100_000;

/// Counts what each name did within a sliding window.
#[derive(Debug)]
pub struct Limiter {
    most: usize,
    within: Duration,
    done: Mutex<HashMap<String, VecDeque<Instant>>>,
}

/// Too many; for so long there is no use in trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany(pub Duration);

impl Limiter {
    /// At most `most` within `within`, for each name.
    pub fn new(most: usize, within: Duration) -> Limiter {
        Limiter { most, within, done: Mutex::default() }
    }

    /// Counts one more of a name, unless it is one too many. Of several at once, no more than the limit get `Ok`.
    pub fn take(&self, name: &str, now: Instant) -> Result<(), TooMany> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= MOST_NAMES && !done.contains_key(name) {
            done.retain(|_, times| times.back().is_some_and(|&last| now.duration_since(last) < self.within));
            if done.len() >= MOST_NAMES {
                return Err(TooMany(self.within));
            }
        }
        let times = done.entry(name.to_owned()).or_default();
        while times.front().is_some_and(|&first| now.duration_since(first) >= self.within) {
            times.pop_front();
        }
        match times.front() {
            Some(&first) if times.len() >= self.most => Err(TooMany(self.within - now.duration_since(first))),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }

    /// Forgets what a name did.
    pub fn forgive(&self, name: &str) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl TooMany {
    /// The wait in whole seconds, at least 1, as `Retry-After` has it.
    pub fn seconds(self) -> u64 {
        self.0.as_secs().saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let limiter = Limiter::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limiter.take("a", at(0)), Ok(()));
        assert_eq!(limiter.take("a", at(4)), Ok(()));
        assert_eq!(limiter.take("a", at(6)), Err(TooMany(Duration::from_secs(4))));
        assert_eq!(limiter.take("b", at(6)), Ok(()), "others go on");
        assert_eq!(limiter.take("a", at(10)), Ok(()));
        assert_eq!(limiter.take("a", at(11)), Err(TooMany(Duration::from_secs(3))));
        limiter.forgive("a");
        assert_eq!(limiter.take("a", at(11)), Ok(()));
    }
}
