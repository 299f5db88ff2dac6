//! Settings: the defaults that ship with the program, then `config/default.toml` where there is one, then `.env`, then
//! the environment. One that the program does not know is an error that names the nearest, so that a slip of the pen
//! does not leave a shop running on a default. Secrets come from the environment and `.env` alone.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use url::{Host, Url};

use super::log::Format;
use crate::{channel::telegram, id::MerchantId, moment::Span, secret::Secret};

/// The defaults, with what each means.
const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Where a shop's own defaults may lie, below the folder that the program is started in.
const FILE: &str = "config/default.toml";

/// Longest wait for a message's other half that may be set: beyond it customers think that nobody is there.
const LONGEST_GATHER: i64 = 20_000;

/// Settings that are no secrets: the key in a file, the name in the environment.
const OPEN: [(&str, &str); 9] = [
    ("data", "USUAL_DATA"),
    ("listen", "USUAL_LISTEN"),
    ("public_url", "USUAL_PUBLIC_URL"),
    ("database_url", "DATABASE_URL"),
    ("gather_ms", "USUAL_GATHER_MS"),
    ("limits", "USUAL_LIMITS"),
    ("log", "USUAL_LOG"),
    ("log_format", "USUAL_LOG_FORMAT"),
    ("traces", "OTEL_EXPORTER_OTLP_ENDPOINT"),
];

/// Settings of channels and other secrets, from the environment alone.
const FROM_ENVIRONMENT: [&str; 4] =
    ["TELOXIDE_TOKEN", "TELOXIDE_API_URL", "USUAL_TELEGRAM_SECRET", "USUAL_METRICS_TOKEN"];

/// Settings of channels that other versions have. Naming them is no slip, but nothing here would obey them.
const NOT_YET: [&str; 16] = [
    "WHATSAPP_TOKEN",
    "WHATSAPP_PHONE_NUMBER_ID",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
    "WHATSAPP_API_URL",
    "MESSENGER_TOKEN",
    "MESSENGER_APP_SECRET",
    "MESSENGER_VERIFY_TOKEN",
    "MESSENGER_API_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_FROM",
    "TWILIO_API_URL",
    "STRIPE_API_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_URL",
];

/// Names with the program's prefix that tools which start it use for themselves.
const TOOLS: [&str; 3] = ["USUAL_BIN", "USUAL_SCRIPT", "USUAL_SETUP"];

/// How the names begin that the program's own tests use for themselves.
const TESTS: &str = "USUAL_TEST_";

/// Beginnings of names that are ours: one of these in the environment that is not known is taken for a slip.
const PREFIXES: [&str; 7] = ["USUAL_", "TELOXIDE_", "WHATSAPP_", "MESSENGER_", "TWILIO_", "STRIPE_", "DATABASE_URL"];

/// All that the program was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What the world sees.
    pub public_url: Url,
    /// The database's address.
    pub database_url: String,
    /// How long half a message waits.
    pub gather: Span,
    /// What is logged.
    pub log: String,
    /// How.
    pub log_format: Format,
    /// Who is told what happens to each message, where anybody is.
    pub collector: Option<Url>,
    /// What others than this machine must show to read the metrics.
    pub metrics_token: Option<Secret>,
    /// Telegram's token, address and secret, where a token is set.
    pub telegram: Option<Telegram>,
}

/// What is set of Telegram. The token is checked by the channel, and `Debug` does not show it.
#[derive(Clone)]
pub struct Telegram {
    token: String,
    api_url: Option<String>,
    secret: Option<String>,
    limits: Limits,
}

/// Whether messengers' limits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limits {
    /// Unless the messenger is a test server: plain http on this machine's loopback interface.
    Auto,
    On,
    Off,
}

