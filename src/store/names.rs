//! Names that staff have given to a shop's goods. They lie beside the catalogue's file and outlive its re-import.

use super::{
    Store, StoreError, Tx,
    engine::{row, values},
    turn::written,
    view::{json, parsed},
};
use crate::{
    id::{ConversationId, MerchantId},
    language::Language,
    moment::Moment,
    understanding::alias::{Alias, Meant, Phrase},
};

/// Most names that the console lists of each standing.
const MOST_NAMES: i64 = 500;

/// Most names of a shop that are live; each makes reading a little slower.
const MOST_LIVE: i64 = 5_000;

/// Most of a customer's messages that are searched for the words that a correction is about.
const MOST_SEARCHED: i64 = 50;

/// Whether a name is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Waits for somebody to decide.
    Suggested,
    /// Is used.
    Approved,
    /// Is not used.
    Dismissed,
}

/// A name that a correction suggests.
#[derive(Debug, Clone)]
pub struct NewName<'a> {
    /// The name, and what it stands for.
    pub alias: &'a Alias,
    /// As the customer wrote it.
    pub written: &'a str,
    /// Where.
    pub conversation: ConversationId,
    /// In which message.
    pub seq: i64,
    /// Who corrected it.
    pub by: &'a str,
}

/// A name as the console lists it.
#[derive(Debug, Clone)]
pub struct NameView {
    /// The name, and what it stands for.
    pub alias: Alias,
    /// As a customer wrote it.
    pub written: String,
    /// Whether it is used.
    pub standing: Standing,
    /// How many corrections said so.
    pub times: i64,
    /// Where it was said last.
    pub conversation: ConversationId,
    /// The message that it was said in, where it is still on record.
    pub message: Option<String>,
    /// Who corrected it last.
    pub by: String,
    /// When something last became of it.
    pub at: Moment,
}

row! {
    struct NameRow {
        phrase: String,
        thing: String,
        written: String,
        language: String,
        standing: String,
        times: i64,
        conversation_id: String,
        message: Option<String>,
        by_name: String,
        at: i64,
    }
}

const SUGGEST: &str = "INSERT INTO alias (merchant_id, phrase, thing, written, language, standing, times, \
     conversation_id, seq, by_name, at) VALUES ($1, $2, $3, $4, $5, 'suggested', 1, $6, $7, $8, $9) \
     ON CONFLICT (merchant_id, phrase, thing) DO UPDATE SET times = alias.times + 1, written = excluded.written, \
     conversation_id = excluded.conversation_id, seq = excluded.seq, by_name = excluded.by_name, at = excluded.at";

const DECIDE: &str = "UPDATE alias SET standing = $4, at = $5 WHERE merchant_id = $1 AND phrase = $2 AND thing = $3";

const LIVE_MEANING: &str = "SELECT thing FROM alias WHERE merchant_id = $1 AND phrase = $2 AND standing = 'approved'";

const NEWER_SHOP: &str = "UPDATE merchant SET version = version + 1 WHERE merchant_id = $1";

const LIVE: &str = "SELECT phrase, language, thing FROM alias WHERE merchant_id = $1 AND standing = 'approved' \
     ORDER BY phrase LIMIT $2";

const NAMES: &str = "SELECT a.phrase, a.thing, a.written, a.language, a.standing, a.times, a.conversation_id, \
     m.body AS message, a.by_name, a.at FROM alias a LEFT JOIN message m ON m.merchant_id = a.merchant_id \
     AND m.conversation_id = a.conversation_id AND m.seq = a.seq AND m.author = 'customer' \
     WHERE a.merchant_id = $1 AND a.standing = $2 ORDER BY a.at DESC LIMIT $3";

const COUNT: &str = "SELECT count(*) FROM alias WHERE merchant_id = $1 AND standing = 'suggested'";

const CUSTOMER_SAID: &str = "SELECT seq, body FROM message WHERE merchant_id = $1 AND conversation_id = $2 \
     AND author = 'customer' AND kind = 'text' ORDER BY seq DESC LIMIT $3";

