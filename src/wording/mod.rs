//! From meaning to text. What the program says to customers is a [`Text`]; the sentences themselves are data, one
//! Fluent file a language below `config/locales`, shipped in the binary. Amounts, times, product names and the rest
//! come in as typed values and are written the way the language writes them, so that no sentence is put together from
//! pieces in code. A test proves each language complete: every key, every variable, no key that nothing uses.

use std::collections::BTreeMap;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use crate::{
    calendar::LocalTime,
    cart::{Amount, Chosen, Line, Pick},
    catalog::{Catalog, HALF_SIGN},
    id::{ChoiceId, GroupId, ProductId, ZoneId},
    language::Language,
    moment::{Moment, Span},
    money::Money,
    understanding::{alias::Meant, lexicon::LOCALES},
};

/// The file of a language's folder that holds its sentences.
const FILE: &str = "wording.ftl";

/// All sentences in all languages.
pub struct Wording {
    bundles: BTreeMap<Language, FluentBundle<FluentResource>>,
}

/// What sentences need to be written down: whose shop, in which language, when.
#[derive(Clone, Copy)]
pub struct Speech<'a> {
    /// The sentences.
    pub wording: &'a Wording,
    /// Names of products and options.
    pub catalog: &'a Catalog,
    /// The customer's.
    pub language: Language,
    /// What "today" is seen from.
    pub now: Moment,
}

/// Why the sentences of a language can't be used; a defect of the program's own files.
#[derive(Debug, thiserror::Error)]
#[error("config/locales/{language}/{FILE}: {what}")]
pub struct BadWording {
    /// Of which language.
    language: String,
    /// What is wrong.
    what: String,
}

/// An option within its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionName(pub GroupId, pub ChoiceId);

/// A time of day; with its day in brackets where that is not today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock(pub Moment);

/// A day and a time of day, "today" included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTime(pub Moment);

/// A weekday, Monday being 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekday(pub u8);

/// Periods of a day in minutes since midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods(pub Vec<(u16, u16)>);

/// Several things in a row, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

/// A customer's own words in quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted(pub String);

/// An allergen's key in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allergen(pub String);

/// A value that a sentence holds.
trait Value {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static>;
}

macro_rules! texts {
    ($($name:ident = $key:literal { $($field:ident: $kind:ty),* };)*) => {
        /// Something to say to a customer. Each variant is a key of the files below `config/locales`, its fields are
        /// the variables of that key.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Text {
            $(
                #[doc = concat!("`", $key, "`")]
                $name {
                    $(
                        #[doc = concat!("`$", stringify!($field), "`")]
                        $field: $kind
                    ),*
                },
            )*
        }

        /// Every key with its variables.
        #[cfg(test)]
        const KEYS: &[(&str, &[&str])] = &[$(($key, &[$(stringify!($field)),*])),*];

        impl Text {
            fn key(&self) -> &'static str {
                match self {
                    $(Text::$name { .. } => $key,)*
                }
            }

            fn arguments(&self, speech: &Speech<'_>) -> FluentArgs<'static> {
                #[allow(unused_mut, reason = "a text without variables adds none")]
                let mut arguments = FluentArgs::new();
                match self {
                    $(Text::$name { $($field),* } => {
                        $(arguments.set(stringify!($field), $field.written(speech));)*
                    })*
                }
                arguments
            }
        }
    };
}

