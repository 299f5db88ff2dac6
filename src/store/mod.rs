//! All SQL. One database holds every shop: SQLite in a file (WAL, `synchronous=FULL`), one writer, several readers.
//!
//! Promises: what [`Tx::commit`] has returned `Ok` for survives `kill -9` and, where the disk honours a flush, a power
//! cut. Writers use `BEGIN IMMEDIATE`, so that no transaction fails half-way for a lock that it could have waited for.
//! A second process (`usual chat`) may use the same file; conversations are guarded by their version column.
//!
//! Statements are constants above the function that runs them; none is put together from strings, but for the count of
//! the rows of each table that a backup has.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub mod backup;
mod names;
mod records;
mod staff;
mod turn;
mod view;
mod vitals;

pub use names::{NameView, NewName, Standing};
pub use records::{Conversation, Gathering, NewMessage, Recalled, Urgency};
pub use staff::{Member, SignedIn};
pub use turn::{Due, Shop, Tx, Unsent};
pub use view::{AsideView, Author, ConversationView, MessageView, OrderView};
pub use vitals::{Vitals, Waiting};

/// How long a writer waits for another process's transaction before it gives up.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Connections that read beside the writer: enough for a console page's queries at once on a small machine.
const READERS: u32 = 4;

/// SQLite below this version can corrupt a WAL database that several connections use (fixed 2026-03-13).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The open database.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    path: PathBuf,
}

/// Why the store refused, by what the caller does next.
#[derive(Debug, thiserror::Error)]
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
    /// Not `sqlite://…`.
    #[error("DATABASE_URL is {0:?}, which this version can't open; write sqlite://path/to/usual.db")]
    Address(String),
    /// The folder of the file can't be made.
    #[error("the folder {0} can't be made: {1}; choose another place with DATABASE_URL")]
    Folder(PathBuf, std::io::Error),
    /// There is a file, and it is something else.
    #[error("{0} is not a SQLite database; move it away, or name another file with DATABASE_URL")]
    NotADatabase(PathBuf),
    /// Written by a newer version of the program.
    #[error("{0} was written by a newer version of usual (schema {1}); run that version, or restore a backup")]
    Newer(PathBuf, i64),
    /// There is no file, where one is needed.
    #[error("there is no database at {0}; name it with DATABASE_URL, or start in the folder that has it")]
    Missing(PathBuf),
    /// A library with a known fault.
    #[error("SQLite {0} can corrupt databases; 3.51.3 or newer is needed")]
    OldLibrary(String),
    /// Anything else.
    #[error("{0} can't be opened: {1}")]
    Other(PathBuf, String),
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    pub async fn open(address: &str) -> Result<Store, OpenError> {
        let path = file_of(address)?;
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| OpenError::Folder(folder.to_owned(), e))?;
        }
        refuse_other_files(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(LOCK_WAIT);
        let refused = |e: sqlx::Error| open_error(&path, &e);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(refused)?;
        let version: String =
            sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&writer).await.map_err(refused)?;
        if version_of(&version) < OLDEST_SQLITE {
            return Err(OpenError::OldLibrary(version));
        }
        migrate(&writer, &path).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        Ok(Store { writer, reader, path })
    }

    /// Opens a database that must be there, for reading alone: its tables stay as they are.
    pub async fn look(address: &str) -> Result<Store, OpenError> {
        let path = file_of(address)?;
        match path.try_exists() {
            Ok(true) => refuse_other_files(&path)?,
            Ok(false) => return Err(OpenError::Missing(path)),
            Err(e) => return Err(OpenError::Other(path, e.to_string())),
        }
        let options = SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(LOCK_WAIT);
        let reader = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
        Ok(Store { writer: reader.clone(), reader, path })
    }

    /// The file that an address names.
    pub fn file(address: &str) -> Result<PathBuf, OpenError> {
        file_of(address)
    }

    /// The version that tables have once a database was opened.
    pub fn newest_schema() -> i64 {
        MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Begins a writing transaction. There is one at a time in this process.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Where the database lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes every connection after its statement; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// Watches for commits that others make to the same file.
    pub async fn watch(&self) -> Result<Watch, StoreError> {
        Ok(Watch { store: self.clone(), seen: data_version(&self.writer).await? })
    }
}

/// Notices commits of other processes: `PRAGMA data_version` changes on the writer's connection when somebody else
/// commits, and not when it does so itself.
pub struct Watch {
    store: Store,
    seen: i64,
}

impl Watch {
    /// Whether anybody else has committed anything since the last call.
    pub async fn changed(&mut self) -> Result<bool, StoreError> {
        let now = data_version(&self.store.writer).await?;
        Ok(std::mem::replace(&mut self.seen, now) != now)
    }
}

async fn data_version(writer: &SqlitePool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar::<Sqlite, i64>("PRAGMA data_version").fetch_one(writer).await?)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match &error {
            sqlx::Error::Database(fault) => match fault.code().as_deref().map(primary_code) {
                _ if fault.is_unique_violation() => StoreError::Taken(fault.message().to_owned()),
                Some(5 | 6) => StoreError::Busy(fault.message().to_owned()),
                // FULL, READONLY, IOERR, CANTOPEN
                Some(8 | 10 | 13 | 14) => StoreError::Unwritable(fault.message().to_owned()),
                // CORRUPT, NOTADB
                Some(11 | 26) => StoreError::Corrupt(fault.message().to_owned()),
                _ => StoreError::Failed(fault.message().to_owned()),
            },
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                StoreError::Busy(error.to_string())
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Corrupt(error.to_string()),
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

/// SQLite's extended result codes hold the primary one in their low byte.
fn primary_code(code: &str) -> i64 {
    code.parse::<i64>().unwrap_or(0) & 0xff
}

fn file_of(address: &str) -> Result<PathBuf, OpenError> {
    let rest = address.strip_prefix("sqlite:").ok_or_else(|| OpenError::Address(address.to_owned()))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let rest = rest.split('?').next().unwrap_or(rest);
    if rest.is_empty() || rest.starts_with(':') {
        return Err(OpenError::Address(address.to_owned()));
    }
    Ok(PathBuf::from_str(rest).unwrap_or_default())
}

/// Looks at the first bytes before SQLite does, so that a wrong file is named as such and never written to.
fn refuse_other_files(path: &Path) -> Result<(), OpenError> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    use std::io::Read;
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(OpenError::Other(path.to_owned(), e.to_string())),
    };
    let mut head = Vec::new();
    match file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head) {
        Ok(_) if head.is_empty() || head == MAGIC => Ok(()),
        Ok(_) => Err(OpenError::NotADatabase(path.to_owned())),
        Err(e) => Err(OpenError::Other(path.to_owned(), e.to_string())),
    }
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    use sqlx::migrate::MigrateError;
    match MIGRATOR.run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => Err(OpenError::Newer(path.to_owned(), version)),
        Err(MigrateError::Execute(e)) => Err(open_error(path, &e)),
        Err(e) => Err(OpenError::Other(path.to_owned(), e.to_string())),
    }
}

fn open_error(path: &Path, error: &sqlx::Error) -> OpenError {
    match error.as_database_error().and_then(|e| e.code()).as_deref().map(primary_code) {
        Some(11 | 26) => OpenError::NotADatabase(path.to_owned()),
        _ => OpenError::Other(path.to_owned(), error.to_string()),
    }
}

fn version_of(text: &str) -> (u32, u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}
