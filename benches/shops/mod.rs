//! Shops for measuring: the samples that ship with the program, and catalogues of any size from a seed, with names in
//! six languages as a wholesaler's file would have them; and what customers write to them.

#![allow(dead_code, reason = "each bench uses some of it")]

use std::fmt::Write;

use theusual::{
    catalog::{Catalog, read},
    language::Language,
};

/// The languages of every shop here, as the words below are listed.
pub const LANGUAGES: [&str; 6] = ["en", "af", "nb", "ru", "id", "ro"];

/// What describes goods, in the order of [`LANGUAGES`].
const ADJECTIVES: [[&str; 6]; 40] = [
    ["fresh", "vars", "fersk", "свежий", "segar", "proaspăt"],
    ["frozen", "bevrore", "frossen", "замороженный", "beku", "congelat"],
    ["smoked", "gerookte", "røkt", "копчёный", "asap", "afumat"],
    ["organic", "organiese", "økologisk", "органический", "organik", "ecologic"],
    ["spicy", "pittige", "sterk", "острый", "pedas", "picant"],
    ["sweet", "soet", "søt", "сладкий", "manis", "dulce"],
    ["salted", "gesoute", "saltet", "солёный", "asin", "sărat"],
    ["roasted", "geroosterde", "ristet", "жареный", "panggang", "prăjit"],
    ["dried", "gedroogde", "tørket", "сушёный", "kering", "uscat"],
    ["sliced", "gesnyde", "skivet", "нарезанный", "iris", "feliat"],
    ["grated", "gerasperde", "revet", "тёртый", "parut", "ras"],
    ["whole", "heel", "hel", "цельный", "utuh", "întreg"],
    ["ground", "gemaalde", "malt", "молотый", "bubuk", "măcinat"],
    ["pickled", "ingelegde", "syltet", "маринованный", "acar", "murat"],
    ["creamy", "romerige", "kremet", "сливочный", "lembut", "cremos"],
    ["crunchy", "bros", "knasende", "хрустящий", "renyah", "crocant"],
    ["golden", "goue", "gyllen", "золотой", "emas", "auriu"],
    ["black", "swart", "svart", "чёрный", "hitam", "negru"],
    ["white", "wit", "hvit", "белый", "putih", "alb"],
    ["red", "rooi", "rød", "красный", "merah", "roșu"],
    ["green", "groen", "grønn", "зелёный", "hijau", "verde"],
    ["yellow", "geel", "gul", "жёлтый", "kuning", "galben"],
    ["mild", "sagte", "mild", "мягкий", "ringan", "blând"],
    ["strong", "sterk", "kraftig", "крепкий", "kuat", "tare"],
    ["bitter", "bitter", "bitter", "горький", "pahit", "amar"],
    ["sour", "suur", "sur", "кислый", "asam", "acru"],
    ["classic", "klassieke", "klassisk", "классический", "klasik", "clasic"],
    ["premium", "premium", "premium", "премиальный", "premium", "premium"],
    ["family", "familie", "familie", "семейный", "keluarga", "familial"],
    ["travel", "reis", "reise", "дорожный", "perjalanan", "călătorie"],
    ["herbal", "kruie", "urte", "травяной", "herbal", "vegetal"],
    ["natural", "natuurlike", "naturlig", "натуральный", "alami", "natural"],
    ["imported", "ingevoerde", "importert", "импортный", "impor", "importat"],
    ["local", "plaaslike", "lokal", "местный", "lokal", "local"],
    ["summer", "somer", "sommer", "летний", "musim panas", "vară"],
    ["winter", "winter", "vinter", "зимний", "musim dingin", "iarnă"],
    ["sensitive", "sensitiewe", "sensitiv", "чувствительный", "sensitif", "sensibil"],
    ["double", "dubbele", "dobbel", "двойной", "ganda", "dublu"],
    ["crispy", "krakerige", "sprø", "поджаристый", "garing", "rumenit"],
    ["light", "ligte", "lett", "лёгкий", "ringan", "ușor"],
];