/// What is wrong with the settings, in words for whoever starts the program.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not known; where it stands, and the nearest that is.
    #[error("{place}: the setting {name} is not known; did you mean {nearest}?")]
    Unknown {
        /// The file, or "environment".
        place: String,
        /// As written.
        name: String,
        /// The nearest that is known.
        nearest: String,
    },
    /// Known, and of a channel that this version lacks.
    #[error("{0} is set, but this version has no such channel; take it out of the environment or .env")]
    NotYet(String),
    /// Its value is none.
    #[error("{name} is {value:?}; {hint}")]
    Value {
        /// The name in the environment.
        name: &'static str,
        /// As written.
        value: String,
        /// What to write instead.
        hint: &'static str,
    },
    /// A file can't be read.
    #[error("{0}: {1}")]
    File(String, String),
    /// A channel is half configured.
    #[error("{0} is set, but {1} is not; set both or neither")]
    Half(&'static str, &'static str),
}

impl Settings {
    /// Reads everything, `environment` being the process's.
    pub fn read(
        folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, SettingsError> {
        let mut values: HashMap<&'static str, String> = HashMap::new();
        from_toml(DEFAULTS, "defaults", &mut values)?;
        let file = folder.join(FILE);
        match std::fs::read_to_string(&file) {
            Ok(text) => from_toml(&text, FILE, &mut values)?,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {}
            Err(fault) => return Err(SettingsError::File(FILE.to_owned(), fault.to_string())),
        }
        for (name, value) in of_dotenv(folder)? {
            take(name, value, ".env", true, &mut values)?;
        }
        // Sorted, so that of several slips the same one is named each time.
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, value) in environment {
            take(name, value, "environment", false, &mut values)?;
        }
        Settings::of(&values)
    }

    fn of(values: &HashMap<&'static str, String>) -> Result<Settings, SettingsError> {
        let text = |name: &'static str| values.get(name).cloned().unwrap_or_default();
        let given = |name: &'static str| values.get(name).filter(|value| !value.is_empty()).cloned();
        let listen: SocketAddr =
            parse("USUAL_LISTEN", &text("USUAL_LISTEN"), "write an address and a port, such as 127.0.0.1:8080")?;
        let public = given("USUAL_PUBLIC_URL").unwrap_or_else(|| format!("http://{listen}"));
        let hint = "write an address such as https://order.example.com";
        let public_url: Url = parse("USUAL_PUBLIC_URL", &public, hint)?;
        if !matches!(public_url.scheme(), "http" | "https") || public_url.host().is_none() {
            return Err(SettingsError::Value { name: "USUAL_PUBLIC_URL", value: public, hint });
        }
        let gather_text = text("USUAL_GATHER_MS");
        let hint = "write whole milliseconds from 0 to 20000";
        let gather: i64 = parse("USUAL_GATHER_MS", &gather_text, hint)?;
        if !(0..=LONGEST_GATHER).contains(&gather) {
            return Err(SettingsError::Value { name: "USUAL_GATHER_MS", value: gather_text, hint });
        }
        let limits = match text("USUAL_LIMITS").trim() {
            "auto" => Limits::Auto,
            "on" => Limits::On,
            "off" => Limits::Off,
            _ => {
                let (name, value) = ("USUAL_LIMITS", text("USUAL_LIMITS"));
                return Err(SettingsError::Value { name, value, hint: "write auto, on or off" });
            }
        };
        let log_format = match text("USUAL_LOG_FORMAT").trim() {
            "text" => Format::Text,
            "json" => Format::Json,
            _ => {
                let (name, value) = ("USUAL_LOG_FORMAT", text("USUAL_LOG_FORMAT"));
                return Err(SettingsError::Value { name, value, hint: "write text or json" });
            }
        };
        let (name, hint) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "write an address such as http://127.0.0.1:4318");
        let collector: Option<Url> = given(name).map(|value| parse(name, &value, hint)).transpose()?;
        if let Some(address) = collector.as_ref().filter(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(SettingsError::Value { name, value: address.to_string(), hint });
        }
        let data = PathBuf::from(text("USUAL_DATA"));
        let database_url =
            given("DATABASE_URL").unwrap_or_else(|| format!("sqlite://{}", data.join("usual.db").display()));
        let telegram = match (given("TELOXIDE_TOKEN"), given("TELOXIDE_API_URL"), given("USUAL_TELEGRAM_SECRET")) {
            (Some(token), api_url, secret) => Some(Telegram { token, api_url, secret, limits }),
            (None, Some(_), _) => return Err(SettingsError::Half("TELOXIDE_API_URL", "TELOXIDE_TOKEN")),
            (None, None, Some(_)) => return Err(SettingsError::Half("USUAL_TELEGRAM_SECRET", "TELOXIDE_TOKEN")),
            (None, None, None) => None,
        };
        Ok(Settings {
            listen,
            public_url,
            database_url,
            gather: Span::millis(gather),
            log: text("USUAL_LOG"),
            log_format,
            collector,
            metrics_token: given("USUAL_METRICS_TOKEN").map(Secret::of),
            telegram,
        })
    }
}