texts! {
    // Greeting, menu, help
    Greeting = "greeting" { shop: String, example: Box<Text> };
    GreetingKnown = "greeting-known" { name: String, shop: String };
    GreetingUsual = "greeting-usual" { lines: List<Line> };
    GreetingHelp = "greeting-help" {};
    GreetingCart = "greeting-cart" {};
    MenuHead = "menu-head" {};
    MenuPick = "menu-pick" {};
    MenuMore = "menu-more" {};
    MenuFoot = "menu-foot" {};
    SoldOutMark = "sold-out-mark" {};
    FromPrice = "from-price" { price: Money };
    Thanks = "thanks" {};
    EmojiOnly = "emoji-only" {};
    Languages = "languages" {};
    LanguageSet = "language-set" {};
    Example = "example" { product: ProductId, option: OptionName };
    ExamplePlain = "example-plain" { product: ProductId };

    // Filling an order
    LineSum = "line-sum" { line: Line, sum: Money };
    SumDelivery = "sum-delivery" { sum: Money };
    SumDeliveryFree = "sum-delivery-free" {};
    SumTotal = "sum-total" { sum: Money };
    CartAdded = "cart-added" { line: Line };
    CartRemoved = "cart-removed" { line: Line };
    CartChanged = "cart-changed" { from: Line, to: Line };
    CartQuantity = "cart-quantity" { line: Line, from: u32 };
    CartEmptied = "cart-emptied" {};
    CartSoFar = "cart-so-far" { total: Money };
    CartSame = "cart-same" {};
    AskWhich = "ask-which" {};
    AskWhichOption = "ask-which-option" { group: GroupId, product: ProductId };
    AskOption = "ask-option" { group: GroupId, product: ProductId };
    AskOtherHalf = "ask-other-half" { product: ProductId };
    AskFulfilment = "ask-fulfilment" {};
    AskAddress = "ask-address" {};
    AskPostcode = "ask-postcode" {};
    AskName = "ask-name" {};
    AskAnything = "ask-anything" {};
    OutsideZone = "outside-zone" {};
    PickupOnly = "pickup-only" {};
    BelowMinimum = "below-minimum" { zone: ZoneId, minimum: Money, short: Money };
    FreeDeliveryHint = "free-delivery-hint" { short: Money };
    Unmatched = "unmatched" { pieces: List<Quoted> };
    UnmatchedNear = "unmatched-near" { pieces: List<Quoted>, near: List<Meant> };
    NearAskOne = "near-ask-one" {};
    NearAskSeveral = "near-ask-several" {};
    NearNo = "near-no" {};
    Doubt = "doubt" { lines: List<Line> };
    DoubtCart = "doubt-cart" { lines: List<Line> };
    DoubtEmpty = "doubt-empty" {};
    SayOtherwise = "say-otherwise" {};
    Undone = "undone" {};
    UndoNone = "undo-none" {};
    Pause = "pause" {};
    PauseReadback = "pause-readback" {};
    PausePlaced = "pause-placed" { number: i64 };
    ShopChanged = "shop-changed" {};
    WishNoted = "wish-noted" { wishes: List<Quoted> };
    Unavailable = "unavailable" { product: ProductId };
    OptionUnavailable = "option-unavailable" { option: OptionName };
    OptionNotFor = "option-not-for" { option: OptionName, product: ProductId };
    TooManyOptions = "too-many-options" { product: ProductId, max: u32, group: GroupId };
    TooMany = "too-many" { quantity: u32, product: ProductId };
    TooManyItems = "too-many-items" {};
    UsualNone = "usual-none" {};
    UsualAdded = "usual-added" {};
    UsualPrice = "usual-price" { product: ProductId, now: Money, before: Money };
    UsualGone = "usual-gone" { product: String };

    // Reading back and placing
    ReadbackHead = "readback-head" {};
    ReadbackPickup = "readback-pickup" { name: String };
    ReadbackDelivery = "readback-delivery" { name: String, address: String };
    ReadbackNote = "readback-note" { wishes: List<Quoted> };
    ReadbackClosed = "readback-closed" { opening: DayTime };
    ReadbackAsk = "readback-ask" {};
    ReadbackChanged = "readback-changed" {};
    ReadbackAgain = "readback-again" {};
    NotPlaced = "not-placed" {};
    Placed = "placed" { name: String, number: i64, total: Money };
    PlacedClosed = "placed-closed" { name: String, number: i64, total: Money, opening: DayTime };
    PlacedAlready = "placed-already" { number: i64 };
    ButtonStale = "button-stale" {};
    NothingToPlace = "nothing-to-place" {};
    NothingToConfirm = "nothing-to-confirm" {};

    // News of an order
    OrderAcceptedPickup = "order-accepted-pickup" { number: i64, time: Clock };
    OrderAcceptedDelivery = "order-accepted-delivery" { number: i64, time: Clock };
    OrderDeclined = "order-declined" { number: i64, reason: String };
    OrderReadyPickup = "order-ready-pickup" { number: i64 };
    OrderReadyDelivery = "order-ready-delivery" { number: i64 };
    OrderOut = "order-out" { number: i64 };
    OrderDeliveredPickup = "order-delivered-pickup" { number: i64 };
    OrderDeliveredDelivery = "order-delivered-delivery" { number: i64 };
    OrderCancelled = "order-cancelled" { number: i64 };
    OrderCancelLate = "order-cancel-late" { number: i64 };
    OrderCancelNone = "order-cancel-none" {};
    OrderChangeLate = "order-change-late" { number: i64 };
    StatusNone = "status-none" {};
    StatusPlaced = "status-placed" { number: i64, since: Clock };
    StatusPlacedClosed = "status-placed-closed" { number: i64, opening: DayTime };
    StatusAcceptedPickup = "status-accepted-pickup" { number: i64, time: Clock };
    StatusAcceptedDelivery = "status-accepted-delivery" { number: i64, time: Clock };
    StatusLate = "status-late" {};
    StatusReadyPickup = "status-ready-pickup" { number: i64, since: Clock };
    StatusReadyDelivery = "status-ready-delivery" { number: i64, since: Clock };
    StatusOut = "status-out" { number: i64, since: Clock };
    StatusDelivered = "status-delivered" { number: i64, since: Clock };
    StatusDeclined = "status-declined" { number: i64, reason: String };
    StatusCancelled = "status-cancelled" { number: i64 };

    // Questions
    HoursOpen = "hours-open" { until: Clock };
    HoursAlways = "hours-always" {};
    HoursClosed = "hours-closed" { opening: DayTime };
    HoursClosedLong = "hours-closed-long" {};
    HoursDay = "hours-day" { day: Weekday, periods: Periods };
    HoursDayClosed = "hours-day-closed" { day: Weekday };
    PriceOf = "price-of" { product: ProductId, price: Money };
    PriceOption = "price-option" { option: OptionName, price: Money };
    PriceOfDearest = "price-of-dearest" { product: ProductId };
    PriceOfDearestPlus = "price-of-dearest-plus" { product: ProductId, price: Money };
    PriceOfAverage = "price-of-average" { product: ProductId };
    PriceOfAveragePlus = "price-of-average-plus" { product: ProductId, price: Money };
    Allergens = "allergens" { product: ProductId, allergens: List<Allergen> };
    AllergensNone = "allergens-none" { product: ProductId };
    AllergensUnknown = "allergens-unknown" { product: ProductId };
    AllergensPerson = "allergens-person" {};
    DeliveryHead = "delivery-head" {};
    DeliveryZone = "delivery-zone" { zone: ZoneId, fee: Money, minimum: Money };
    DeliveryZoneFree = "delivery-zone-free" { zone: ZoneId, fee: Money, minimum: Money, free: Money };
    DeliveryZoneNoMinimum = "delivery-zone-nominimum" { zone: ZoneId, fee: Money };
    StopOffers = "stop-offers" {};
    StartOffers = "start-offers" {};

    // A person
    CallingPerson = "calling-person" {};
    CallingPersonClosed = "calling-person-closed" { opening: DayTime };
    CallingStill = "calling-still" {};
    CallingUnknown = "calling-unknown" {};
    CallingSlip = "calling-slip" {};
    CallingRest = "calling-rest" {};
    Complaint = "complaint" {};
    MyData = "my-data" {};
    NotUnderstood = "not-understood" { example: Box<Text> };
    NotUnderstoodAsk = "not-understood-ask" {};
    StaffJoined = "staff-joined" { name: String };
    StaffLeft = "staff-left" { name: String };
    WordlessVoice = "wordless-voice" {};
    WordlessPicture = "wordless-picture" {};
    WordlessSticker = "wordless-sticker" {};
    WordlessLocation = "wordless-location" {};
    WordlessContact = "wordless-contact" {};
    WordlessFile = "wordless-file" {};
    WordlessEdit = "wordless-edit" {};
    WordlessOther = "wordless-other" {};
    TooLong = "too-long" {};

    // Buttons
    ButtonYes = "button-yes" {};
    ButtonRight = "button-right" {};
    ButtonWrong = "button-wrong" {};
    ButtonChange = "button-change" {};
    ButtonPickup = "button-pickup" {};
    ButtonDelivery = "button-delivery" {};
    ButtonMenu = "button-menu" {};
    ButtonPerson = "button-person" {};
    ButtonUsual = "button-usual" {};
}

