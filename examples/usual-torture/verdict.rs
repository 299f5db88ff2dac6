//! What came out: one line a figure, and what was wrong in words.

use std::{fmt::Display, time::Duration};

use crate::load::percentile;

/// Most findings that are shown of one kind; the evidence has them all.
const MOST_SHOWN: usize = 5;

/// All figures of a run.
#[derive(Default)]
pub struct Verdict {
    lines: Vec<Line>,
}

struct Line {
    what: String,
    measured: String,
    goal: String,
    /// How often it was tried; 0 where the figure is no count of failures.
    n: usize,
    failures: Option<usize>,
    good: bool,
    findings: Vec<String>,
}

impl Verdict {
    /// Something that must never happen, looked for `n` times: each finding is a failure.
    pub fn never(&mut self, what: &str, findings: Vec<String>, n: usize) {
        let failures = findings.len();
        self.lines.push(Line {
            what: what.to_owned(),
            measured: failures.to_string(),
            goal: "0".to_owned(),
            n,
            failures: Some(failures),
            good: failures == 0,
            findings,
        });
    }

    /// Something that has to happen at least once, or the run has shown nothing.
    pub fn seen(&mut self, what: &str, count: usize) {
        self.figure(what, count, "≥ 1", 0, count > 0);
    }

    /// A figure with its goal in words.
    pub fn figure(&mut self, what: &str, measured: impl Display, goal: &str, n: usize, good: bool) {
        let (what, measured, goal) = (what.to_owned(), measured.to_string(), goal.to_owned());
        self.lines.push(Line { what, measured, goal, n, failures: None, good, findings: Vec::new() });
    }

    /// Within how many milliseconds this part of something took place, and within how many it has to, where there is a
    /// goal. Nothing that was timed is a fault in itself: such a run has shown nothing.
    pub fn time(&mut self, what: &str, took: &[Duration], part: f64, most: Option<f64>) {
        let value = percentile(took, part);
        let goal = most.map_or_else(|| "–".to_owned(), |most| format!("≤ {most}"));
        let measured = if took.is_empty() { "none at all".to_owned() } else { format!("{value:.1}") };
        let good = !took.is_empty() && most.is_none_or(|most| value <= most);
        self.figure(what, measured, &goal, took.len(), good);
    }

    /// A figure without a goal.
    pub fn told(&mut self, what: &str, measured: impl Display) {
        self.figure(what, measured, "–", 0, true);
    }

    /// Whether every goal was met.
    pub fn good(&self) -> bool {
        self.lines.iter().all(|line| line.good)
    }

    /// Failures of a line that was looked for with [`Verdict::never`].
    pub fn failures(&self, what: &str) -> usize {
        self.lines.iter().filter(|line| line.what == what).filter_map(|line| line.failures).sum()
    }

    /// Writes it to standard output.
    pub fn print(&self) {
        println!("{:>2} {:<52} {:>16} {:>16} {:>8} {:>12}", "", "", "measured", "goal", "n", "95 % bound");
        for line in &self.lines {
            let mark = if line.good { "" } else { "!" };
            let n = if line.n == 0 { String::new() } else { line.n.to_string() };
            let bound = match line.failures {
                Some(0) if line.n > 0 => format!("{:.4} %", 300.0 / line.n as f64),
                _ => String::new(),
            };
            println!("{mark:>2} {:<52} {:>16} {:>16} {n:>8} {bound:>12}", line.what, line.measured, line.goal);
            for finding in line.findings.iter().take(MOST_SHOWN) {
                println!("     {finding}");
            }
            if line.findings.len() > MOST_SHOWN {
                println!("     … and {} more", line.findings.len() - MOST_SHOWN);
            }
        }
    }
}
