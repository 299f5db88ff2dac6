//! SQLite, in this process: one connection that writes, a few that read.
//!
//! The writer is called on the caller's own thread, without a queue in between: a statement of a turn takes microseconds,
//! and handing it to another thread would cost more than running it. Whoever commits waits for the disk there, so the
//! task that writes has a thread of its own ([`super::Store::shared`]). Readers run where blocking is allowed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Statement, TransactionBehavior, types::ValueRef};
use tokio::sync::{OwnedMutexGuard, Semaphore};

use super::{
    MIGRATOR, OpenError, StoreError,
    engine::{FromRow, Row, Value},
};

/// How long a writer waits for another process's transaction before it gives up.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Connections that read beside the writer: enough for a console page's queries at once on a small machine.
const READERS: usize = 4;

/// Prepared statements that a connection keeps: more than this program has.
const STATEMENTS: usize = 128;

/// SQLite below this version can corrupt a WAL database that several connections use (fixed 2026-03-13).
const OLDEST_SQLITE: i32 = 3_051_003;

/// SQLite's primary result codes, by what they mean to the caller.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

/// An open file.
#[derive(Debug, Clone)]
pub(super) struct Lite {
    path: PathBuf,
    /// `None` once it is closed.
    writer: Arc<tokio::sync::Mutex<Option<Connection>>>,
    readers: Arc<Readers>,
}

#[derive(Debug)]
struct Readers {
    idle: Mutex<Vec<Connection>>,
    free: Semaphore,
}

/// A transaction under way. Dropped before its commit, it is undone.
pub(super) struct Writing {
    connection: OwnedMutexGuard<Option<Connection>>,
    open: bool,
}