/// Goods, in the order of [`LANGUAGES`].
const NOUNS: [[&str; 6]; 50] = [
    ["salmon", "salm", "laks", "лосось", "salmon", "somon"],
    ["chicken breast", "hoenderborsie", "kyllingbryst", "куриная грудка", "dada ayam", "piept de pui"],
    ["rice", "rys", "ris", "рис", "beras", "orez"],
    ["pasta", "pasta", "pasta", "макароны", "pasta", "paste"],
    ["cheese", "kaas", "ost", "сыр", "keju", "brânză"],
    ["yoghurt", "jogurt", "yoghurt", "йогурт", "yogurt", "iaurt"],
    ["butter", "botter", "smør", "масло", "mentega", "unt"],
    ["milk", "melk", "melk", "молоко", "susu", "lapte"],
    ["bread", "brood", "brød", "хлеб", "roti", "pâine"],
    ["tomatoes", "tamaties", "tomater", "помидоры", "tomat", "roșii"],
    ["potatoes", "aartappels", "poteter", "картофель", "kentang", "cartofi"],
    ["onions", "uie", "løk", "лук", "bawang", "ceapă"],
    ["mushrooms", "sampioene", "sopp", "грибы", "jamur", "ciuperci"],
    ["olives", "olywe", "oliven", "оливки", "zaitun", "măsline"],
    ["almonds", "amandels", "mandler", "миндаль", "almond", "migdale"],
    ["walnuts", "okkerneute", "valnøtter", "грецкий орех", "kenari", "nuci"],
    ["raisins", "rosyne", "rosiner", "изюм", "kismis", "stafide"],
    ["honey", "heuning", "honning", "мёд", "madu", "miere"],
    ["jam", "konfyt", "syltetøy", "варенье", "selai", "gem"],
    ["chocolate", "sjokolade", "sjokolade", "шоколад", "cokelat", "ciocolată"],
    ["biscuits", "koekies", "kjeks", "печенье", "biskuit", "biscuiți"],
    ["crackers", "beskuitjies", "knekkebrød", "крекеры", "kerupuk", "crackeri"],
    ["coffee", "koffie", "kaffe", "кофе", "kopi", "cafea"],
    ["tea", "tee", "te", "чай", "teh", "ceai"],
    ["apple juice", "appelsap", "eplejuice", "яблочный сок", "jus apel", "suc de mere"],
    ["lemonade", "limonade", "limonade", "лимонад", "limun", "limonadă"],
    ["mineral water", "mineraalwater", "mineralvann", "минеральная вода", "air mineral", "apă minerală"],
    ["vinegar", "asyn", "eddik", "уксус", "cuka", "oțet"],
    ["olive oil", "olyfolie", "olivenolje", "оливковое масло", "minyak zaitun", "ulei de măsline"],
    ["mustard", "mosterd", "sennep", "горчица", "moster", "muștar"],
    ["ketchup", "tamatiesous", "ketsjup", "кетчуп", "saus tomat", "ketchup"],
    ["soup", "sop", "suppe", "суп", "sup", "supă"],
    ["beans", "bone", "bønner", "фасоль", "kacang", "fasole"],
    ["lentils", "lensies", "linser", "чечевица", "lentil", "linte"],
    ["flour", "meel", "mel", "мука", "tepung", "făină"],
    ["sugar", "suiker", "sukker", "сахар", "gula", "zahăr"],
    ["shampoo", "sjampoe", "sjampo", "шампунь", "sampo", "șampon"],
    ["soap", "seep", "såpe", "мыло", "sabun", "săpun"],
    ["toothpaste", "tandepasta", "tannkrem", "зубная паста", "pasta gigi", "pastă de dinți"],
    ["hand cream", "handeroom", "håndkrem", "крем для рук", "krim tangan", "cremă de mâini"],
    ["dog food", "hondekos", "hundefôr", "корм для собак", "makanan anjing", "hrană pentru câini"],
    ["cat litter", "katsand", "kattesand", "наполнитель", "pasir kucing", "nisip pentru pisici"],
    ["candles", "kerse", "stearinlys", "свечи", "lilin", "lumânări"],
    ["napkins", "servette", "servietter", "салфетки", "tisu", "șervețele"],
    ["batteries", "batterye", "batterier", "батарейки", "baterai", "baterii"],
    ["bin bags", "vullissakke", "søppelposer", "мусорные пакеты", "kantong sampah", "saci menajeri"],
    ["detergent", "wasmiddel", "vaskemiddel", "порошок", "deterjen", "detergent"],
    ["sausages", "worsies", "pølser", "сосиски", "sosis", "cârnați"],
    ["ham", "ham", "skinke", "ветчина", "daging asap", "șuncă"],
    ["eggs", "eiers", "egg", "яйца", "telur", "ouă"],
];

