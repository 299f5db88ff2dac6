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

use rusqlite::{Connection, OpenFlags};

use super::{
    OpenError, Place, Store, StoreError,
    engine::Sql,
    place,
    sqlite::{reader, refuse_other_files},
};

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

pub(super) const BYTES: Sql = Sql {
    lite: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    pg: "SELECT pg_database_size(current_database())",
};

const TABLES: &str = "
SELECT name FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%'
ORDER BY name";

const SCHEMA: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";

/// Copies the database at `address` as it is at this moment into a new file, while others go on writing, and checks the
/// copy. The database itself is only read: an older one keeps its tables as they are.
pub fn backup(address: &str, to: &Path) -> Result<Holdings, CopyError> {
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
    let made = copy_into(&from, &unfinished);
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

fn copy_into(from: &Path, to: &Path) -> Result<Holdings, CopyError> {
    let text = to.to_str().ok_or_else(|| CopyError::File(to.to_owned(), io::ErrorKind::InvalidInput.into()))?;
    let source = reader(from)?;
    source.execute(INTO, [text]).map_err(StoreError::from)?;
    drop(source);
    flush(to)?;
    examine(to)
}

/// Checks a copy, whole, and says what it holds.
pub fn examine(path: &Path) -> Result<Holdings, CopyError> {
    // A copy has no log of its own, and checking it must not make one.
    checked(path, true)
}

/// Checks a database that may be open, whole, and says what it holds; changes nothing.
pub fn look(path: &Path) -> Result<Holdings, CopyError> {
    checked(path, false)
}

fn checked(path: &Path, immutable: bool) -> Result<Holdings, CopyError> {
    refuse_other_files(path)?;
    fs::metadata(path).map_err(|e| CopyError::File(path.to_owned(), e))?;
    let damaged = |fault: String| CopyError::Damaged(path.to_owned(), fault);
    let failed = |e: rusqlite::Error| damaged(e.to_string());
    let copy = if immutable { unchanging(path) } else { reader(path) };
    let copy = copy.map_err(|e| damaged(e.to_string()))?;
    let found: String = copy.query_row(CHECK, [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(damaged(found));
    }
    let bytes: i64 = copy.query_row(BYTES.lite, [], |row| row.get(0)).map_err(failed)?;
    let orphans: i64 = copy.query_row(ORPHANS, [], |row| row.get(0)).map_err(failed)?;
    if orphans > 0 {
        return Err(damaged(format!("{orphans} rows belong to nothing")));
    }
    let foreign = |_| damaged("it is a database of another program".to_owned());
    let schema: i64 = copy.query_row(SCHEMA, [], |row| row.get(0)).map_err(foreign)?;
    if schema > Store::newest_schema() {
        return Err(OpenError::Newer(path.display().to_string(), schema).into());
    }
    let mut tables = copy.prepare(TABLES).map_err(failed)?;
    let tables = tables.query_map([], |row| row.get(0)).map_err(failed)?;
    let mut rows = Vec::new();
    for table in tables {
        let table: String = table.map_err(failed)?;
        // Names of our own tables, from the schema that was just checked.
        let count = format!("SELECT COUNT(*) FROM \"{}\"", table.replace('"', "\"\""));
        rows.push((table, copy.query_row(&count, [], |row| row.get(0)).map_err(failed)?));
    }
    Ok(Holdings { schema, rows, bytes: u64::try_from(bytes).unwrap_or(0) })
}

/// A file that nobody changes, opened without looking for a log and without making one.
fn unchanging(path: &Path) -> Result<Connection, StoreError> {
    let name = url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let mut name = name.map_err(|()| StoreError::Failed("its path can't be written as an address".to_owned()))?;
    name.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(name.as_str(), flags)?)
}

/// The file that an address names; a server has tools of its own.
fn file_of(address: &str) -> Result<PathBuf, OpenError> {
    match place(address)? {
        Place::File(path) => Ok(path),
        Place::Server(_) => Err(OpenError::NotAFile(
            "DATABASE_URL".to_owned(),
            "copy it with `pg_dump`, or into a file with `usual move`",
        )),
    }
}

/// Puts a backup in the place of the database at `address`. What was there is kept beside it; its name comes back.
pub fn restore(from: &Path, address: &str, stamp: &str) -> Result<(Holdings, Option<PathBuf>), CopyError> {
    let to = file_of(address)?;
    if fs::metadata(log_of(from, "wal")).is_ok_and(|log| log.len() > 0) {
        let why = "it has a log beside it, so it is no finished copy; make one with `usual backup`".to_owned();
        return Err(CopyError::Damaged(from.to_owned(), why));
    }
    let holdings = examine(from)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| OpenError::Folder(folder.to_owned(), e))?;
    }
    let there = to.try_exists().map_err(|e| CopyError::File(to.clone(), e))?;
    if there {
        // Told at once rather than after a long copy; the lock that counts comes below.
        drop(alone(&to)?);
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
    if examine(&incoming)? != holdings {
        return Err(CopyError::Damaged(incoming, "it came out otherwise than it was".to_owned()));
    }
    // Held until the new file has the name, so that nobody opens the old one meanwhile.
    let lock = if there { Some(alone(&to)?) } else { None };
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
    // It is the replaced file's.
    drop(lock);
    Ok((holdings, kept))
}

/// Folds a database's log into its file and keeps others out of it, or says that somebody has it open.
fn alone(path: &Path) -> Result<Connection, CopyError> {
    refuse_other_files(path)?;
    let failed = |e: rusqlite::Error| match StoreError::from(e) {
        StoreError::Busy(_) => CopyError::InUse(path.to_owned()),
        fault => CopyError::Store(fault),
    };
    let lock = Connection::open(path).map_err(failed)?;
    lock.busy_timeout(std::time::Duration::ZERO).map_err(failed)?;
    // Leaving WAL mode needs the file alone; with the log folded in, the file is all there is. In the exclusive mode
    // the lock stays after the transaction that took it.
    for (pragma, value) in [("locking_mode", "exclusive"), ("journal_mode", "delete")] {
        lock.pragma_update(None, pragma, value).map_err(failed)?;
    }
    lock.execute_batch("BEGIN EXCLUSIVE; COMMIT").map_err(failed)?;
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
