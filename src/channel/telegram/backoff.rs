//! How long to wait before the next attempt: twice as long each time, up to a ceiling, and a random part of it so that
//! many processes that failed together do not come back together.

use std::time::Duration;

use rand::Rng;

/// The first wait. A server that restarts is back within a second.
const FIRST: Duration = Duration::from_millis(200);

/// The longest wait: what a customer may have to wait for more than the outage itself.
const CEILING: Duration = Duration::from_secs(15);

/// Waits between attempts.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// One more failure: how long to wait now, from half to the whole of the step.
    pub(super) fn failed(&mut self) -> Duration {
        let step = FIRST.saturating_mul(1 << self.failures.min(10)).min(CEILING);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// How many failures there were in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// It worked: the next failure is the first one again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_ceiling_and_start_again() {
        let mut backoff = Backoff::default();
        for step in [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000] {
            let step = Duration::from_millis(step);
            let wait = backoff.failed();
            assert!(wait >= step / 2 && wait <= step, "{wait:?} of {step:?}");
        }
        for _ in 0..100 {
            assert!(backoff.failed() <= CEILING);
        }
        backoff.succeeded();
        assert!(backoff.failed() <= FIRST);
    }
}
