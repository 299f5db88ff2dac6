//! All SQL. One database holds every shop: SQLite in a file (WAL, `synchronous=FULL`), one writer, several readers; or
//! PostgreSQL, where several replicas of the program share it.
//!
//! Promises: what [`Tx::commit`] has returned `Ok` for survives `kill -9` and, where the disk honours a flush, a power
//! cut. SQLite's writers use `BEGIN IMMEDIATE`, so that no transaction fails half-way for a lock that it could have waited
//! for. Others may write to the same database (`usual chat`, a replica); conversations are guarded by their version
//! column, and everything that must happen once by a unique key.
//!
//! Statements are constants above the function that runs them; none is put together from strings, but for what copies
//! whole tables ([`backup`], [`transfer`]), whose names come from the schema. One text serves both engines ([`engine`]).

use std::path::PathBuf;

mod ahead;
pub mod backup;
mod engine;
mod names;
mod others;
mod postgres;
mod records;
mod sqlite;
mod staff;
pub mod transfer;
mod turn;
mod view;
mod vitals;

pub use names::{NameView, NewName, Standing};
pub use others::{Heard, LEASE, LONGEST_NEWS, Lease, Served, Watch};
pub use records::{Conversation, Gathering, NewMessage, Recalled, Urgency};
pub use staff::{Member, SignedIn};
pub use turn::{ASKED_TO_WAIT, Due, Shop, Tx, Unsent};
pub use view::{AsideView, Author, ConversationView, MessageView, OrderView};
pub use vitals::{Vitals, Waiting};

use self::{engine::Engine, postgres::Pg, sqlite::Lite};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The open database.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
}

/// What a `DATABASE_URL` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A server; the address holds its password.
    Server(String),
}

/// Why the store refused, by what the caller does next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed it meanwhile: read again and decide again.
    #[error("it was changed by somebody else meanwhile")]
    Stale,
    /// A unique value is in use; its constraint's columns.
    #[error("already there: {0}")]
    Taken(String),
    /// The database is locked or out of reach: try again.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The disk is full or read-only: nothing can be stored until somebody helps.
    #[error("the database can't be written: {0}")]
    Unwritable(String),
    /// What is stored can't be read back.
    #[error("stored data can't be read: {0}")]
    Corrupt(String),
    /// Anything else, which is a defect.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// Why a database could not be opened, in words for whoever starts the program.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither `sqlite://…` nor `postgres://…`.
    #[error(
        "DATABASE_URL is {0:?}, which can't be opened; write sqlite://path/to/usual.db or \
         postgres://user:password@host/database"
    )]
    Address(String),
    /// The folder of the file can't be made.
    #[error("the folder {0} can't be made: {1}; choose another place with DATABASE_URL")]
    Folder(PathBuf, std::io::Error),
    /// There is a file, and it is something else.
    #[error("{0} is not a SQLite database; move it away, or name another file with DATABASE_URL")]
    NotADatabase(PathBuf),
    /// Written by a newer version of the program.
    #[error("{0} was written by a newer version of usual (schema {1}); run that version, or restore a backup")]
    Newer(String, i64),
    /// There is no file, where one is needed.
    #[error("there is no database at {0}; name it with DATABASE_URL, or start in the folder that has it")]
    Missing(PathBuf),
    /// A library with a known fault.
    #[error("SQLite {0} can corrupt databases; 3.51.3 or newer is needed")]
    OldLibrary(String),
    /// A server that lacks what is used here.
    #[error("{0} is PostgreSQL {1}; 15 or newer is needed")]
    OldServer(String, i64),
    /// Another process serves it.
    #[error("another `usual serve` has {0} open; stop it first, or give this one a database of its own (DATABASE_URL)")]
    Served(PathBuf),
    /// Something for which a file is needed.
    #[error("{0} is a database server; {1}")]
    NotAFile(String, &'static str),
    /// Anything else.
    #[error("{0} can't be opened: {1}")]
    Other(String, String),
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    pub async fn open(address: &str) -> Result<Store, OpenError> {
        let engine = match place(address)? {
            Place::File(path) => Engine::Lite(Lite::open(&path)?),
            Place::Server(address) => Engine::Pg(Pg::open(&address).await?),
        };
        Ok(Store { engine })
    }

    /// Opens a database that must be there, for reading alone: its tables stay as they are.
    pub async fn look(address: &str) -> Result<Store, OpenError> {
        let engine = match place(address)? {
            Place::File(path) => Engine::Lite(Lite::look(&path)?),
            Place::Server(address) => Engine::Pg(Pg::connect(&address)?),
        };
        Ok(Store { engine })
    }

    /// The version that tables have once a database was opened.
    pub fn newest_schema() -> i64 {
        MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Begins a writing transaction. In a file there is one at a time.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(match &self.engine {
            Engine::Lite(lite) => turn::Writing::Lite(lite.begin().await?),
            Engine::Pg(pg) => turn::Writing::Pg(pg.begin().await?),
        }))
    }

    /// Where the database lies, for people: a path, or a server's address without user and password.
    pub fn shown(&self) -> String {
        match &self.engine {
            Engine::Lite(lite) => lite.path().display().to_string(),
            Engine::Pg(pg) => pg.shown().to_owned(),
        }
    }

    /// How many transactions may write at once.
    pub fn writers(&self) -> usize {
        match &self.engine {
            Engine::Lite(_) => 1,
            Engine::Pg(_) => postgres::WRITERS,
        }
    }

    /// Whether it is a server that replicas share. Writing to a file holds the thread up while the disk is waited for.
    pub fn shared(&self) -> bool {
        matches!(self.engine, Engine::Pg(_))
    }

    /// Closes every connection after its statement; a file's write-ahead log is folded into it.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Lite(lite) => lite.close().await,
            Engine::Pg(pg) => pg.close().await,
        }
    }
}

/// What an address names.
pub fn place(address: &str) -> Result<Place, OpenError> {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return Ok(Place::Server(address.to_owned()));
    }
    file_of(address).map(Place::File)
}

/// The file that an address names.
fn file_of(address: &str) -> Result<PathBuf, OpenError> {
    let rest = address.strip_prefix("sqlite:").ok_or_else(|| OpenError::Address(without_password(address)))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let rest = rest.split('?').next().unwrap_or(rest);
    if rest.is_empty() || rest.starts_with(':') {
        return Err(OpenError::Address(without_password(address)));
    }
    Ok(PathBuf::from(rest))
}

/// An address as it may be shown: before an "@" and behind a "?" a password may stand.
fn without_password(address: &str) -> String {
    if !address.contains(['@', '?']) {
        return address.to_owned();
    }
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    format!("{scheme}://…")
}
