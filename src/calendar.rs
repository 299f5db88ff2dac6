//! When a shop is open.
//!
//! Hours are kept as the merchant writes them, in the shop's own zone, and turned into moments only when asked about
//! one, so that a day of 23 or 25 hours comes out right. [`Hours::new`] refuses periods that overlap, so what is kept
//! can be said aloud as it stands.
//!
//! Decided: a period belongs to the day on which it begins. An exception for a date replaces the periods that begin on
//! that date; what runs past midnight from the evening before still counts. An hour that the clock skips in spring is
//! read as the hour after it, and one that it shows twice in autumn as the first of the two (RFC 5545, 3.3.5).

use std::{collections::BTreeMap, fmt, str::FromStr};

pub use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};

use crate::moment::Moment;

/// How many days ahead an opening or a closing is looked for. A shop that stays shut for longer than two weeks has
/// nothing to promise yet, and one that stays open for longer has no closing worth naming.
pub const SEARCH_DAYS: u16 = 14;

/// Most periods of one day. Real shops have two or three; more than a dozen is a mistake.
pub const MOST_PERIODS: usize = 12;

/// Most dates with hours of their own: over two years of nothing but exceptions.
pub const MOST_EXCEPTIONS: usize = 1_000;

/// The days of a week as files name them, Monday first.
pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Minutes of a day as a clock on the wall counts them.
const DAY: u16 = 24 * 60;

/// Minutes of a week as a clock on the wall counts them.
const WEEK: u16 = 7 * DAY;

/// The periods of a day without closing time.
const ALL_DAY: &[Period] = &[Period { opens: 0, closes: DAY }];

/// The periods of a week, Monday first; an empty list is a day on which the shop stays closed.
pub type Week = [Vec<Period>; 7];

/// Opening hours by weekday, with exceptions by date, in the shop's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    zone: TimeZone,
    zone_name: String,
    /// `None` is always open.
    week: Option<Week>,
    exceptions: BTreeMap<Date, Vec<Period>>,
}

/// A stretch of one day during which the shop is open, to the minute, such as `11:00-14:30`. It may run past midnight
/// (`16:30-01:00`); `00:00-24:00` is the whole day. Its opening minute belongs to it, its closing minute does not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    opens: u16,
    closes: u16,
}

/// A moment as clock and calendar on the shop's wall show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Such as 2026.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// The day of the week.
    pub weekday: Weekday,
}

/// The day whose periods an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// Of every week.
    Weekday(Weekday),
    /// An exception.
    Date(Date),
}

/// Why these are no hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoursError {
    /// No such time zone; the nearest name there is, where one is near.
    Zone(String, Option<String>),
    /// The second period begins, on that day, before the first has ended.
    Overlap(Day, Period, Period),
    /// More than [`MOST_PERIODS`] periods on that day.
    Periods(Day),
    /// More than [`MOST_EXCEPTIONS`] exceptions.
    Exceptions,
    /// No period at all.
    NeverOpen,
}

/// Why a text is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodError {
    /// Not of the form `11:00-14:30`.
    Form,
    /// It opens and closes at the same minute.
    Empty,
}

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADate;

impl Hours {
    /// Hours in a time zone by its IANA name (`Europe/Oslo`), for each weekday, with exceptions by date. Every fault is
    /// returned, not only the first; `UTC` is a zone too.
    pub fn new(
        timezone: &str,
        mut week: Week,
        mut exceptions: BTreeMap<Date, Vec<Period>>,
    ) -> Result<Hours, Vec<HoursError>> {
        week.iter_mut().chain(exceptions.values_mut()).for_each(|periods| periods.sort_unstable());
        let zone = find_zone(timezone);
        let mut faults: Vec<HoursError> = zone.as_ref().err().cloned().into_iter().collect();
        if !over_limits(&week, &exceptions, &mut faults) {
            overlaps_of_week(&week, &mut faults);
            exceptions.iter().for_each(|(&date, periods)| overlaps_of_date(date, periods, &mut faults));
        }
        if week.iter().chain(exceptions.values()).all(Vec::is_empty) {
            faults.push(HoursError::NeverOpen);
        }
        match zone {
            Ok((zone, zone_name)) if faults.is_empty() => Ok(Hours { zone, zone_name, week: Some(week), exceptions }),
            Ok(_) | Err(_) => Err(faults),
        }
    }