impl Telegram {
    /// As the channel takes it, for a shop.
    pub fn account(&self, merchant: MerchantId) -> Result<telegram::Settings, telegram::SettingsError> {
        let account = telegram::Settings::new(&self.token, self.api_url.as_deref(), self.secret.as_deref(), merchant)?;
        let limited = match self.limits {
            Limits::Auto => !is_test_server(account.api_url()),
            Limits::On => true,
            Limits::Off => false,
        };
        Ok(account.limited(limited))
    }
}

fn is_test_server(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "http" && loopback
}

impl std::fmt::Debug for Telegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telegram")
    }
}

fn parse<T: std::str::FromStr>(name: &'static str, value: &str, hint: &'static str) -> Result<T, SettingsError> {
    value.trim().parse().map_err(|_| SettingsError::Value { name, value: value.to_owned(), hint })
}

fn from_toml(text: &str, place: &str, values: &mut HashMap<&'static str, String>) -> Result<(), SettingsError> {
    let table: toml::Table =
        text.parse().map_err(|e: toml::de::Error| SettingsError::File(place.to_owned(), e.to_string()))?;
    for (key, value) in table {
        let Some(&(_, name)) = OPEN.iter().find(|(known, _)| *known == key) else {
            let nearest = nearest(&key, OPEN.iter().map(|(known, _)| *known));
            return Err(SettingsError::Unknown { place: place.to_owned(), name: key, nearest });
        };
        let value = match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        values.insert(name, value);
    }
    Ok(())
}

