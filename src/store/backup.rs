//! Copies of the database: made while the shop is open, checked before they count as made, and put back.
//!
//! Promises: a backup that was reported is whole and on disk (checked page by page, flushed, and only then given its
//! name); it holds everything that was committed before it began. A restore takes nothing away: what it replaces is kept
//! beside it, and it refuses while another process has the database open.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode},
};

use super::{LOCK_WAIT, OpenError, Store, StoreError, file_of, refuse_other_files};

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// Version of its tables.
    pub schema: i64,
    /// Rows by table, in alphabetical order.
    pub rows: Vec<(String, i64)>,
    /// Size of all its pages.
    pub bytes: u64,
}

/// Why there is no copy, or nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A backup never replaces a file.
    #[error("{0} exists already; name another file")]
    Exists(PathBuf),
    /// The file can't be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// SQLite's own check failed.
    #[error("{0} is damaged ({1}); put a backup in its place, or use another one")]
    Damaged(PathBuf, String),
    /// Somebody has the database open.
    #[error("{0} is in use; stop the program that has it open, then restore")]
    InUse(PathBuf),
    /// It can't be opened as one of ours.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed meanwhile.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For the owner alone: a database holds what customers said.
const PRIVATE: u32 = 0o600;

const INTO: &str = "VACUUM INTO $1";

const CHECK: &str = "PRAGMA integrity_check";

const ORPHANS: &str = "SELECT COUNT(*) FROM pragma_foreign_key_check";

pub(super) const BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";

const TABLES: &str = "
SELECT name FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%'
ORDER BY name";

const SCHEMA: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";

/// Copies the database at `address` as it is at this moment into a new file, while others go on writing, and checks the
/// copy. The database itself is only read: an older one keeps its tables as they are.
pub async fn backup(address: &str, to: &Path) -> Result<Holdings, CopyError> {
    let from = file_of(address)?;
    if !from.try_exists().map_err(|e| CopyError::File(from.clone(), e))? {
        return Err(OpenError::Missing(from).into());
    }
    refuse_other_files(&from)?;
    if to.try_exists().map_err(|e| CopyError::File(to.to_owned(), e))? {
        return Err(CopyError::Exists(to.to_owned()));
    }
    let unfinished = beside(to, "partial");
    // What an earlier attempt that was killed left.
    remove(&unfinished)?;
    let made = copy_into(&from, &unfinished).await;
    if made.is_err() {
        // The fault of the copy is the one to tell.
        let _ = remove(&unfinished);
    }
    let holdings = made?;
    match fs::hard_link(&unfinished, to) {
        Ok(()) => remove(&unfinished)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(CopyError::Exists(to.to_owned())),
        // Not every file system can give a file a second name.
        Err(_) => fs::rename(&unfinished, to).map_err(|e| CopyError::File(to.to_owned(), e))?,
    }
    flush_folder(to)?;
    Ok(holdings)
}

async fn copy_into(from: &Path, to: &Path) -> Result<Holdings, CopyError> {
    let text = to.to_str().ok_or_else(|| CopyError::File(to.to_owned(), io::ErrorKind::InvalidInput.into()))?;
    let options = SqliteConnectOptions::new().filename(from).read_only(true).busy_timeout(LOCK_WAIT);
    let mut source = SqliteConnection::connect_with(&options).await.map_err(StoreError::from)?;
    sqlx::query(INTO).bind(text).execute(&mut source).await.map_err(StoreError::from)?;
    // Closing what was only read can't lose anything.
    let _ = source.close().await;
    flush(to)?;
    examine(to).await
}

/// Checks a copy, whole, and says what it holds.
pub async fn examine(path: &Path) -> Result<Holdings, CopyError> {
    // A copy has no log of its own, and checking it must not make one.
    checked(path, true).await
}

/// Checks a database that may be open, whole, and says what it holds; changes nothing.
pub async fn look(path: &Path) -> Result<Holdings, CopyError> {
    checked(path, false).await
}

async fn checked(path: &Path, immutable: bool) -> Result<Holdings, CopyError> {
    refuse_other_files(path)?;
    fs::metadata(path).map_err(|e| CopyError::File(path.to_owned(), e))?;
    let damaged = |fault: String| CopyError::Damaged(path.to_owned(), fault);
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(immutable);
    let failed = |e: sqlx::Error| damaged(e.to_string());
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let found: Vec<String> = sqlx::query_scalar(CHECK).fetch_all(&mut copy).await.map_err(failed)?;
    if found != ["ok"] {
        return Err(damaged(found.into_iter().next().unwrap_or_default()));
    }
    let bytes: i64 = sqlx::query_scalar(BYTES).fetch_one(&mut copy).await.map_err(failed)?;
    let orphans: i64 = sqlx::query_scalar(ORPHANS).fetch_one(&mut copy).await.map_err(failed)?;
    if orphans > 0 {
        return Err(damaged(format!("{orphans} rows belong to nothing")));
    }
    let schema: i64 = sqlx::query_scalar(SCHEMA)
        .fetch_one(&mut copy)
        .await
        .map_err(|_| damaged("it is a database of another program".to_owned()))?;
    if schema > Store::newest_schema() {
        return Err(OpenError::Newer(path.to_owned(), schema).into());
    }
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut copy).await.map_err(failed)?;
    let mut rows = Vec::new();
    for table in tables {
        // Names of our own tables, from the schema that was just checked.
        let count = format!("SELECT COUNT(*) FROM \"{}\"", table.replace('"', "\"\""));
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut copy).await.map_err(failed)?;
        rows.push((table, count));
    }
    // Closing what was only read can't lose anything.
    let _ = copy.close().await;
    Ok(Holdings { schema, rows, bytes: u64::try_from(bytes).unwrap_or(0) })
}