    /// A shop that is always open, in a time zone by its IANA name.
    pub fn always(timezone: &str) -> Result<Hours, HoursError> {
        let (zone, zone_name) = find_zone(timezone)?;
        Ok(Hours { zone, zone_name, week: None, exceptions: BTreeMap::new() })
    }

    /// The time zone's IANA name.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Whether the shop has no closing time at all.
    pub fn is_always(&self) -> bool {
        self.week.is_none()
    }

    /// Whether the shop is open at that moment.
    pub fn open_at(&self, moment: Moment) -> bool {
        self.is_always() || self.spans(moment).any(|(opens, closes)| opens <= moment && moment < closes)
    }

    /// The moment itself where the shop is open then, else the next at which it opens; `None` where it opens on none of
    /// the next [`SEARCH_DAYS`] days.
    pub fn next_opening(&self, moment: Moment) -> Option<Moment> {
        if self.is_always() {
            return Some(moment);
        }
        self.spans(moment).find(|&(_, closes)| closes > moment).map(|(opens, _)| opens.max(moment))
    }

    /// The next moment at which the shop closes: today's closing where it is open, else that of the next opening.
    /// Periods that touch are one. `None` where it closes on none of the next [`SEARCH_DAYS`] days.
    pub fn closing_after(&self, moment: Moment) -> Option<Moment> {
        if self.is_always() {
            return None;
        }
        let (_, closes) = self.spans(moment).find(|&(_, closes)| closes > moment)?;
        // What touches the end of the days that were looked at may go on beyond it.
        let end = self.day_of(moment).checked_add((i64::from(SEARCH_DAYS) + 1).days()).ok()?;
        (closes < self.start_of(end)?).then_some(closes)
    }

    /// The periods that begin on that date, in order; none where the shop is closed.
    pub fn periods_on(&self, date: Date) -> &[Period] {
        match self.exceptions.get(&date) {
            Some(periods) => periods,
            None => self.periods_of(date.weekday()),
        }
    }

    /// The periods that begin on that weekday of an ordinary week, in order; none where the shop is closed.
    pub fn periods_of(&self, weekday: Weekday) -> &[Period] {
        match &self.week {
            Some(week) => week.get(position(weekday)).map_or(&[], Vec::as_slice),
            None => ALL_DAY,
        }
    }

    /// The dates with hours of their own, in order.
    pub fn exceptions(&self) -> impl Iterator<Item = (Date, &[Period])> {
        self.exceptions.iter().map(|(&date, periods)| (date, periods.as_slice()))
    }

    /// What the shop's clock and calendar show at that moment.
    pub fn local(&self, moment: Moment) -> LocalTime {
        let at = self.zone.to_datetime(timestamp(moment));
        LocalTime {
            year: at.year(),
            month: at.month().unsigned_abs(),
            day: at.day().unsigned_abs(),
            hour: at.hour().unsigned_abs(),
            minute: at.minute().unsigned_abs(),
            weekday: at.weekday(),
        }
    }

    /// The shop's date at that moment. Two of them say whether something is today or tomorrow.
    pub fn day_of(&self, moment: Moment) -> Date {
        self.zone.to_datetime(timestamp(moment)).date()
    }

    /// The moment at which the shop's clock shows that time on that date; `None` where there is no such time.
    pub fn moment_at(&self, date: Date, hour: u8, minute: u8) -> Option<Moment> {
        let time = civil::Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
        let at = self.zone.to_timestamp(date.to_datetime(time)).ok()?;
        Some(Moment(at.as_millisecond()))
    }