impl Lite {
    /// Opens a file, makes it where there is none, and brings its tables up to date.
    pub(super) fn open(path: &Path) -> Result<Lite, OpenError> {
        if !sound(rusqlite::version_number()) {
            return Err(OpenError::OldLibrary(rusqlite::version().to_owned()));
        }
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| OpenError::Folder(folder.to_owned(), e))?;
        }
        refuse_other_files(path)?;
        let refused = |e: rusqlite::Error| open_error(path, &e);
        let mut connection = Connection::open(path).map_err(refused)?;
        connection.busy_timeout(LOCK_WAIT).map_err(refused)?;
        // Before anything is set: the file of a newer program stays as it is, to the byte.
        let done = done(&connection).map_err(refused)?;
        refuse_newer(done, path)?;
        // An older program that serves the file would find other tables under its hands.
        let old = 0 < done && done < super::Store::newest_schema();
        let _alone = if old { Some(super::others::lock_beside(path)?) } else { None };
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        for (pragma, value) in [("journal_mode", "wal"), ("synchronous", "full"), ("foreign_keys", "on")] {
            connection.pragma_update(None, pragma, value).map_err(refused)?;
        }
        migrate(&mut connection, path)?;
        Ok(Lite::with(path, Some(connection)))
    }

    /// Opens a file that must be there, for reading alone.
    pub(super) fn look(path: &Path) -> Result<Lite, OpenError> {
        match path.try_exists() {
            Ok(true) => refuse_other_files(path)?,
            Ok(false) => return Err(OpenError::Missing(path.to_owned())),
            Err(e) => return Err(OpenError::Other(path.display().to_string(), e.to_string())),
        }
        Ok(Lite::with(path, None))
    }

    fn with(path: &Path, writer: Option<Connection>) -> Lite {
        let readers = Readers { idle: Mutex::new(Vec::new()), free: Semaphore::new(READERS) };
        Lite { path: path.to_owned(), writer: Arc::new(tokio::sync::Mutex::new(writer)), readers: Arc::new(readers) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction that writes: at once, so that no lock can be missing half-way.
    pub(super) async fn begin(&self) -> Result<Writing, StoreError> {
        let connection = self.writer.clone().lock_owned().await;
        execute(connection.as_ref().ok_or_else(closed)?, "BEGIN IMMEDIATE", &[])?;
        Ok(Writing { connection, open: true })
    }

    pub(super) async fn run(&self, sql: &'static str, values: Vec<Value<'static>>) -> Result<u64, StoreError> {
        let connection = self.writer.clone().lock_owned().await;
        blocking(move || execute(connection.as_ref().ok_or_else(closed)?, sql, &values)).await
    }

    pub(super) async fn all<T: FromRow + Send + 'static>(
        &self,
        sql: &'static str,
        values: Vec<Value<'static>>,
    ) -> Result<Vec<T>, StoreError> {
        self.reading(move |reader| fetch(reader, sql, &values)).await
    }

    /// Does something with a connection that reads.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _free = self.readers.free.acquire().await.map_err(|_| closed())?;
        let (readers, path) = (self.readers.clone(), self.path.clone());
        blocking(move || {
            let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = match idle {
                Some(reader) => reader,
                None => reader(&path)?,
            };
            let answer = what(&mut reader);
            // One that failed may be in any state.
            if answer.is_ok() {
                readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            answer
        })
        .await
    }

    /// A number that changes on the writer's connection when another process commits, and not when this one does.
    pub(super) async fn data_version(&self) -> Result<i64, StoreError> {
        let connection = self.writer.clone().lock_owned().await;
        let open = connection.as_ref().ok_or_else(closed)?;
        Ok(open.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// Closes every connection after what it does; the write-ahead log is folded into the file.
    pub(super) async fn close(&self) {
        self.readers.free.close();
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(connection) = self.writer.lock().await.take()
            && let Err((_, fault)) = connection.close()
        {
            tracing::warn!(%fault, "the database was not closed in order; the next start mends it");
        }
    }
}

impl Writing {
    pub(super) fn run(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        execute(self.connection()?, sql, values)
    }

    pub(super) fn all<T: FromRow>(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<T>, StoreError> {
        fetch(self.connection()?, sql, values)
    }

    /// Hands out each row of a statement, of whose columns is known which hold numbers.
    pub(super) fn each(
        &mut self,
        sql: &str,
        numbers: &[bool],
        what: impl FnMut(Vec<Value<'static>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        each(self.connection()?, sql, numbers, what)
    }

    pub(super) fn commit(mut self) -> Result<(), StoreError> {
        execute(self.connection()?, "COMMIT", &[])?;
        self.open = false;
        Ok(())
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(closed)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // A fault in a statement may have undone it already; then there is nothing to undo.
        if let Some(connection) = self.connection.as_ref().filter(|open| self.open && !open.is_autocommit())
            && let Err(fault) = execute(connection, "ROLLBACK", &[])
        {
            tracing::error!(%fault, "a transaction could not be undone");
        }
    }
}

fn execute(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, values)?;
    Ok(statement.raw_execute()? as u64)
}

fn fetch<T: FromRow>(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(T::read(&Row::Lite(row), &mut 0)?);
    }
    Ok(all)
}

/// Hands out each row of a statement, of whose columns is known which hold numbers.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    numbers: &[bool],
    mut what: impl FnMut(Vec<Value<'static>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let value = |(at, number): (usize, &bool)| match row.get_ref(at)? {
            ValueRef::Null if *number => Ok(Value::Int(None)),
            ValueRef::Null => Ok(Value::Text(None)),
            ValueRef::Integer(number) => Ok(Value::from(number)),
            ValueRef::Text(text) => Ok(Value::from(String::from_utf8_lossy(text).into_owned())),
            ValueRef::Real(_) | ValueRef::Blob(_) => Err(StoreError::Corrupt("a column of another type".to_owned())),
        };
        what(numbers.iter().enumerate().map(value).collect::<Result<_, _>>()?)?;
    }
    Ok(())
}

