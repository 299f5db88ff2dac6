//! Other processes on the same database: what they commit is heard of, and what only one of them may do is leased.
//!
//! - A file: a number of SQLite's changes when somebody else commits; it is looked at twice a second. Who serves the file
//!   holds a lock beside it for as long as the process lives, so there is one sender, whatever happens to it.
//! - A server: whoever commits says what changed (`NOTIFY`), in the same transaction. A lease is a row with an end by the
//!   server's clock and a number that rises with each holder. The holder counts its own time from before it asked, by a
//!   clock that nobody sets, so it stops before the server gives the lease to another; and a write under a lease names the
//!   number, so that of a holder that was stopped and woke up nothing is kept.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::postgres::PgListener;

use super::{
    OpenError, Store, StoreError, Tx,
    engine::{Engine, values},
    sqlite::Lite,
    turn::Writing,
};
use crate::id::MerchantId;

/// How often a file is looked at for others' commits (`usual chat`, `usual catalog import`).
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a lease lasts. What a replica that died was sending waits so long.
pub const LEASE: Duration = Duration::from_secs(12);

/// How much of a lease has to be left for a transaction that writes under it: longer than the server lets one idle
/// ([`super::postgres`]), so that one whose replica is stopped is over before the lease is another's. A lock on the row
/// would say the same, and the holder itself would wait for it.
const REST_OF_LEASE: Duration = Duration::from_secs(6);

/// The name under which commits are told of.
const TOPIC: &str = "usual";

/// Longest text that `NOTIFY` takes, in bytes (PostgreSQL: below 8,000).
pub const LONGEST_NEWS: usize = 7_900;

/// Hears of what others commit.
pub struct Watch {
    ears: Ears,
}

enum Ears {
    Lite { lite: Lite, seen: i64 },
    Pg(Box<PgListener>),
}

/// What others committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something.
    Anything,
    /// What they said of it with [`Tx::tell`].
    Told(String),
}

/// The right to do a piece of work, alone, for a while.
#[derive(Debug, Clone)]
pub struct Lease {
    merchant: MerchantId,
    name: &'static str,
    holder: String,
    fence: i64,
    /// By this process's own clock, and the same for all copies, so that each sees it prolonged; `None` where it can't be
    /// lost.
    until: Option<Arc<Mutex<Instant>>>,
}

/// The lock of the process that serves a file. It is let go of when the process ends, however it ends.
#[derive(Debug)]
pub struct Served {
    _lock: Option<File>,
}

const TAKE: &str = "INSERT INTO lease (merchant_id, name, holder, fence, until) \
     VALUES ($1, $2, $3, 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $4) \
     ON CONFLICT (merchant_id, name) DO UPDATE SET until = excluded.until, holder = excluded.holder, \
     fence = CASE WHEN lease.holder = excluded.holder AND lease.until > excluded.until - $4 THEN lease.fence \
     ELSE lease.fence + 1 END \
     WHERE lease.holder = excluded.holder OR lease.until <= excluded.until - $4 RETURNING fence";

const LET_GO: &str = "UPDATE lease SET until = 0 WHERE merchant_id = $1 AND name = $2 AND holder = $3 AND fence = $4";

const HELD: &str = "SELECT fence FROM lease WHERE merchant_id = $1 AND name = $2 AND holder = $3 AND fence = $4 \
     AND until > (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $5";

/// The same as a condition on all that is written with it.
const HOLDING: &str = "SELECT 1 FROM lease l JOIN unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) \
     AS u (merchant_id, name, holder, fence, rest) ON l.merchant_id = u.merchant_id AND l.name = u.name \
     AND l.holder = u.holder AND l.fence = u.fence \
     WHERE l.until > (extract(epoch FROM clock_timestamp()) * 1000)::bigint + u.rest";

const TELL: &str = "SELECT pg_notify(u.topic, u.news) FROM unnest($1::text[], $2::text[]) AS u (topic, news)";

impl Store {
    /// Makes this process the one that serves the database, where only one can; [`OpenError::Served`] where another
    /// does.
    pub fn serve(&self) -> Result<Served, OpenError> {
        match &self.engine {
            Engine::Lite(lite) => Ok(Served { _lock: Some(lock_beside(lite.path())?) }),
            Engine::Pg(_) => Ok(Served { _lock: None }),
        }
    }