    /// When the shop opens and closes around that moment: from the day before it (a period may run past midnight) to
    /// [`SEARCH_DAYS`] after it, in order, with periods that touch made one.
    fn spans(&self, moment: Moment) -> impl Iterator<Item = (Moment, Moment)> {
        let today = self.day_of(moment);
        let mut spans: Vec<(Moment, Moment)> = (-1..=i64::from(SEARCH_DAYS))
            .filter_map(|day| today.checked_add(day.days()).ok())
            .flat_map(|date| self.periods_on(date).iter().filter_map(move |&period| self.span(date, period)))
            .collect();
        spans.sort_unstable();
        spans.dedup_by(|next, kept| {
            let touch = next.0 <= kept.1;
            if touch {
                kept.1 = kept.1.max(next.1);
            }
            touch
        });
        spans.into_iter()
    }

    /// A period of that date in moments; `None` where the clock skips it whole.
    fn span(&self, date: Date, period: Period) -> Option<(Moment, Moment)> {
        let at = |minutes: u16| {
            let date = if minutes >= DAY { date.tomorrow().ok()? } else { date };
            let minutes = minutes % DAY;
            self.moment_at(date, u8::try_from(minutes / 60).ok()?, u8::try_from(minutes % 60).ok()?)
        };
        let (opens, closes) = (at(period.opens)?, at(period.end())?);
        (opens < closes).then_some((opens, closes))
    }

    fn start_of(&self, date: Date) -> Option<Moment> {
        self.moment_at(date, 0, 0)
    }
}

impl Period {
    /// When it begins, in minutes since midnight: 0 to 1,439.
    pub fn opens(&self) -> u16 {
        self.opens
    }

    /// When it ends, as written, in minutes since the midnight before: 0 to 1,440. Not above [`Period::opens`] where
    /// it runs to midnight or past it.
    pub fn closes(&self) -> u16 {
        self.closes
    }

    /// Whether it is the whole day.
    pub fn is_all_day(&self) -> bool {
        self.opens == 0 && self.closes == DAY
    }

    /// When it ends, in minutes since midnight of the day on which it began.
    fn end(&self) -> u16 {
        if self.closes <= self.opens { self.closes + DAY } else { self.closes }
    }
}

impl Day {
    /// As files name it: `mon` or `2026-12-24`.
    pub fn key(&self) -> String {
        match self {
            Day::Weekday(weekday) => WEEKDAYS[position(*weekday)].0.to_owned(),
            Day::Date(date) => date.to_string(),
        }
    }
}

/// Reads a date as files have it: `2026-12-24`.
pub fn date(text: &str) -> Result<Date, NotADate> {
    let date: Date = text.parse().map_err(|_| NotADate)?;
    // jiff reads other forms too (2026W52, a date with a time); a file has just this one.
    if date.to_string() == text { Ok(date) } else { Err(NotADate) }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Period, PeriodError> {
        let (opens, closes) = text.split_once('-').ok_or(PeriodError::Form)?;
        let period = Period { opens: minutes(opens)?, closes: minutes(closes)? };
        if period.opens == DAY {
            return Err(PeriodError::Form);
        }
        if period.opens == period.closes {
            return Err(PeriodError::Empty);
        }
        Ok(period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.opens, self.closes);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HoursError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoursError::Zone(written, Some(nearest)) => {
                write!(f, "\"{written}\" is not a time zone; did you mean \"{nearest}\"?")
            }
            HoursError::Zone(written, None) => {
                write!(f, "\"{written}\" is not a time zone; write its IANA name, such as \"Europe/Oslo\"")
            }
            HoursError::Overlap(day, first, second) => write!(
                f,
                "\"{}\": {second} begins before {first} has ended; make them one, or end one before the other begins",
                day.key()
            ),
            HoursError::Periods(day) => {
                write!(f, "\"{}\" has too many periods; a day can have {MOST_PERIODS}", day.key())
            }
            HoursError::Exceptions => {
                write!(f, "there are too many exceptions; keep the next {MOST_EXCEPTIONS} dates")
            }
            HoursError::NeverOpen => f.write_str(
                "no period is named; write such as \"mon\": [\"11:00-23:00\"], or leave the hours out if the \
                 shop is always open",
            ),
        }
    }
}