/// To SQLite `$7` is a name, and names are numbered as they come; here it is the seventh value, as PostgreSQL has it.
fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for index in 1..=statement.parameter_count() {
        let place = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let value = place.and_then(|place| values.get(place.checked_sub(1)?));
        let value = value.ok_or_else(|| StoreError::Failed("a statement has more places than values".to_owned()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

/// A connection that can't write.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    reader.busy_timeout(LOCK_WAIT)?;
    reader.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(reader)
}

async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(what).await {
        Ok(answer) => answer,
        Err(fault) => Err(StoreError::Failed(fault.to_string())),
    }
}

fn closed() -> StoreError {
    StoreError::Busy("it is closed".to_owned())
}

/// Brings the tables up to date in one step: a program that is killed meanwhile leaves the old ones. The ledger of
/// what was done is the one that sqlx keeps, as PostgreSQL has it too.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    const LEDGER: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT \
         NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
         checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";
    const NOTE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES ($1, $2, 1, $3, 0)";
    let refused = |e: rusqlite::Error| open_error(path, &e);
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    tx.execute(LEDGER, []).map_err(refused)?;
    // Again, as another process may have been here meanwhile.
    let done = done(&tx).map_err(refused)?;
    refuse_newer(done, path)?;
    for migration in MIGRATOR.iter().filter(|migration| migration.version > done) {
        tx.execute_batch(migration.sql.as_str()).map_err(refused)?;
        let note = (migration.version, migration.description.as_ref(), migration.checksum.as_ref());
        tx.execute(NOTE, note).map_err(refused)?;
    }
    tx.commit().map_err(refused)
}

/// The version of the tables; 0 where there are none.
fn done(connection: &Connection) -> rusqlite::Result<i64> {
    const LEDGER: &str = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    const DONE: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";
    let ledger: i64 = connection.query_row(LEDGER, [], |row| row.get(0))?;
    if ledger == 0 { Ok(0) } else { connection.query_row(DONE, [], |row| row.get(0)) }
}

fn refuse_newer(done: i64, path: &Path) -> Result<(), OpenError> {
    if done > super::Store::newest_schema() {
        return Err(OpenError::Newer(path.display().to_string(), done));
    }
    Ok(())
}

/// Whether a version of SQLite, as it counts itself, is free of the known fault.
fn sound(version: i32) -> bool {
    version >= OLDEST_SQLITE
}

/// Looks at the first bytes before SQLite does, so that a wrong file is named as such and never written to.
pub(super) fn refuse_other_files(path: &Path) -> Result<(), OpenError> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    use std::io::Read;
    let other = |e: std::io::Error| OpenError::Other(path.display().to_string(), e.to_string());
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(other(e)),
    };
    let mut head = Vec::new();
    match file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head) {
        Ok(_) if head.is_empty() || head == MAGIC => Ok(()),
        Ok(_) => Err(OpenError::NotADatabase(path.to_owned())),
        Err(e) => Err(other(e)),
    }
}

pub(super) fn open_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    match primary_code(error) {
        Some(code::CORRUPT | code::NOTADB) => OpenError::NotADatabase(path.to_owned()),
        _ => OpenError::Other(path.display().to_string(), error.to_string()),
    }
}

/// SQLite's extended result codes hold the primary one in their low byte.
fn primary_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|fault| fault.extended_code & 0xff)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let unique = [rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
        let words = error.to_string();
        match primary_code(&error) {
            _ if error.sqlite_error().is_some_and(|fault| unique.contains(&fault.extended_code)) => {
                StoreError::Taken(words)
            }
            Some(code::BUSY | code::LOCKED) => StoreError::Busy(words),
            Some(code::FULL | code::READONLY | code::IOERR | code::CANTOPEN) => StoreError::Unwritable(words),
            Some(code::CORRUPT | code::NOTADB) => StoreError::Corrupt(words),
            Some(_) => StoreError::Failed(words),
            None => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..) => StoreError::Corrupt(words),
                _ => StoreError::Failed(words),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_with_the_known_fault_is_told_by_its_version() {
        let versions = [(3_000_000, false), (3_050_004, false), (3_051_002, false), (3_051_003, true)];
        for (version, good) in versions.into_iter().chain([(3_052_000, true), (4_000_000, true)]) {
            assert_eq!(sound(version), good, "{version}");
        }
    }

    #[test]
    fn the_library_in_this_program_is_sound() {
        assert!(sound(rusqlite::version_number()), "SQLite {}", rusqlite::version());
    }
}