impl Tx {
    /// Writes a suggested name down; one that is known counts once more and keeps its standing.
    pub async fn suggest_name(
        &mut self,
        merchant: &MerchantId,
        name: &NewName<'_>,
        now: Moment,
    ) -> Result<(), StoreError> {
        self.run(
            SUGGEST,
            &values![
                merchant.as_str(),
                name.alias.phrase.as_str(),
                written(&name.alias.meant)?,
                name.written,
                name.alias.language.tag().to_owned(),
                name.conversation.to_string(),
                name.seq,
                name.by,
                now.0
            ],
        )
        .await?;
        Ok(())
    }

    /// Changes a name's standing, and the shop's version with it, so that whoever serves the shop opens it anew; `false`
    /// where there is no such name.
    pub async fn decide_name(
        &mut self,
        merchant: &MerchantId,
        phrase: &Phrase,
        meant: &Meant,
        standing: Standing,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let done = self
            .run(DECIDE, &values![merchant.as_str(), phrase.as_str(), written(meant)?, standing.word(), now.0])
            .await?;
        if done == 0 {
            return Ok(false);
        }
        self.run(NEWER_SHOP, &values![merchant.as_str()]).await?;
        Ok(true)
    }

    /// What a phrase means by an approved name.
    pub async fn live_meaning(&mut self, merchant: &MerchantId, phrase: &Phrase) -> Result<Option<Meant>, StoreError> {
        let thing: Option<String> = self.first(LIVE_MEANING, &values![merchant.as_str(), phrase.as_str()]).await?;
        thing.map(|thing| json(&thing, "what a name stands for")).transpose()
    }

    /// What a customer wrote lately, with its place; the latest first.
    pub async fn customer_said(
        &mut self,
        merchant: &MerchantId,
        conversation: ConversationId,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        self.settle().await?;
        self.all(CUSTOMER_SAID, &values![merchant.as_str(), conversation.to_string(), MOST_SEARCHED]).await
    }
}

impl Store {
    /// A shop's approved names.
    pub async fn aliases(&self, merchant: &MerchantId) -> Result<Vec<Alias>, StoreError> {
        let rows: Vec<(String, String, String)> = self.engine.all(LIVE, &values![merchant.as_str(), MOST_LIVE]).await?;
        rows.into_iter().map(|(phrase, language, thing)| alias(&phrase, &language, &thing)).collect()
    }

    /// A shop's names of one standing, the latest first.
    pub async fn names(&self, merchant: &MerchantId, standing: Standing) -> Result<Vec<NameView>, StoreError> {
        let rows: Vec<NameRow> =
            self.engine.all(NAMES, &values![merchant.as_str(), standing.word(), MOST_NAMES]).await?;
        rows.into_iter().map(NameView::try_from).collect()
    }

    /// How many names wait for somebody to decide.
    pub async fn suggested_names(&self, merchant: &MerchantId) -> Result<i64, StoreError> {
        self.engine.one(COUNT, &values![merchant.as_str()]).await
    }
}

impl Standing {
    /// As the database has it.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Suggested => "suggested",
            Standing::Approved => "approved",
            Standing::Dismissed => "dismissed",
        }
    }

    fn of(word: &str) -> Result<Standing, StoreError> {
        [Standing::Suggested, Standing::Approved, Standing::Dismissed]
            .into_iter()
            .find(|standing| standing.word() == word)
            .ok_or_else(|| StoreError::Corrupt(format!("standing {word:?}")))
    }
}

impl TryFrom<NameRow> for NameView {
    type Error = StoreError;

    fn try_from(row: NameRow) -> Result<NameView, StoreError> {
        Ok(NameView {
            alias: alias(&row.phrase, &row.language, &row.thing)?,
            written: row.written,
            standing: Standing::of(&row.standing)?,
            times: row.times,
            conversation: parsed(&row.conversation_id, "conversation id")?,
            message: row.message,
            by: row.by_name,
            at: Moment(row.at),
        })
    }
}

fn alias(phrase: &str, language: &str, thing: &str) -> Result<Alias, StoreError> {
    let language: Language = parsed(language, "language")?;
    let phrase = Phrase::parse(phrase).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(Alias { phrase, language, meant: json(thing, "what a name stands for")? })
}