/// Sizes as labels have them, in Latin and in Cyrillic letters.
const SIZES: [[&str; 2]; 10] = [
    ["200 g", "200 г"],
    ["250 ml", "250 мл"],
    ["330 ml", "330 мл"],
    ["400 g", "400 г"],
    ["500 g", "500 г"],
    ["750 ml", "750 мл"],
    ["1 kg", "1 кг"],
    ["1 l", "1 л"],
    ["2 kg", "2 кг"],
    ["6 pcs", "6 шт"],
];

/// Of what brands are made.
const SYLLABLES: [&str; 24] = [
    "bra", "cal", "dor", "fen", "gri", "hal", "jun", "kor", "lum", "mar", "nel", "oli", "pra", "quen", "ros", "sol",
    "tav", "ulm", "ver", "wes", "yar", "zan", "bel", "tor",
];

/// Chance from a seed, the same on every machine (SplitMix64).
pub struct Seed(pub u64);

impl Seed {
    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % most as u64) as usize
    }

    /// One of several.
    pub fn of<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.below(several.len())]
    }
}

/// The catalogue file of a shop with so many products: no two alike, a brand to every five of them, categories and one
/// group of sizes that a fifth of the products have.
pub fn file(products: usize) -> String {
    let mut seed = Seed(products as u64);
    let mut out = String::from(
        r#"{"merchant": "Wholesale", "currency": "EUR", "languages": ["en", "af", "nb", "ru", "id", "ro"], "categories": ["#,
    );
    for (at, nouns) in NOUNS.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, r#"{comma}{{"id": "c{at}", "names": {}}}"#, names(|language| nouns[language].to_owned()));
    }
    out.push_str(
        r#"], "option_groups": [{"id": "pack", "names": {"en": ["pack"]}, "max": 1, "choices": [
        {"id": "single", "names": {"en": ["single"], "nb": ["enkel"], "ru": ["один"]}},
        {"id": "box", "names": {"en": ["box of 12", "dozen"], "nb": ["eske med 12"], "ru": ["коробка"]}}]}],
        "products": ["#,
    );
    let brands: Vec<String> =
        (0..products / 5 + 20).map(|_| (0..2 + seed.below(2)).map(|_| *seed.of(&SYLLABLES)).collect()).collect();
    for at in 0..products {
        let comma = if at == 0 { "" } else { "," };
        // Every pairing of adjective and noun in turn, so that no name comes twice.
        let (noun, adjective) = (at % NOUNS.len(), at / NOUNS.len() % ADJECTIVES.len());
        let (brand, size) = (seed.of(&brands).clone(), SIZES[(at / NOUNS.len() / ADJECTIVES.len()) % SIZES.len()]);
        let named = names(|language| {
            let size = size[usize::from(LANGUAGES[language] == "ru")];
            format!("{brand} {} {} {size}", ADJECTIVES[adjective][language], NOUNS[noun][language])
        });
        let groups = if at % 5 == 0 { r#", "option_groups": ["pack"]"# } else { "" };
        let (euros, cents) = (1 + seed.below(40), seed.below(100));
        let _ = write!(
            out,
            r#"{comma}{{"id": "p{at}", "category": "c{noun}", "price": "{euros}.{cents:02}", "names": {named}{groups}}}"#
        );
    }
    out.push_str("]}");
    out
}

