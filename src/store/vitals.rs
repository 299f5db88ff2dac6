//! How the database is, for whoever watches over the program.

use super::{Store, StoreError, backup::BYTES, engine::Sql, view::channel};
use crate::{channel::ChannelKind, moment::Moment};

/// What there is to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// By channel, where anything has not gone out.
    pub outbox: Vec<Waiting>,
    /// Arrivals whose turn failed.
    pub aside: i64,
    /// Size of the database, its write-ahead log left out.
    pub bytes: u64,
}

/// Messages of a channel that have not gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Which channel.
    pub channel: ChannelKind,
    /// Those that are still tried.
    pub waiting: i64,
    /// Those that never will.
    pub failed: i64,
    /// When the oldest that is still tried was said.
    pub oldest: Option<Moment>,
}

const OUTBOX: &str = "
SELECT o.channel, SUM(CASE WHEN o.failed = 0 THEN 1 ELSE 0 END), SUM(CASE WHEN o.failed = 0 THEN 0 ELSE 1 END),
       MIN(CASE WHEN o.failed = 0 THEN m.at END)
FROM outbox o
JOIN message m ON m.merchant_id = o.merchant_id AND m.conversation_id = o.conversation_id AND m.seq = o.seq
GROUP BY o.channel
ORDER BY o.channel";

const ASIDE: &str = "SELECT COUNT(*) FROM aside";

/// A server without tables has no ledger of them either.
const LEDGER: Sql = Sql {
    lite: "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'",
    pg: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
};

const SCHEMA: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";

impl Store {
    /// The version of the tables; 0 where there are none.
    pub async fn schema(&self) -> Result<i64, StoreError> {
        let ledger: i64 = self.engine.one(LEDGER, &[]).await?;
        if ledger == 0 { Ok(0) } else { self.engine.one(SCHEMA, &[]).await }
    }

    /// What there is to watch, over all shops.
    pub async fn vitals(&self) -> Result<Vitals, StoreError> {
        let rows: Vec<(String, i64, i64, Option<i64>)> = self.engine.all(OUTBOX, &[]).await?;
        let waiting = |(word, waiting, failed, oldest): (String, i64, i64, Option<i64>)| {
            Ok::<_, StoreError>(Waiting { channel: channel(&word)?, waiting, failed, oldest: oldest.map(Moment) })
        };
        let aside: i64 = self.engine.one(ASIDE, &[]).await?;
        let bytes: i64 = self.engine.one(BYTES, &[]).await?;
        let outbox = rows.into_iter().map(waiting).collect::<Result<_, _>>()?;
        Ok(Vitals { outbox, aside, bytes: u64::try_from(bytes).unwrap_or(0) })
    }
}