/// Keys that values are written with, and their variables.
const VALUE_KEYS: &[(&str, &[&str])] = &[
    ("language-name", &[]),
    ("quoted", &["words"]),
    ("money", &["symbol", "amount"]),
    ("decimal-mark", &[]),
    ("thousands-mark", &[]),
    ("time", &["hour", "minute"]),
    ("day-today", &[]),
    ("day-tomorrow", &[]),
    ("day-0", &[]),
    ("day-1", &[]),
    ("day-2", &[]),
    ("day-3", &[]),
    ("day-4", &[]),
    ("day-5", &[]),
    ("day-6", &[]),
    ("day-and-time", &["day", "time"]),
    ("period", &["from", "to"]),
    ("line", &["quantity", "product"]),
    ("option-without", &["option"]),
    ("option-on-half", &["option", "half"]),
    ("option-extra", &["option"]),
    ("option-light", &["option"]),
    ("option-no-extra", &["option"]),
    ("option-count", &["count", "option"]),
    ("allergen-celery", &[]),
    ("allergen-crustaceans", &[]),
    ("allergen-egg", &[]),
    ("allergen-fish", &[]),
    ("allergen-gluten", &[]),
    ("allergen-lupin", &[]),
    ("allergen-milk", &[]),
    ("allergen-molluscs", &[]),
    ("allergen-mustard", &[]),
    ("allergen-nuts", &[]),
    ("allergen-peanuts", &[]),
    ("allergen-sesame", &[]),
    ("allergen-soy", &[]),
    ("allergen-sulphites", &[]),
];