/// Puts a backup in the place of the database at `address`. What was there is kept beside it; its name comes back.
pub async fn restore(from: &Path, address: &str, stamp: &str) -> Result<(Holdings, Option<PathBuf>), CopyError> {
    let to = file_of(address)?;
    if fs::metadata(log_of(from, "wal")).is_ok_and(|log| log.len() > 0) {
        let why = "it has a log beside it, so it is no finished copy; make one with `usual backup`".to_owned();
        return Err(CopyError::Damaged(from.to_owned(), why));
    }
    let holdings = examine(from).await?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| OpenError::Folder(folder.to_owned(), e))?;
    }
    let there = to.try_exists().map_err(|e| CopyError::File(to.clone(), e))?;
    if there {
        // Told at once rather than after a long copy; the lock that counts comes below.
        drop(alone(&to).await?);
    }
    let incoming = beside(&to, "incoming");
    remove(&incoming)?;
    fs::copy(from, &incoming).map_err(|e| CopyError::File(incoming.clone(), e))?;
    // A copy may be kept where nobody may write; the database may not.
    let mode =
        if there { fs::metadata(&to).map(|data| data.permissions()) } else { Ok(Permissions::from_mode(PRIVATE)) };
    let given = mode.and_then(|mode| fs::set_permissions(&incoming, mode));
    given.map_err(|e| CopyError::File(incoming.clone(), e))?;
    flush(&incoming)?;
    // The copy on this disk is what will be opened: it is what has to be whole.
    if examine(&incoming).await? != holdings {
        return Err(CopyError::Damaged(incoming, "it came out otherwise than it was".to_owned()));
    }
    // Held until the new file has the name, so that nobody opens the old one meanwhile.
    let lock = if there { Some(alone(&to).await?) } else { None };
    let kept = there.then(|| beside(&to, &format!("before-restore-{stamp}")));
    if let Some(kept) = &kept {
        // Not every file system can give a file a second name.
        let twice = fs::hard_link(&to, kept).or_else(|_| fs::copy(&to, kept).map(|_| ()));
        twice.map_err(|e| CopyError::File(kept.clone(), e))?;
        flush(kept)?;
    }
    // A log that a killed program left would be played into the new file.
    for log in ["wal", "shm", "journal"] {
        let (left, aside) = (log_of(&to, log), log_of(&beside(&to, &format!("before-restore-{stamp}")), log));
        match fs::rename(&left, &aside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(CopyError::File(left, e)),
            Ok(()) | Err(_) => {}
        }
    }
    // One step: after a power cut there is the old database or the new one.
    fs::rename(&incoming, &to).map_err(|e| CopyError::File(to.clone(), e))?;
    flush_folder(&to)?;
    if let Some(lock) = lock {
        // It is the replaced file's.
        let _ = lock.close().await;
    }
    Ok((holdings, kept))
}

/// Folds a database's log into its file and keeps others out of it, or says that somebody has it open.
async fn alone(path: &Path) -> Result<SqliteConnection, CopyError> {
    refuse_other_files(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(std::time::Duration::ZERO);
    let failed = |e: sqlx::Error| match StoreError::from(e) {
        StoreError::Busy(_) => CopyError::InUse(path.to_owned()),
        fault => CopyError::Store(fault),
    };
    // Leaving WAL mode needs the file alone; with the log folded in, the file is all there is.
    let mut lock = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    for statement in ["BEGIN EXCLUSIVE", "COMMIT"] {
        // In this mode the lock stays.
        sqlx::query(statement).execute(&mut lock).await.map_err(failed)?;
    }
    Ok(lock)
}

/// SQLite's own name for what lies beside a database.
fn log_of(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-");
    name.push(what);
    PathBuf::from(name)
}

/// A name beside a file: "usual.db" and "partial" are "usual.db.partial".
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), CopyError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(CopyError::File(path.to_owned(), e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn flush(path: &Path) -> Result<(), CopyError> {
    let file = fs::File::open(path).and_then(|file| file.sync_all());
    file.map_err(|e| CopyError::File(path.to_owned(), e))
}

/// A new name in a folder is on disk once the folder is.
fn flush_folder(path: &Path) -> Result<(), CopyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    flush(folder)
}