impl std::error::Error for HoursError {}

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PeriodError::Form => "not a period; write two times of the day, such as \"11:00-14:30\"",
            PeriodError::Empty => {
                "a period that ends when it begins; write \"00:00-24:00\" for the whole day, or leave it out"
            }
        })
    }
}

impl std::error::Error for PeriodError {}

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date; write year, month and day, such as \"2026-12-24\"")
    }
}

impl std::error::Error for NotADate {}

/// Whether there is more than anybody has. Overlaps are then not looked for: there could be any number of them.
fn over_limits(week: &Week, exceptions: &BTreeMap<Date, Vec<Period>>, faults: &mut Vec<HoursError>) -> bool {
    let before = faults.len();
    let weekdays = week.iter().zip(WEEKDAYS).map(|(periods, (_, weekday))| (Day::Weekday(weekday), periods));
    let dates = exceptions.iter().map(|(&date, periods)| (Day::Date(date), periods));
    let full = weekdays.chain(dates).filter(|(_, periods)| periods.len() > MOST_PERIODS);
    faults.extend(full.map(|(day, _)| HoursError::Periods(day)));
    if exceptions.len() > MOST_EXCEPTIONS {
        faults.push(HoursError::Exceptions);
    }
    faults.len() > before
}

/// Overlaps within a week that comes round again: the last night may run into Monday.
fn overlaps_of_week(week: &Week, faults: &mut Vec<HoursError>) {
    let all: Vec<(usize, Period)> =
        week.iter().enumerate().flat_map(|(at, periods)| periods.iter().map(move |&period| (at, period))).collect();
    let minute = |at: usize| u32::from(DAY) * u32::try_from(at).unwrap_or(0);
    for (i, &(at, first)) in all.iter().enumerate() {
        let round = i + 1 == all.len();
        let &(next_at, second) = &all[(i + 1) % all.len()];
        let begins = minute(next_at) + u32::from(second.opens) + if round { u32::from(WEEK) } else { 0 };
        if all.len() > 1 && begins < minute(at) + u32::from(first.end()) {
            faults.push(HoursError::Overlap(Day::Weekday(WEEKDAYS[next_at].1), first, second));
        }
    }
}

/// Overlaps among an exception's own periods. Those with the days around it are no fault: [`Hours`] merges them.
fn overlaps_of_date(date: Date, periods: &[Period], faults: &mut Vec<HoursError>) {
    for pair in periods.windows(2) {
        if pair[1].opens < pair[0].end() {
            faults.push(HoursError::Overlap(Day::Date(date), pair[0], pair[1]));
        }
    }
}