impl Wording {
    /// The sentences that ship with the program.
    pub fn embedded() -> Result<Wording, BadWording> {
        let mut bundles = BTreeMap::new();
        for folder in LOCALES.dirs() {
            let tag = folder.path().to_string_lossy().into_owned();
            let wrong = |what: String| BadWording { language: tag.clone(), what };
            let language: Language = tag.parse().map_err(|e| wrong(format!("{e}")))?;
            let file = folder.get_file(folder.path().join(FILE)).ok_or_else(|| wrong("is missing".to_owned()))?;
            let source = file.contents_utf8().ok_or_else(|| wrong("is not UTF-8".to_owned()))?;
            let resource = FluentResource::try_new(source.to_owned())
                .map_err(|(_, faults)| wrong(format!("does not parse: {faults:?}")))?;
            let id: unic_langid::LanguageIdentifier = tag.parse().map_err(|e| wrong(format!("{e}")))?;
            let mut bundle = FluentBundle::new_concurrent(vec![id]);
            // The isolation marks would show as boxes in some messengers, and all six languages run left to right.
            bundle.set_use_isolating(false);
            bundle.add_resource(resource).map_err(|faults| wrong(format!("{faults:?}")))?;
            bundles.insert(language, bundle);
        }
        if !bundles.contains_key(&Language::ENGLISH) {
            return Err(BadWording { language: "en".to_owned(), what: "is missing".to_owned() });
        }
        Ok(Wording { bundles })
    }

    /// The languages that the program speaks, by tag.
    pub fn languages(&self) -> impl Iterator<Item = Language> + '_ {
        self.bundles.keys().copied()
    }

    /// The nearest language that is spoken: the one asked for, its base, or English.
    pub fn nearest(&self, language: Language) -> Language {
        [language, language.base()].into_iter().find(|l| self.bundles.contains_key(l)).unwrap_or(Language::ENGLISH)
    }

    /// What a language calls itself.
    pub fn own_name(&self, language: Language) -> String {
        self.say(language, "language-name", &FluentArgs::new())
    }

    fn say(&self, language: Language, key: &str, arguments: &FluentArgs<'_>) -> String {
        for language in [self.nearest(language), Language::ENGLISH] {
            let Some(bundle) = self.bundles.get(&language) else { continue };
            let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else { continue };
            let mut faults = Vec::new();
            let text = bundle.format_pattern(pattern, Some(arguments), &mut faults);
            debug_assert!(faults.is_empty(), "{language} {key}: {faults:?}");
            return text.into_owned();
        }
        key.to_owned()
    }
}

impl<'a> Speech<'a> {
    /// A text in the customer's language.
    pub fn say(&self, text: &Text) -> String {
        self.wording.say(self.language, text.key(), &text.arguments(self))
    }