    /// Watches for what others commit from now on.
    pub async fn watch(&self) -> Result<Watch, StoreError> {
        let ears = match &self.engine {
            Engine::Lite(lite) => Ears::Lite { lite: lite.clone(), seen: lite.data_version().await? },
            Engine::Pg(pg) => Ears::Pg(Box::new(pg.listen(TOPIC).await?)),
        };
        Ok(Watch { ears })
    }

    /// Takes a lease or prolongs it; `None` while another replica has it.
    pub async fn lease(
        &self,
        merchant: &MerchantId,
        name: &'static str,
        holder: &str,
    ) -> Result<Option<Lease>, StoreError> {
        let lease = |fence, until: Option<Instant>| {
            let until = until.map(|until| Arc::new(Mutex::new(until)));
            Lease { merchant: merchant.clone(), name, holder: holder.to_owned(), fence, until }
        };
        let Engine::Pg(pg) = &self.engine else { return Ok(Some(lease(0, None))) };
        let asked = Instant::now();
        let span = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let fence: Vec<i64> = pg.all(TAKE, &values![merchant.as_str(), name, holder, span]).await?;
        Ok(fence.first().map(|fence| lease(*fence, Some(asked + LEASE))))
    }

    /// Gives a lease back before its end, so that nobody has to wait for it.
    pub async fn let_go(&self, lease: &Lease) -> Result<(), StoreError> {
        let Engine::Pg(pg) = &self.engine else { return Ok(()) };
        pg.run(LET_GO, &values![lease.merchant.as_str(), lease.name, &lease.holder, lease.fence]).await?;
        Ok(())
    }
}

impl Watch {
    /// Waits until others have committed something. Nothing is lost where the future is dropped before it ends.
    pub async fn next(&mut self) -> Result<Heard, StoreError> {
        match &mut self.ears {
            Ears::Lite { lite, seen } => loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let now = lite.data_version().await?;
                if std::mem::replace(seen, now) != now {
                    return Ok(Heard::Anything);
                }
            },
            Ears::Pg(listener) => match listener.try_recv().await? {
                Some(news) => Ok(Heard::Told(news.payload().to_owned())),
                // The connection was lost and is there again; what was said meanwhile is lost.
                None => Ok(Heard::Anything),
            },
        }
    }
}

impl Lease {
    /// Whether it still lasts.
    pub fn lasts(&self) -> bool {
        self.until().is_none_or(|until| Instant::now() < until)
    }

    /// It lasts as long as a later answer about the same holding says.
    pub fn prolong(&self, later: &Lease) {
        if let (Some(until), Some(later)) = (&self.until, later.until()) {
            *until.lock().unwrap_or_else(PoisonError::into_inner) = later;
        }
    }

    /// It is over, as its holder gave it back.
    pub fn end(&self) {
        if let Some(until) = &self.until {
            *until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    fn until(&self) -> Option<Instant> {
        self.until.as_ref().map(|until| *until.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether both are the same holding of the same work.
    pub fn same(&self, other: &Lease) -> bool {
        self.fence == other.fence && self.holder == other.holder
    }
}

impl Tx {
    /// Whether a lease is held, and will be until this transaction ends. Together with others it is taken to be, and the
    /// commit is [`StoreError::Stale`] where it is not.
    pub async fn holds(&mut self, lease: &Lease) -> Result<bool, StoreError> {
        let rest = i64::try_from(REST_OF_LEASE.as_millis()).unwrap_or(i64::MAX);
        let values = values![lease.merchant.as_str(), lease.name, &lease.holder, lease.fence, rest];
        match &mut self.writing {
            Writing::Lite(_) => return Ok(true),
            // Told at the commit.
            Writing::Pg(tx) if self.hopeful => return tx.later(HOLDING, &values, true).map(|()| true),
            Writing::Pg(tx) => tx.begin().await?,
        }
        let held: Option<i64> = self.first(HELD, &values).await?;
        Ok(held.is_some())
    }

    /// Tells other replicas of what this transaction changes, once it is committed. At most [`LONGEST_NEWS`] bytes.
    pub async fn tell(&mut self, news: &str) -> Result<(), StoreError> {
        match &mut self.writing {
            // They see that something was committed.
            Writing::Lite(_) => Ok(()),
            Writing::Pg(tx) => tx.later(TELL, &values![TOPIC, news], false),
        }
    }
}

/// The lock of who serves a file; [`OpenError::Served`] while somebody does.
pub(super) fn lock_beside(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let other = |e: std::io::Error| OpenError::Other(name.to_string_lossy().into_owned(), e.to_string());
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(other)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Served(path.to_owned())),
        Err(TryLockError::Error(e)) => Err(other(e)),
    }
}