fn names(name: impl Fn(usize) -> String) -> String {
    let each: Vec<String> =
        LANGUAGES.iter().enumerate().map(|(at, tag)| format!(r#""{tag}": ["{}"]"#, name(at))).collect();
    format!("{{{}}}", each.join(", "))
}

/// A catalogue of so many products.
pub fn generated(products: usize) -> Catalog {
    catalog(&file(products))
}

/// One of the samples: `pizzeria`, `petshop`, `pharmacy`.
pub fn sample(name: &str) -> Catalog {
    let path = format!("{}/config/samples/{name}/catalog.json", env!("CARGO_MANIFEST_DIR"));
    catalog(&std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}")))
}

fn catalog(file: &str) -> Catalog {
    match read::read(file) {
        Ok((catalog, _)) => catalog,
        Err(findings) => panic!("{findings:?}"),
    }
}

/// Messages of about twenty words to a shop, in each of the six languages in turn, naming its products as customers do:
/// in full, without the size, without the brand, sometimes misspelt.
pub fn messages(catalog: &Catalog, count: usize) -> Vec<String> {
    const FRAMES: [[&str; 4]; 6] = [
        [
            "hi there, can i get two {} and one {} please, and deliver it to 12 Long Street, thanks",
            "good evening, i would like {} without any sugar, three {} and also another {} for my mother tomorrow",
            "hello, how much is the {} today and do you have {} in stock? i need four of them",
            "please change the {} to {}, remove the second one and add two more {} to my order for tonight",
        ],
        [
            "hallo, kan ek asseblief twee {} en een {} kry, en stuur dit na Langstraat 12 toe, baie dankie",
            "goeie naand, ek wil graag {} he sonder suiker, drie {} en ook nog een {} vir my ma more",
            "hallo, hoeveel kos die {} vandag en het julle nog {} in die winkel? ek soek vier van hulle",
            "verander asseblief die {} na {}, haal die tweede een af en sit nog twee {} by my bestelling vanaand",
        ],
        [
            "hei, kan jeg få to {} og en {} takk, og levere det til Storgata 12 i kveld, tusen takk",
            "god kveld, jeg vil gjerne ha {} uten sukker, tre {} og en til {} til moren min i morgen",
            "hallo, hva koster {} i dag og har dere {} på lager? jeg trenger fire av dem så fort som mulig",
            "kan du bytte {} til {}, ta bort den andre og legge til to {} på bestillingen min i kveld",
        ],
        [
            "здравствуйте, можно мне два {} и один {} пожалуйста, и доставьте на улицу Ленина 12 сегодня вечером, спасибо",
            "добрый вечер, я хочу {} без сахара, три {} и ещё один {} для моей мамы на завтра",
            "привет, сколько стоит {} сегодня и есть ли у вас {} в наличии? мне нужно четыре штуки",
            "поменяйте пожалуйста {} на {}, уберите второй и добавьте ещё два {} к моему заказу на вечер",
        ],
        [
            "halo kak, saya mau pesan dua {} dan satu {} ya, tolong diantar ke Jalan Melati 12 malam ini, terima kasih",
            "selamat malam, saya mau {} tanpa gula, tiga {} dan satu lagi {} untuk ibu saya besok pagi ya",
            "halo min, berapa harga {} hari ini dan apakah {} masih ada? saya butuh empat buah",
            "tolong ganti {} jadi {}, hapus yang kedua dan tambah dua {} lagi ke pesanan saya malam ini",
        ],
        [
            "bună ziua, aș dori două {} și un {} vă rog, cu livrare pe strada Lungă 12 diseară, mulțumesc frumos",
            "bună seara, vreau {} fără zahăr, trei {} și încă un {} pentru mama mea pe mâine dimineață",
            "salut, cât costă {} azi și mai aveți {} pe stoc? am nevoie de patru bucăți",
            "schimbați vă rog {} cu {}, scoateți al doilea și mai adăugați două {} la comanda mea pentru diseară",
        ],
    ];
    let mut seed = Seed(count as u64);
    (0..count)
        .map(|at| {
            let language: Language = LANGUAGES[at % 6].parse().expect("a tag");
            let mut message = seed.of(&FRAMES[at % 6]).to_string();
            while message.contains("{}") {
                let product = seed.of(&catalog.products);
                let name = product.names.all().find(|(of, _)| *of == language).map_or("", |(_, name)| name);
                let said = said(name, &mut seed);
                message = message.replacen("{}", &said, 1);
            }
            message
        })
        .collect()
}

/// A name as customers write it.
fn said(name: &str, seed: &mut Seed) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let sized = words.iter().position(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(words.len());
    let kept = match seed.below(4) {
        0 => words.join(" "),
        1 => words[..sized.max(1)].join(" "),
        2 if sized > 2 => words[1..sized].join(" "),
        _ => words[..sized.max(1)].join(" "),
    };
    let mut letters: Vec<char> = kept.to_lowercase().chars().collect();
    // One name in six has a slip of the finger.
    if seed.below(6) == 0 && letters.len() > 8 {
        letters.remove(letters.len() / 2);
    }
    letters.into_iter().collect()
}

/// How many of them there are.
pub const HOSTILE: usize = 20;

/// Messages that are meant to take long, each with what it is.
pub fn hostile(catalog: &Catalog) -> [(&'static str, String); HOSTILE] {
    let mut seed = Seed(7);
    let longest = catalog.products.iter().map(|p| p.names.all().next().map_or("", |(_, name)| name));
    let words: Vec<&str> = longest.flat_map(str::split_whitespace).filter(|word| word.len() > 5).collect();
    let near = |seed: &mut Seed| {
        let mut letters: Vec<char> = seed.of(&words).chars().collect();
        let (at, letter) = (seed.below(letters.len()), char::from(b'a' + seed.below(26) as u8));
        letters[at] = letter;
        letters.into_iter().collect::<String>()
    };
    let many = |word: &str, count: usize| vec![word; count].join(" ");
    let near: Vec<String> = (0..500).map(|_| near(&mut seed)).collect();
    let some: Vec<&str> = (0..10_000).map(|_| *seed.of(&words)).collect();
    let random: Vec<String> = (0..10_000)
        .map(|_| (0..3 + seed.below(9)).map(|_| char::from(b'a' + seed.below(26) as u8)).collect())
        .collect();
    [
        ("10,000 names", some.join(" ")),
        ("10,000 random words", random.join(" ")),
        ("100,000 of one letter", "a".repeat(100_000)),
        ("100,000 letters and blanks", "a ".repeat(50_000)),
        ("no no no", many("no", 10_000)),
        ("without and", many("without and", 5_000)),
        ("all the of the", many("all the of the", 2_500)),
        ("change to instead of", many("change to instead of", 2_500)),
        ("numbers", many("2 10 x", 3_000)),
        ("i want to", many("i want to", 3_000)),
        ("can you please tell me", many("can you please tell me the", 2_000)),
        ("500 near to names", near.join(" ")),
        ("one name again and again", many(words[0], 10_000)),
        ("one common word", many("fresh", 10_000)),
        ("marks", "?!., ".repeat(2_000)),
        ("accents", "a\u{301}\u{302}\u{303}".repeat(20_000)),
        ("compounds", vec!["laksefersksmørsuppeost"; 600].join(" ")),
        ("different compounds", random.iter().map(|word| format!("laks{word}brød")).collect::<Vec<_>>().join(" ")),
        ("emoji", "🍕".repeat(8_000)),
        ("dates", many("at 7 tomorrow 12:30", 2_000)),
    ]
}