    /// An amount as the language writes it.
    pub fn money(&self, money: Money) -> String {
        let digits = money.digits();
        let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
        let mut amount = grouped(whole, &self.plain("thousands-mark"));
        if !part.is_empty() {
            amount.push_str(&self.plain("decimal-mark"));
            amount.push_str(part);
        }
        let currency = money.currency();
        self.with("money", [("symbol", symbol(currency.code()).to_owned()), ("amount", amount)])
    }

    /// A line of a cart: quantity, product and options.
    pub fn line(&self, line: &Line) -> String {
        let product = match &line.product {
            Pick::One(id) => self.product(id),
            Pick::OneOf(ids) => ids.iter().map(|id| self.product(id)).collect::<Vec<_>>().join(" / "),
        };
        let head = self.with("line", [("quantity", line.quantity.to_string()), ("product", product)]);
        let options: Vec<String> = line.options.iter().map(|option| self.chosen(option)).collect();
        if options.is_empty() { head } else { format!("{head} ({})", options.join(", ")) }
    }

    /// An option of a line with its amount: "no olives", "extra cheese".
    pub fn chosen(&self, option: &Chosen) -> String {
        let name = match &option.choice {
            Pick::One(id) => self.option(&option.group, id),
            Pick::OneOf(ids) => ids.iter().map(|id| self.option(&option.group, id)).collect::<Vec<_>>().join(" / "),
        };
        let key = match (option.without, option.amount) {
            (true, Amount::Extra) => "option-no-extra",
            (true, Amount::Normal | Amount::Light) => "option-without",
            (false, Amount::Extra) => "option-extra",
            (false, Amount::Light) => "option-light",
            (false, Amount::Normal) if option.count > 1 => "option-count",
            (false, Amount::Normal) => "",
        };
        let halved = self.catalog.group(&option.group).is_some_and(|group| group.halves.is_some());
        let said = match key {
            "" if halved => format!("{HALF_SIGN} {name}"),
            "" => name,
            "option-count" => self.with(key, [("count", option.count.to_string()), ("option", name)]),
            _ => self.with(key, [("option", name)]),
        };
        match &option.half {
            Some(half) => self.with("option-on-half", [("option", said), ("half", self.product(half))]),
            None => said,
        }
    }

    /// A product's name.
    pub fn product(&self, id: &ProductId) -> String {
        match self.catalog.product(id) {
            Some(product) => product.names.shown(self.language).to_owned(),
            None => id.to_string(),
        }
    }

    /// An option's name.
    pub fn option(&self, group: &GroupId, choice: &ChoiceId) -> String {
        match self.catalog.choice(group, choice) {
            Some(choice) => choice.names.shown(self.language).to_owned(),
            None => choice.to_string(),
        }
    }

    fn local(&self, moment: Moment) -> Option<LocalTime> {
        self.catalog.hours.as_ref().map(|hours| hours.local(moment))
    }

    fn clock(&self, moment: Moment) -> String {
        let (hour, minute) = match self.local(moment) {
            Some(at) => (at.hour, at.minute),
            None => utc_clock(moment),
        };
        self.with("time", [("hour", format!("{hour:02}")), ("minute", format!("{minute:02}"))])
    }

    /// "today", "tomorrow" or the weekday, and whether it is today.
    fn day(&self, moment: Moment) -> (String, bool) {
        let Some(hours) = &self.catalog.hours else { return (self.plain("day-today"), true) };
        let (today, that) = (hours.day_of(self.now), hours.day_of(moment));
        if that == today {
            return (self.plain("day-today"), true);
        }
        if hours.day_of(self.now.after(Span::hours(24))) == that {
            return (self.plain("day-tomorrow"), false);
        }
        let weekday = hours.local(moment).weekday.to_monday_zero_offset();
        (self.weekday(u8::try_from(weekday).unwrap_or(0)), false)
    }

    fn weekday(&self, monday_zero: u8) -> String {
        self.plain(match monday_zero {
            0 => "day-0",
            1 => "day-1",
            2 => "day-2",
            3 => "day-3",
            4 => "day-4",
            5 => "day-5",
            _ => "day-6",
        })
    }

    fn plain(&self, key: &str) -> String {
        self.wording.say(self.language, key, &FluentArgs::new())
    }

