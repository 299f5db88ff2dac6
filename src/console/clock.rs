//! Moments as the shop's wall clock shows them.

use crate::{
    calendar::{Hours, LocalTime},
    catalog::Catalog,
    moment::{Moment, Span},
};

/// When a new day begins for the board, in hours after midnight: a kitchen that is open past midnight has its evening
/// in one piece.
const DAY_TURNS: i64 = 5;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A shop's clock. Where its file names no zone, UTC, and it says so.
#[derive(Debug, Clone)]
pub struct Clock {
    hours: Option<Hours>,
    note: &'static str,
}

impl Clock {
    /// The clock of a shop.
    pub fn of(catalog: &Catalog) -> Clock {
        match &catalog.hours {
            Some(hours) => Clock { hours: Some(hours.clone()), note: "" },
            None => Clock { hours: Hours::always("UTC").ok(), note: " UTC" },
        }
    }

    /// Time of day, with the weekday where it is another day than `now`, and the date where it is another week.
    pub fn shown(&self, at: Moment, now: Moment) -> String {
        let Some(hours) = &self.hours else { return String::new() };
        let local = hours.local(at);
        let LocalTime { day, month, hour, minute, .. } = local;
        let time = format!("{hour:02}:{minute:02}{}", self.note);
        let far = at.since(now).0.abs() >= Span::hours(6 * 24).0;
        if hours.day_of(at) == hours.day_of(now) {
            time
        } else if far {
            format!("{day:02}.{month:02}. {time}")
        } else {
            let weekday = WEEKDAYS.get(usize::from(local.weekday.to_monday_zero_offset().unsigned_abs()));
            format!("{} {time}", weekday.unwrap_or(&""))
        }
    }

    /// When the shop's day began.
    pub fn day_began(&self, now: Moment) -> Moment {
        let Some(hours) = &self.hours else { return now.after(Span::hours(-24)) };
        let day = hours.day_of(now.after(Span::hours(-DAY_TURNS)));
        let turns = u8::try_from(DAY_TURNS).unwrap_or(0);
        hours.moment_at(day, turns, 0).unwrap_or_else(|| now.after(Span::hours(-24)))
    }
}

/// A length of time as a glance takes it in: `now`, `7 min`, `2 h 5 min`, `3 days`. The console's script counts on in
/// the same words.
pub fn lasted(span: Span) -> String {
    let minutes = span.0.max(0) / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "now".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, _) if hours >= 48 => format!("{} days", hours / 24),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oslo() -> Clock {
        Clock { hours: Some(Hours::always("Europe/Oslo").unwrap()), note: "" }
    }

    /// 2026-03-13T17:05:00Z, a Friday.
    const FRIDAY: Moment = Moment(1_773_421_500_000);

    #[test]
    fn the_shop_s_own_clock_is_shown() {
        let clock = oslo();
        assert_eq!(clock.shown(FRIDAY, FRIDAY), "18:05");
        assert_eq!(clock.shown(FRIDAY.after(Span::hours(20)), FRIDAY), "Sat 14:05");
        assert_eq!(clock.shown(FRIDAY.after(Span::hours(24 * 9)), FRIDAY), "22.03. 18:05");
        let utc = Clock { hours: Hours::always("UTC").ok(), note: " UTC" };
        assert_eq!(utc.shown(FRIDAY, FRIDAY), "17:05 UTC");
    }

    #[test]
    fn an_evening_past_midnight_is_one_day() {
        let clock = oslo();
        let five = FRIDAY.after(Span::minutes(-(13 * 60 + 5)));
        assert_eq!(clock.day_began(FRIDAY), five);
        assert_eq!(clock.day_began(FRIDAY.after(Span::hours(8))), five, "02:05 is still Friday's evening");
        assert_eq!(clock.day_began(FRIDAY.after(Span::hours(12))), five.after(Span::hours(24)));
    }

    #[test]
    fn spans_are_short_words() {
        for (minutes, words) in
            [(-3, "now"), (0, "now"), (7, "7 min"), (60, "1 h"), (125, "2 h 5 min"), (3 * 24 * 60, "3 days")]
        {
            assert_eq!(lasted(Span::minutes(minutes)), words);
        }
    }
}
