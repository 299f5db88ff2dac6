//! Staff accounts, their sign-ins, and the few single values that a shop keeps. Tokens and passwords come in hashed.

use super::{
    Store, StoreError,
    engine::{row, values},
    view::parsed,
};
use crate::{
    id::{MerchantId, StaffId},
    moment::Moment,
};

/// An account that may sign in.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its id.
    pub id: StaffId,
    /// As customers and colleagues see it.
    pub name: String,
    /// An argon2id hash in PHC form.
    pub password: String,
}

/// A sign-in that is on record.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub id: StaffId,
    /// As customers and colleagues see it.
    pub name: String,
    /// Since when.
    pub created_at: Moment,
    /// When it was last used.
    pub seen_at: Moment,
}

row! {
    struct MemberRow {
        staff_id: String,
        name: String,
        password: String,
    }
}

row! {
    struct SignedInRow {
        staff_id: String,
        name: String,
        created_at: i64,
        seen_at: i64,
    }
}

const COUNT: &str = "SELECT count(*) FROM staff WHERE merchant_id = $1";

const ADD: &str = "INSERT INTO staff (merchant_id, staff_id, name, login, password, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";

const BY_LOGIN: &str = "SELECT staff_id, name, password FROM staff WHERE merchant_id = $1 AND login = $2";

const OPEN_SESSION: &str = "INSERT INTO session (merchant_id, token, staff_id, created_at, seen_at) \
     VALUES ($1, $2, $3, $4, $4)";

const SESSION: &str = "SELECT s.staff_id, m.name, s.created_at, s.seen_at FROM session s \
     JOIN staff m ON m.merchant_id = s.merchant_id AND m.staff_id = s.staff_id \
     WHERE s.merchant_id = $1 AND s.token = $2";

const SEEN: &str = "UPDATE session SET seen_at = $3 WHERE merchant_id = $1 AND token = $2";

const CLOSE_SESSION: &str = "DELETE FROM session WHERE merchant_id = $1 AND token = $2";

const KEEP: &str = "INSERT INTO keepsake (merchant_id, name, value) VALUES ($1, $2, $3) \
     ON CONFLICT (merchant_id, name) DO UPDATE SET value = excluded.value";

const KEPT: &str = "SELECT value FROM keepsake WHERE merchant_id = $1 AND name = $2";

const FORGET: &str = "DELETE FROM keepsake WHERE merchant_id = $1 AND name = $2 AND value = $3";

impl Store {
    /// How many accounts a shop has.
    pub async fn staff_count(&self, merchant: &MerchantId) -> Result<i64, StoreError> {
        self.engine.one(COUNT, &values![merchant.as_str()]).await
    }

    /// Adds an account; [`StoreError::Taken`] where the login is in use.
    pub async fn add_staff(
        &self,
        merchant: &MerchantId,
        member: &Member,
        login: &str,
        now: Moment,
    ) -> Result<(), StoreError> {
        self.engine
            .run(ADD, &values![merchant.as_str(), member.id.to_string(), &member.name, login, &member.password, now.0])
            .await?;
        Ok(())
    }

    /// The account of a login.
    pub async fn staff_by_login(&self, merchant: &MerchantId, login: &str) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = self.engine.first(BY_LOGIN, &values![merchant.as_str(), login]).await?;
        row.map(|row| Ok(Member { id: parsed(&row.staff_id, "staff id")?, name: row.name, password: row.password }))
            .transpose()
    }

    /// Records a sign-in under the hash of its token.
    pub async fn open_session(
        &self,
        merchant: &MerchantId,
        token_hash: &str,
        staff: StaffId,
        now: Moment,
    ) -> Result<(), StoreError> {
        self.engine.run(OPEN_SESSION, &values![merchant.as_str(), token_hash, staff.to_string(), now.0]).await?;
        Ok(())
    }

    /// The sign-in of a token's hash.
    pub async fn session(&self, merchant: &MerchantId, token_hash: &str) -> Result<Option<SignedIn>, StoreError> {
        let row: Option<SignedInRow> = self.engine.first(SESSION, &values![merchant.as_str(), token_hash]).await?;
        row.map(|row| {
            Ok(SignedIn {
                id: parsed(&row.staff_id, "staff id")?,
                name: row.name,
                created_at: Moment(row.created_at),
                seen_at: Moment(row.seen_at),
            })
        })
        .transpose()
    }

    /// Notes that a sign-in was used.
    pub async fn session_seen(&self, merchant: &MerchantId, token_hash: &str, now: Moment) -> Result<(), StoreError> {
        self.engine.run(SEEN, &values![merchant.as_str(), token_hash, now.0]).await?;
        Ok(())
    }

    /// Ends a sign-in.
    pub async fn close_session(&self, merchant: &MerchantId, token_hash: &str) -> Result<(), StoreError> {
        self.engine.run(CLOSE_SESSION, &values![merchant.as_str(), token_hash]).await?;
        Ok(())
    }

    /// Keeps a single value under a name.
    pub async fn keep(&self, merchant: &MerchantId, name: &str, value: &str) -> Result<(), StoreError> {
        self.engine.run(KEEP, &values![merchant.as_str(), name, value]).await?;
        Ok(())
    }

    /// The value kept under a name.
    pub async fn kept(&self, merchant: &MerchantId, name: &str) -> Result<Option<String>, StoreError> {
        self.engine.first(KEPT, &values![merchant.as_str(), name]).await
    }

    /// Forgets a value if it is still this one; whether it was. Of several at once, one hears yes.
    pub async fn forget(&self, merchant: &MerchantId, name: &str, value: &str) -> Result<bool, StoreError> {
        let done = self.engine.run(FORGET, &values![merchant.as_str(), name, value]).await?;
        Ok(done == 1)
    }
}
