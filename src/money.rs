//! Amounts of money: whole minor units of one currency, never a float, never wrapping.

use std::fmt;

/// Largest amount that any price, fee or total may reach, in minor units. Far above any shop's order and far
/// below `i64::MAX`, so that a sum of a whole day still fits.
pub const MOST_MINOR: i64 = 1_000_000_000_000;

/// An ISO 4217 currency: three capital letters and the number of decimals that its minor unit has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoneyError {
    /// Not of the form `12` or `12.50`.
    Form,
    /// More decimals than the currency has.
    Decimals(u8),
    /// Beyond [`MOST_MINOR`].
    TooLarge,
    /// Two amounts of different currencies met.
    Mixed,
    /// No ISO 4217 code of three letters.
    Currency,
}

/// An amount in minor units of its currency (cents, øre, kopecks).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Currency {
    /// Reads an ISO 4217 code such as `EUR`. Lower case is accepted.
    pub fn parse(code: &str) -> Result<Currency, MoneyError> {
        let upper = code.to_ascii_uppercase();
        let code: [u8; 3] = upper.as_bytes().try_into().map_err(|_| MoneyError::Currency)?;
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(MoneyError::Currency);
        }
        Ok(Currency { code, decimals: decimals(&code) })
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// How many decimals an amount shows.
    pub fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Nothing, in this currency.
    pub fn zero(self) -> Money {
        Money { minor: 0, currency: self }
    }

    /// An amount of so many minor units; [`MoneyError::TooLarge`] beyond [`MOST_MINOR`] either way.
    pub fn minor(self, minor: i64) -> Result<Money, MoneyError> {
        if minor.unsigned_abs() > MOST_MINOR.unsigned_abs() {
            return Err(MoneyError::TooLarge);
        }
        Ok(Money { minor, currency: self })
    }

    /// Reads a decimal text such as `9.50`, as catalogue files have it.
    pub fn amount(self, text: &str) -> Result<Money, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(part) || (digits.contains('.') && part.is_empty()) {
            return Err(MoneyError::Form);
        }
        let decimals = usize::from(self.decimals);
        if part.len() > decimals && part[decimals..].bytes().any(|b| b != b'0') {
            return Err(MoneyError::Decimals(self.decimals));
        }
        let mut minor: i64 = 0;
        let padded = part.bytes().chain(std::iter::repeat(b'0')).take(decimals);
        for digit in whole.bytes().chain(padded) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        self.minor(if negative { -minor } else { minor })
    }
}

impl Money {
    /// The amount in minor units.
    pub fn in_minor(&self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        let sum = self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?;
        self.currency.minor(sum)
    }

    /// This amount, so many times.
    pub fn times(self, count: u32) -> Result<Money, MoneyError> {
        let product = self.minor.checked_mul(i64::from(count)).ok_or(MoneyError::TooLarge)?;
        self.currency.minor(product)
    }

    /// What is missing from this amount to reach `goal`; `None` where nothing is (or the currencies differ).
    pub fn short_of(self, goal: Money) -> Option<Money> {
        if self.currency != goal.currency || self.minor >= goal.minor {
            return None;
        }
        Some(Money { minor: goal.minor - self.minor, currency: self.currency })
    }

    /// Whether it is exactly nothing.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The digits alone, with a full stop: `9.50`. Catalogue files hold this; people see `wording`'s form.
    pub fn digits(&self) -> String {
        let scale = 10_i64.pow(u32::from(self.currency.decimals));
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, part) = (self.minor.abs() / scale, self.minor.abs() % scale);
        match self.currency.decimals {
            0 => format!("{sign}{whole}"),
            n => format!("{sign}{whole}.{part:0width$}", width = usize::from(n)),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.digits(), self.currency.code())
    }
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MoneyError::Form => f.write_str("not an amount; write digits and a full stop, such as \"9.50\""),
            MoneyError::Decimals(0) => f.write_str("this currency has no decimals; write whole units, such as \"950\""),
            MoneyError::Decimals(n) => write!(f, "too many decimals; this currency has {n}, such as \"9.50\""),
            MoneyError::TooLarge => f.write_str("the amount is too large"),
            MoneyError::Mixed => f.write_str("amounts of two currencies cannot be added"),
            MoneyError::Currency => f.write_str("not a currency; write its three ISO 4217 letters, such as \"EUR\""),
        }
    }
}

impl std::error::Error for MoneyError {}

/// Decimals by ISO 4217 (list one); every currency that is not listed has two.
fn decimals(code: &[u8; 3]) -> u8 {
    match code {
        b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX" | b"UYI"
        | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
        b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
        b"CLF" | b"UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Currency {
        Currency::parse("EUR").unwrap()
    }

    #[test]
    fn reads_and_writes_what_a_catalogue_holds() {
        for (text, minor) in [("9.50", 950), ("0", 0), ("12", 1200), ("3.5", 350), ("9.500", 950)] {
            assert_eq!(eur().amount(text).unwrap().in_minor(), minor, "{text}");
        }
        assert_eq!(eur().amount("9.50").unwrap().digits(), "9.50");
        assert_eq!(Currency::parse("jpy").unwrap().amount("950").unwrap().digits(), "950");
        assert_eq!(Currency::parse("KWD").unwrap().amount("1.5").unwrap().digits(), "1.500");
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", ".", "9,50", "9.", ".5", "1e3", "NaN", " 1", "1 ", "+1", "--1", "٣"] {
            assert_eq!(eur().amount(text), Err(MoneyError::Form), "{text}");
        }
        assert_eq!(eur().amount("9.505"), Err(MoneyError::Decimals(2)));
        assert_eq!(eur().amount("99999999999999999999"), Err(MoneyError::TooLarge));
        assert_eq!(eur().amount("10000000000.01"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn sums_are_checked() {
        let most = eur().minor(MOST_MINOR).unwrap();
        assert_eq!(most.plus(eur().minor(1).unwrap()), Err(MoneyError::TooLarge));
        assert_eq!(most.times(2), Err(MoneyError::TooLarge));
        assert_eq!(eur().zero().plus(Currency::parse("USD").unwrap().zero()), Err(MoneyError::Mixed));
        assert_eq!(eur().minor(1740).unwrap().short_of(eur().minor(2000).unwrap()), Some(eur().minor(260).unwrap()));
    }
}