/// The zone and its name as the data has it. `jiff` carries the data in the program, so no file is read.
fn find_zone(name: &str) -> Result<(TimeZone, String), HoursError> {
    if let Ok(zone) = TimeZone::get(name)
        && let Some(proper) = zone.iana_name().filter(|_| !zone.is_unknown()).map(str::to_owned)
    {
        return Ok((zone, proper));
    }
    // A place without its continent ("Oslo") is near too.
    let place = |full: &str| full.rsplit('/').next().unwrap_or(full).to_lowercase();
    let (lower, last) = (name.to_lowercase(), place(name));
    let nearest = jiff::tz::db()
        .available()
        .map(|known| known.as_str().to_owned())
        .map(|known| {
            let whole = strsim::normalized_damerau_levenshtein(&lower, &known.to_lowercase());
            let part = 0.95 * strsim::normalized_damerau_levenshtein(&last, &place(&known));
            (whole.max(part), known)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score >= LEAST_LIKENESS)
        .map(|(_, known)| known);
    Err(HoursError::Zone(name.to_owned(), nearest))
}

/// How alike (0 to 1) two names must be for one to be offered in place of the other: two letters wrong in seven.
const LEAST_LIKENESS: f64 = 0.7;

fn minutes(text: &str) -> Result<u16, PeriodError> {
    let bytes = text.as_bytes();
    let &[a, b, b':', c, d] = bytes else { return Err(PeriodError::Form) };
    if ![a, b, c, d].iter().all(u8::is_ascii_digit) {
        return Err(PeriodError::Form);
    }
    let two = |high: u8, low: u8| u16::from(high - b'0') * 10 + u16::from(low - b'0');
    let (hour, minute) = (two(a, b), two(c, d));
    if minute > 59 || hour * 60 + minute > DAY {
        return Err(PeriodError::Form);
    }
    Ok(hour * 60 + minute)
}

fn position(weekday: Weekday) -> usize {
    usize::from(weekday.to_monday_zero_offset().unsigned_abs())
}

/// The nearest moment that a calendar reaches (years -9999 to 9999).
fn timestamp(moment: Moment) -> Timestamp {
    Timestamp::from_millisecond(moment.0).unwrap_or(if moment.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periods(texts: &[&str]) -> Vec<Period> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    }

    fn daily(texts: &[&str]) -> Week {
        std::array::from_fn(|_| periods(texts))
    }

    fn oslo(week: Week, exceptions: &[(&str, &[&str])]) -> Hours {
        let exceptions = exceptions.iter().map(|(d, p)| (date(d).unwrap(), periods(p))).collect();
        Hours::new("Europe/Oslo", week, exceptions).unwrap()
    }

    fn utc(text: &str) -> Moment {
        Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn periods_are_read_and_written_as_they_stand() {
        for text in ["11:00-14:30", "16:30-01:00", "00:00-24:00", "16:00-00:00", "16:00-24:00"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "11-14",
            "9:00-12:00",
            "11:00",
            "11:00-25:00",
            "11:60-12:00",
            "24:00-01:00",
            "11:00-24:01",
            "11:00–14:30",
            "+1:00-02:00",
        ] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::Form), "{text}");
        }
        assert_eq!("10:00-10:00".parse::<Period>(), Err(PeriodError::Empty));
        for text in ["2026-02-29", "2026-13-01", "20261224", "2026-12-24T10:00", "24.12.2026", ""] {
            assert_eq!(date(text), Err(NotADate), "{text}");
        }
    }

    #[test]
    fn a_day_with_a_break_in_it() {
        let hours = oslo(daily(&["16:30-23:00", "11:00-14:30"]), &[]);
        let open = |t| hours.open_at(utc(t));
        // Summer: two hours ahead of UTC.
        assert!(!open("2026-07-01T08:59:59Z") && open("2026-07-01T09:00:00Z"));
        assert!(open("2026-07-01T12:29:59Z") && !open("2026-07-01T12:30:00Z"));
        assert_eq!(hours.next_opening(utc("2026-07-01T13:00:00Z")), Some(utc("2026-07-01T14:30:00Z")));
        assert_eq!(hours.closing_after(utc("2026-07-01T13:00:00Z")), Some(utc("2026-07-01T21:00:00Z")));
        assert_eq!(hours.next_opening(utc("2026-07-01T09:30:00Z")), Some(utc("2026-07-01T09:30:00Z")));
        assert_eq!(hours.periods_on(date("2026-07-01").unwrap()), periods(&["11:00-14:30", "16:30-23:00"]));
    }

    #[test]
    fn a_period_past_midnight_belongs_to_its_evening() {
        let mut week = Week::default();
        week[4] = periods(&["16:30-01:00"]);
        let hours = oslo(week, &[]);
        // Friday 2026-07-03 into Saturday.
        assert!(hours.open_at(utc("2026-07-03T22:30:00Z")) && !hours.open_at(utc("2026-07-03T23:00:00Z")));
        assert!(!hours.open_at(utc("2026-07-02T22:30:00Z")));
        assert_eq!(hours.closing_after(utc("2026-07-03T15:00:00Z")), Some(utc("2026-07-03T23:00:00Z")));
        assert_eq!(hours.next_opening(utc("2026-07-04T10:00:00Z")), Some(utc("2026-07-10T14:30:00Z")));
    }

    #[test]
    fn the_day_of_23_hours() {
        // 2026-03-29: the clock goes from 02:00 to 03:00.
        let night = oslo(daily(&["22:00-04:00"]), &[]);
        let (opens, closes) = (utc("2026-03-28T21:00:00Z"), utc("2026-03-29T02:00:00Z"));
        assert_eq!(
            (night.next_opening(utc("2026-03-28T12:00:00Z")), night.closing_after(opens)),
            (Some(opens), Some(closes))
        );
        assert_eq!(closes.since(opens).0, 5 * 3_600_000);
        let day = oslo(daily(&["00:00-24:00"]), &[("2026-03-30", &[]), ("2026-03-28", &[])]);
        let (opens, closes) = (utc("2026-03-28T23:00:00Z"), utc("2026-03-29T22:00:00Z"));
        assert_eq!(day.next_opening(utc("2026-03-28T12:00:00Z")), Some(opens));
        assert_eq!(day.closing_after(opens), Some(closes));
        // Half past two does not exist: half past three is meant. What lies within the gap alone is no time at all.
        let early = oslo(daily(&["02:30-05:00"]), &[]);
        assert_eq!(early.next_opening(utc("2026-03-28T12:00:00Z")), Some(utc("2026-03-29T01:30:00Z")));
        let gap = oslo(daily(&["02:15-03:00"]), &[]);
        assert_eq!(gap.next_opening(utc("2026-03-28T12:00:00Z")), Some(utc("2026-03-30T00:15:00Z")));
    }

    #[test]
    fn the_day_of_25_hours() {
        // 2026-10-25: the clock goes from 03:00 back to 02:00.
        let night = oslo(daily(&["22:00-04:00"]), &[]);
        let (opens, closes) = (utc("2026-10-24T20:00:00Z"), utc("2026-10-25T03:00:00Z"));
        assert_eq!(night.closing_after(opens), Some(closes));
        assert!(night.open_at(utc("2026-10-25T00:30:00Z")) && night.open_at(utc("2026-10-25T01:30:00Z")));
        let day = oslo(daily(&["11:00-23:00"]), &[]);
        assert_eq!(day.next_opening(utc("2026-10-24T22:00:00Z")), Some(utc("2026-10-25T10:00:00Z")));
        // Half past two comes twice: the first is meant.
        assert_eq!(oslo(daily(&["22:00-02:30"]), &[]).closing_after(opens), Some(utc("2026-10-25T00:30:00Z")));
        let late = LocalTime { year: 2026, month: 10, day: 25, hour: 2, minute: 30, weekday: Weekday::Sunday };
        assert_eq!(day.local(utc("2026-10-25T00:30:00Z")), late);
        assert_eq!(day.local(utc("2026-10-25T01:30:00Z")), late);
    }

    #[test]
    fn exceptions_replace_their_day() {
        let hours = oslo(
            daily(&["16:30-01:00"]),
            &[("2026-12-24", &["11:00-15:00"]), ("2026-12-25", &[]), ("2028-02-29", &["12:00-13:00"])],
        );
        // The evening of the 23rd still runs past midnight; that of the 24th is gone.
        assert!(hours.open_at(utc("2026-12-23T23:30:00Z")) && !hours.open_at(utc("2026-12-24T23:30:00Z")));
        assert!(hours.open_at(utc("2026-12-24T10:00:00Z")) && !hours.open_at(utc("2026-12-24T16:00:00Z")));
        assert_eq!(hours.next_opening(utc("2026-12-24T14:00:00Z")), Some(utc("2026-12-26T15:30:00Z")));
        assert_eq!(hours.closing_after(utc("2028-02-29T01:00:00Z")), Some(utc("2028-02-29T12:00:00Z")));
        assert_eq!(hours.next_opening(utc("2028-02-29T12:00:00Z")), Some(utc("2028-03-01T15:30:00Z")));
    }

    #[test]
    fn nothing_is_promised_beyond_two_weeks() {
        let hours = oslo(Week::default(), &[("2026-06-20", &["10:00-12:00"])]);
        assert_eq!(hours.next_opening(utc("2026-06-05T12:00:00Z")), None);
        assert_eq!(hours.next_opening(utc("2026-06-06T12:00:00Z")), Some(utc("2026-06-20T08:00:00Z")));
        assert_eq!(hours.next_opening(utc("2026-06-20T10:00:00Z")), None);
        let hours = oslo(daily(&["00:00-24:00"]), &[]);
        assert!(!hours.is_always() && hours.open_at(utc("2026-06-05T22:00:00Z")));
        assert_eq!(hours.closing_after(utc("2026-06-05T12:00:00Z")), None);
    }

    #[test]
    fn a_zone_alone_is_always_open() {
        let hours = Hours::always("africa/johannesburg").unwrap();
        assert_eq!(hours.zone_name(), "Africa/Johannesburg");
        let now = utc("2026-06-05T22:30:00Z");
        assert!(hours.open_at(now) && hours.is_always());
        assert_eq!((hours.next_opening(now), hours.closing_after(now)), (Some(now), None));
        assert_eq!(hours.day_of(now), date("2026-06-06").unwrap());
        assert_eq!(hours.moment_at(date("2026-06-06").unwrap(), 0, 30), Some(now));
        assert_eq!(hours.moment_at(date("2026-06-06").unwrap(), 24, 0), None);
        assert!(hours.periods_on(hours.day_of(now))[0].is_all_day());
    }

    #[test]
    fn the_ends_of_time_are_answered() {
        let hours = oslo(daily(&["16:30-01:00"]), &[]);
        for moment in [Moment(i64::MIN), Moment(i64::MAX)] {
            assert!(!hours.open_at(moment));
            hours.next_opening(moment);
            hours.closing_after(moment);
            hours.local(moment);
        }
    }

    #[test]
    fn faults_are_all_named() {
        let mut week = Week::default();
        week[0] = periods(&["01:00-03:00", "11:00-15:00", "14:00-16:00"]);
        week[6] = periods(&["20:00-02:00"]);
        let exceptions = [(date("2026-12-24").unwrap(), periods(&["10:00-12:00", "11:00-13:00"]))].into();
        let faults: Vec<String> =
            Hours::new("Europe/Olso", week, exceptions).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 4, "{faults:#?}");
        assert_eq!(faults[0], "\"Europe/Olso\" is not a time zone; did you mean \"Europe/Oslo\"?");
        assert!(faults[1].starts_with("\"mon\": 14:00-16:00 begins before 11:00-15:00 has ended"), "{}", faults[1]);
        assert!(faults[2].starts_with("\"mon\": 01:00-03:00 begins before 20:00-02:00 has ended"), "{}", faults[2]);
        assert!(faults[3].starts_with("\"2026-12-24\": 11:00-13:00"), "{}", faults[3]);
        assert_eq!(Hours::always("Oslo"), Err(HoursError::Zone("Oslo".into(), Some("Europe/Oslo".into()))));
        assert_eq!(Hours::always("Mordor"), Err(HoursError::Zone("Mordor".into(), None)));
        assert_eq!(Hours::new("UTC", Week::default(), BTreeMap::new()), Err(vec![HoursError::NeverOpen]));
        let crowd: Vec<Period> = (0..13).map(|h| format!("{h:02}:00-{h:02}:30").parse().unwrap()).collect();
        let week: Week = std::array::from_fn(|at| if at == 2 { crowd.clone() } else { Vec::new() });
        assert_eq!(
            Hours::new("UTC", week, BTreeMap::new()),
            Err(vec![HoursError::Periods(Day::Weekday(Weekday::Wednesday))])
        );
    }
}