fn of_dotenv(folder: &Path) -> Result<Vec<(String, String)>, SettingsError> {
    let path = folder.join(".env");
    let found = match dotenvy::from_path_iter(&path) {
        Ok(found) => found,
        Err(fault) if fault.not_found() => return Ok(Vec::new()),
        Err(fault) => return Err(SettingsError::File(".env".to_owned(), fault.to_string())),
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in found {
        match pair {
            Ok(pair) => pairs.push(pair),
            // Its own words quote the value, which may be a secret.
            Err(dotenvy::Error::LineParse(..)) => {
                let place = pairs.last().map_or("at its beginning".to_owned(), |(name, _)| format!("behind {name}"));
                let words = format!("what stands {place} can't be read; write NAME=value, with quotes around blanks");
                return Err(SettingsError::File(".env".to_owned(), words));
            }
            Err(fault) => return Err(SettingsError::File(".env".to_owned(), fault.to_string())),
        }
    }
    Ok(pairs)
}

/// Takes a setting of the environment or `.env`. In our own file everything must be known; in the environment, which
/// belongs to others too, only what begins like ours.
fn take(
    name: String,
    value: String,
    place: &str,
    own_file: bool,
    values: &mut HashMap<&'static str, String>,
) -> Result<(), SettingsError> {
    let known = OPEN.iter().map(|(_, name)| *name).chain(FROM_ENVIRONMENT);
    if let Some(known) = known.clone().find(|known| *known == name) {
        values.insert(known, value);
        return Ok(());
    }
    if NOT_YET.contains(&name.as_str()) {
        return if value.is_empty() { Ok(()) } else { Err(SettingsError::NotYet(name)) };
    }
    let ours = own_file || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if !ours || TOOLS.contains(&name.as_str()) || name.starts_with(TESTS) || name.starts_with("RUST_") {
        return Ok(());
    }
    let nearest = nearest(&name, known);
    Err(SettingsError::Unknown { place: place.to_owned(), name, nearest })
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let close = |known: &&str| strsim::osa_distance(&name.to_lowercase(), &known.to_lowercase());
    known.min_by_key(close).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        Settings::read(folder.path(), pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn defaults_suffice_and_the_environment_counts() {
        let settings = read(&[("HOME", "/root"), ("USUAL_BIN", "x"), ("USUAL_TEST_SEED", "1")]).unwrap();
        assert_eq!(settings.database_url, "sqlite://data/usual.db");
        assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080/");
        assert!(settings.telegram.is_none());
        let settings = read(&[("USUAL_LISTEN", "127.0.0.1:9"), ("USUAL_GATHER_MS", "0")]).unwrap();
        assert_eq!((settings.listen.port(), settings.gather), (9, Span::millis(0)));
    }

    #[test]
    fn slips_are_named_with_the_nearest() {
        let fault = read(&[("USUAL_LISTNE", "127.0.0.1:9")]).unwrap_err().to_string();
        assert_eq!(fault, "environment: the setting USUAL_LISTNE is not known; did you mean USUAL_LISTEN?");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), "TELOXIDE_TOKN=1:a\n").unwrap();
        let fault = Settings::read(folder.path(), []).unwrap_err().to_string();
        assert_eq!(fault, ".env: the setting TELOXIDE_TOKN is not known; did you mean TELOXIDE_TOKEN?");
        std::fs::remove_file(folder.path().join(".env")).unwrap();
        std::fs::create_dir(folder.path().join("config")).unwrap();
        std::fs::write(folder.path().join(FILE), "telegram_token = \"1:a\"\n").unwrap();
        assert!(matches!(Settings::read(folder.path(), []), Err(SettingsError::Unknown { .. })), "no secrets in files");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        for (text, place) in [
            ("USUAL_GATHER_MS=0\nTELOXIDE_TOKEN=1:a secret\n", "behind USUAL_GATHER_MS"),
            ("TELOXIDE_TOKEN=\"1:a secret\n", "at its beginning"),
        ] {
            std::fs::write(folder.path().join(".env"), text).unwrap();
            let fault = Settings::read(folder.path(), []).unwrap_err().to_string();
            assert!(fault.starts_with(&format!(".env: what stands {place} can't be read; write")), "{fault}");
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn values_that_are_none_say_what_to_write() {
        for (name, value) in [
            ("USUAL_LISTEN", "8080"),
            ("USUAL_PUBLIC_URL", "order.example.com"),
            ("USUAL_GATHER_MS", "-1"),
            ("USUAL_GATHER_MS", "20001"),
            ("USUAL_LIMITS", "yes"),
            ("USUAL_LOG_FORMAT", "xml"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://127.0.0.1:4317"),
        ] {
            let fault = read(&[(name, value)]).unwrap_err();
            assert!(fault.to_string().starts_with(&format!("{name} is {value:?}; write")), "{fault}");
        }
        assert_eq!(
            read(&[("USUAL_TELEGRAM_SECRET", "x")]).unwrap_err(),
            SettingsError::Half("USUAL_TELEGRAM_SECRET", "TELOXIDE_TOKEN")
        );
        assert_eq!(read(&[("WHATSAPP_TOKEN", "x")]).unwrap_err(), SettingsError::NotYet("WHATSAPP_TOKEN".into()));
    }

    #[test]
    fn limits_are_kept_but_for_a_test_server() {
        let kept = |pairs: &[(&str, &str)]| {
            let pairs = [&[("TELOXIDE_TOKEN", "1:A")], pairs].concat();
            let account = read(&pairs).unwrap().telegram.unwrap().account("pizzeria".parse().unwrap()).unwrap();
            account.is_limited()
        };
        assert!(kept(&[]));
        for (url, auto) in [
            ("http://127.0.0.1:9000", false),
            ("http://[::1]:9000/", false),
            ("http://localhost:9000", false),
            ("https://127.0.0.1:9000", true),
            ("http://192.0.2.1:8081", true),
            ("https://api.telegram.org", true),
        ] {
            assert_eq!(kept(&[("TELOXIDE_API_URL", url)]), auto, "{url}");
            assert!(kept(&[("TELOXIDE_API_URL", url), ("USUAL_LIMITS", "on")]), "{url}");
            assert!(!kept(&[("TELOXIDE_API_URL", url), ("USUAL_LIMITS", "off")]), "{url}");
        }
    }
}