    fn with<const N: usize>(&self, key: &str, values: [(&'static str, String); N]) -> String {
        let arguments: FluentArgs<'_> =
            values.into_iter().map(|(name, value)| (name, FluentValue::from(value))).collect();
        self.wording.say(self.language, key, &arguments)
    }
}

impl Value for String {
    fn written(&self, _: &Speech<'_>) -> FluentValue<'static> {
        self.clone().into()
    }
}

impl Value for i64 {
    fn written(&self, _: &Speech<'_>) -> FluentValue<'static> {
        // An order's number is a name: it is never grouped into thousands.
        self.to_string().into()
    }
}

impl Value for u32 {
    fn written(&self, _: &Speech<'_>) -> FluentValue<'static> {
        FluentValue::from(*self)
    }
}

impl Value for Money {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.money(*self).into()
    }
}

impl Value for Line {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.line(self).into()
    }
}

impl Value for ProductId {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.product(self).into()
    }
}

impl Value for OptionName {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.option(&self.0, &self.1).into()
    }
}

impl Value for Meant {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        self.shown(speech.catalog, speech.language).into()
    }
}

impl Value for GroupId {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        match speech.catalog.group(self) {
            Some(group) => group.names.shown(speech.language).to_owned().into(),
            None => self.to_string().into(),
        }
    }
}

impl Value for ZoneId {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        match speech.catalog.zones.iter().find(|zone| zone.id == *self) {
            Some(zone) => zone.names.shown(speech.language).to_owned().into(),
            None => self.to_string().into(),
        }
    }
}

impl Value for Clock {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        match speech.day(self.0) {
            (_, true) => speech.clock(self.0).into(),
            // In brackets, as the sentences go on with "at" or "until" before it in every language.
            (day, false) => format!("{} ({day})", speech.clock(self.0)).into(),
        }
    }
}

impl Value for DayTime {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        let (day, _) = speech.day(self.0);
        speech.with("day-and-time", [("day", day), ("time", speech.clock(self.0))]).into()
    }
}

impl Value for Weekday {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.weekday(self.0).into()
    }
}

impl Value for Periods {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        let clock = |minutes: u16| {
            let (hour, minute) = (minutes / 60, minutes % 60);
            speech.with("time", [("hour", format!("{hour:02}")), ("minute", format!("{minute:02}"))])
        };
        let periods: Vec<String> = self
            .0
            .iter()
            .map(|&(from, to)| speech.with("period", [("from", clock(from)), ("to", clock(to))]))
            .collect();
        periods.join(", ").into()
    }
}

impl Value for Quoted {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.with("quoted", [("words", self.0.clone())]).into()
    }
}

impl Value for Allergen {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        let key = format!("allergen-{}", self.0);
        if VALUE_KEYS.iter().any(|(known, _)| *known == key) {
            speech.plain(&key).into()
        } else {
            // The merchant's own word, which is better than none.
            self.0.clone().into()
        }
    }
}

impl Value for Box<Text> {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        speech.say(self).into()
    }
}

impl<T: Value> Value for List<T> {
    fn written(&self, speech: &Speech<'_>) -> FluentValue<'static> {
        let each: Vec<String> = self
            .0
            .iter()
            .map(|value| match value.written(speech) {
                FluentValue::String(text) => text.into_owned(),
                FluentValue::Number(number) => number.as_string().into_owned(),
                FluentValue::Custom(_) | FluentValue::None | FluentValue::Error => String::new(),
            })
            .collect();
        each.join(", ").into()
    }
}

/// The sign that people know a currency by; else its code.
fn symbol(code: &str) -> &str {
    match code {
        "EUR" => "€",
        "GBP" => "£",
        "IDR" => "Rp",
        "NOK" | "SEK" | "DKK" => "kr",
        "RON" => "lei",
        "RUB" => "₽",
        "USD" => "$",
        "ZAR" => "R",
        other => other,
    }
}

fn grouped(whole: &str, mark: &str) -> String {
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    // Four digits read well without a mark in every one of the languages.
    if digits.len() <= 4 {
        return whole.to_owned();
    }
    let mut text = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(mark);
        }
        text.push(digit);
    }
    text
}

/// Hours and minutes in UTC, for a shop that has not said where it is.
fn utc_clock(moment: Moment) -> (u8, u8) {
    let minutes = moment.0.div_euclid(60_000).rem_euclid(24 * 60);
    (u8::try_from(minutes / 60).unwrap_or(0), u8::try_from(minutes % 60).unwrap_or(0))
}

#[cfg(test)]
mod tests;
