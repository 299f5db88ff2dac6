//! PostgreSQL, for a shop that has outgrown one machine: any number of replicas of the program on one database.
//!
//! Isolation is READ COMMITTED: what must hold is held by unique keys and by updates that name the version they saw. A
//! commit whose answer was lost is a fault to the caller, who tells the vendor nothing; the vendor sends the arrival
//! again and the inbox's key finds it done. A replica that stops in the middle of a transaction loses it: the server ends
//! a session that idles in one.

use std::{
    borrow::Cow,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, Postgres,
    migrate::MigrateError,
    pool::PoolConnection,
    postgres::{PgArguments, PgConnectOptions, PgListener, PgPoolOptions},
    query::Query,
};

use super::{
    MIGRATOR, OpenError, StoreError,
    engine::{FromRow, Row, Value},
};

/// Connections of one replica's pages and of its ears for other replicas; the writers' come on top. Servers allow 100 as
/// they come; so a handful of replicas fits.
const CONNECTIONS: u32 = 10;

/// Transactions of one replica that write at once. Each holds one connection; the server has a process for each.
pub(super) const WRITERS: usize = 2;

/// How long a connection is waited for. Vendors wait longer for their answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a statement's answer is waited for. A server that is gone without a word never gives one, and the network
/// would notice after a quarter of an hour. Longer than the server itself lets a statement wait for a lock.
const ANSWER: Duration = Duration::from_secs(9);

/// The same for what moves a whole database.
const UNHURRIED: Duration = Duration::from_secs(3_600);

/// Connections of writers that are kept for the next transaction: a pool would ask each whether it lives, which is one
/// way to the server and back more for each batch.
const KEPT: usize = 2 * WRITERS;

/// What each session is told. A transaction that idles is that of a replica which was stopped: it is undone before others
/// wait long for its locks, and long before its leases end. No statement of a turn takes seconds.
///
/// Every statement finds its rows by a key. A server that plans one while its table is nearly empty would read the whole
/// table instead, and go on with that plan while the table grows by thousands of rows a second; so it is told not to. For
/// the same reason a plan is made once: to make it costs more than to run it.
const SESSION: [(&str, &str); 9] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("lock_timeout", "8s"),
    ("statement_timeout", "30s"),
    ("synchronous_commit", "on"),
];

/// Version 15 as the server counts.
const OLDEST_SERVER: i64 = 150_000;

/// An open server.
#[derive(Debug, Clone)]
pub(super) struct Pg {
    pool: PgPool,
    kept: Arc<Mutex<Vec<PgConnection>>>,
    /// For people: without user and password.
    shown: String,
}

/// A transaction under way. Dropped before its commit, it is undone, with its connection. To the server it begins with the
/// first statement that writes by itself; where there is none, what was put off is one statement and so a transaction.
pub(super) struct Writing {
    pg: Pg,
    connection: PgConnection,
    begun: bool,
    lost: bool,
    later: Vec<Later>,
    patience: Duration,
}

/// Rows that one statement takes together, column by column.
struct Later {
    sql: Cow<'static, str>,
    columns: Vec<Column>,
    rows: u64,
    /// Whether each row has to find its place.
    exact: bool,
}

enum Column {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
}

impl Pg {
    /// Connects, and brings the tables up to date; of several replicas that start at once, one does.
    pub(super) async fn open(address: &str) -> Result<Pg, OpenError> {
        let pg = Pg::connect(address)?;
        let refused = |e: &dyn std::fmt::Display| OpenError::Other(pg.shown.clone(), e.to_string());
        // The pool would try again for a while, and then say no more than that it did.
        let unreached = |e: sqlx::Error| {
            OpenError::Other(pg.shown.clone(), format!("{e}; see that the server runs and that DATABASE_URL is right"))
        };
        let mut first = PgConnection::connect_with(&pg.pool.connect_options()).await.map_err(unreached)?;
        let version: i64 = sqlx::query_scalar("SELECT current_setting('server_version_num')::bigint")
            .fetch_one(&mut first)
            .await
            .map_err(|e| refused(&e))?;
        if let Some(old) = too_old(version) {
            return Err(OpenError::OldServer(pg.shown.clone(), old));
        }
        // A large table takes its time, and so does the replica that is at it when this one comes.
        for limit in ["SET statement_timeout = 0", "SET lock_timeout = 0"] {
            sqlx::query(limit).execute(&mut first).await.map_err(|e| refused(&e))?;
        }
        let migrated = MIGRATOR.run(&mut first).await;
        // What it was for is done.
        let _ = first.close().await;
        match migrated {
            Ok(()) => Ok(pg),
            Err(MigrateError::VersionMissing(version)) => Err(OpenError::Newer(pg.shown, version)),
            Err(e) => Err(refused(&e)),
        }
    }

    /// Connects when it is first used, and leaves the tables as they are.
    pub(super) fn connect(address: &str) -> Result<Pg, OpenError> {
        // The parser's own words may hold the password.
        let wrong = || OpenError::Address("postgres://…".to_owned());
        let options = PgConnectOptions::from_str(address).map_err(|_| wrong())?;
        let options = options.application_name("usual").options(SESSION);
        let shown = format!(
            "postgres://{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // A question before each use would double the ways to the server; a dead one fails and is tried again.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Ok(Pg { pool, kept: Arc::default(), shown })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) async fn begin(&self) -> Result<Writing, StoreError> {
        let connection = self.idle().await?;
        Ok(Writing { pg: self.clone(), connection, begun: false, lost: false, later: Vec::new(), patience: ANSWER })
    }

    async fn idle(&self) -> Result<PgConnection, StoreError> {
        match self.another() {
            Some(connection) => Ok(connection),
            None => within(PATIENCE, PgConnection::connect_with(&self.pool.connect_options())).await,
        }
    }

    /// A connection that was kept.
    fn another(&self) -> Option<PgConnection> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// One of them has ended, as they all do where the server is restarted.
    fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Keeps a connection that is not in a transaction, if there is room.
    fn keep(&self, connection: PgConnection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && !self.pool.is_closed() {
            kept.push(connection);
        }
    }

    pub(super) async fn run(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let done = within(ANSWER, bound(sql, values).execute(&mut *connection)).await;
        let done = done.inspect_err(|fault| given_up(&mut connection, fault))?;
        Ok(done.rows_affected())
    }

    pub(super) async fn all<T: FromRow>(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<T>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = within(ANSWER, bound(sql, values).fetch_all(&mut *connection)).await;
        read(rows.inspect_err(|fault| given_up(&mut connection, fault))?)
    }

    /// Ears for what others commit.
    pub(super) async fn listen(&self, topic: &str) -> Result<PgListener, StoreError> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        // It comes back by itself where the server restarts.
        listener.eager_reconnect(true);
        listener.listen(topic).await?;
        Ok(listener)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
        while let Some(connection) = self.another() {
            // Nothing is under way on it; the server ends it by itself where this fails.
            let _ = within(ANSWER, connection.close()).await;
        }
    }
}

impl Writing {
    pub(super) async fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.begin().await?;
        let done = within(self.patience, bound(sql, values).execute(&mut self.connection)).await;
        Ok(self.heard(done)?.rows_affected())
    }

    pub(super) async fn all<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let rows = within(self.patience, bound(sql, values).fetch_all(&mut self.connection)).await;
        read(self.heard(rows)?)
    }

    /// The same on another connection and committed by itself, whatever becomes of this transaction.
    pub(super) async fn apart<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let mut connection = self.pg.idle().await?;
        let rows = within(ANSWER, bound(sql, values).fetch_all(&mut connection)).await;
        let rows = self.heard(rows)?;
        self.pg.keep(connection);
        read(rows)
    }

    /// All rows that a statement reads which takes columns of texts, and after them perhaps a number.
    pub(super) async fn all_of<T: FromRow>(
        &mut self,
        sql: &'static str,
        columns: &[Vec<Option<String>>],
        number: Option<i64>,
    ) -> Result<Vec<T>, StoreError> {
        let query = columns.iter().fold(sqlx::query(sql), |query, column| query.bind(column));
        let query = match number {
            Some(number) => query.bind(number),
            None => query,
        };
        let rows = within(self.patience, query.fetch_all(&mut self.connection)).await;
        read(self.heard(rows)?)
    }

    /// Begins it on the server, from where on everything is undone with it.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        if !self.begun {
            let begun = within(self.patience, self.connection.execute("BEGIN")).await;
            self.heard(begun)?;
            self.begun = true;
        }
        Ok(())
    }

    /// An answer. After none the connection is none for the next transaction, and those that were kept are no better.
    fn heard<T>(&mut self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        answer.inspect_err(|fault| {
            if matches!(fault, StoreError::Busy(_)) {
                self.lost = true;
                self.pg.forget();
            }
        })
    }

    /// Has a row written with others of its kind, at the latest before the commit. The statement takes arrays. Where it is
    /// `exact` and not every row was, the transaction is [`StoreError::Stale`].
    pub(super) fn later(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        values: &[Value<'_>],
        exact: bool,
    ) -> Result<(), StoreError> {
        let sql = sql.into();
        let at = self.later.iter().position(|later| later.sql == sql).unwrap_or_else(|| {
            let empty = |value: &Value<'_>| match value {
                Value::Text(_) => Column::Text(Vec::new()),
                Value::Int(_) => Column::Int(Vec::new()),
            };
            self.later.push(Later { sql, columns: values.iter().map(empty).collect(), rows: 0, exact });
            self.later.len() - 1
        });
        let later = &mut self.later[at];
        later.rows += 1;
        for (column, value) in later.columns.iter_mut().zip(values) {
            match (column, value) {
                (Column::Text(all), Value::Text(text)) => all.push(text.as_ref().map(|text| text.clone().into_owned())),
                (Column::Int(all), Value::Int(number)) => all.push(*number),
                (Column::Text(_), Value::Int(_)) | (Column::Int(_), Value::Text(_)) => {
                    return Err(StoreError::Failed("a column has values of two types".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Writes what was put off, so that statements which follow see it.
    pub(super) async fn settle(&mut self) -> Result<(), StoreError> {
        if !self.later.is_empty() {
            self.begin().await?;
        }
        self.write().await
    }

    /// Writes what was put off, in one statement: each one more would be one more way to the server and back. Nothing in
    /// it sees what another part of it writes. Where not all rows were found that had to be, it fails and is undone.
    async fn write(&mut self) -> Result<(), StoreError> {
        let mut all = std::mem::take(&mut self.later);
        if all.is_empty() {
            return Ok(());
        }
        // First what has to find its rows, and so locks them, each in the same order: who waits for another that wrote
        // what it waits for would stand still until the server notices. And always in one order, as the server plans each
        // order of them anew.
        all.sort_by(|one, other| (!one.exact, &one.sql).cmp(&(!other.exact, &other.sql)));
        all.iter_mut().filter(|later| later.exact).for_each(Later::sort);
        let (mut parts, mut conditions, mut expected, mut before) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for (at, later) in all.iter().enumerate() {
            let rows = if later.sql.starts_with("SELECT") { "" } else { " RETURNING 1" };
            parts.push(format!("w{at} AS ({}{rows})", renumbered(&later.sql, before)));
            before += later.columns.len();
        }
        for (at, later) in all.iter().enumerate() {
            // A part that nothing asks for is not run where it reads.
            let condition = match later.exact {
                true => {
                    expected.push(i64::try_from(later.rows).unwrap_or(i64::MAX));
                    format!("= ${}", before + expected.len())
                }
                false => ">= 0".to_owned(),
            };
            conditions.push(format!("(SELECT count(*) FROM w{at}) {condition}"));
        }
        // A division by zero is how a statement can refuse.
        let sql =
            format!("WITH {} SELECT 1 / CASE WHEN {} THEN 1 ELSE 0 END", parts.join(", "), conditions.join(" AND "));
        // Of our own constants, or of the names of our own tables.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for column in all.into_iter().flat_map(|later| later.columns) {
            query = match column {
                Column::Text(all) => query.bind(all),
                Column::Int(all) => query.bind(all),
            };
        }
        for rows in expected {
            query = query.bind(rows);
        }
        let done = within(self.patience, query.execute(&mut self.connection)).await;
        self.heard(done).map(|_| ())
    }

    /// Waits longer for each answer, as moving a whole table may take.
    pub(super) fn unhurried(&mut self) {
        self.patience = UNHURRIED;
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if let Err(fault) = self.write().await {
            // At once, so that nobody waits for its locks; where it fails, the server does it.
            let _ = self.undo().await;
            return Err(fault);
        }
        if self.begun {
            let done = within(self.patience, self.connection.execute("COMMIT")).await;
            self.heard(done)?;
        }
        self.pg.keep(self.connection);
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn undo(mut self) -> Result<(), StoreError> {
        if self.lost {
            return Ok(());
        }
        if self.begun {
            within(ANSWER, self.connection.execute("ROLLBACK")).await?;
        }
        self.pg.keep(self.connection);
        Ok(())
    }
}

impl Later {
    /// Sorts the rows by their first two columns, which are their keys.
    fn sort(&mut self) {
        let [Column::Text(first), Column::Text(second), ..] = &self.columns[..] else { return };
        let mut order: Vec<usize> = (0..first.len()).collect();
        order.sort_by_key(|&row| (&first[row], &second[row]));
        let sorted = |column: &Column| match column {
            Column::Text(all) => Column::Text(order.iter().map(|&row| all[row].clone()).collect()),
            Column::Int(all) => Column::Int(order.iter().map(|&row| all[row]).collect()),
        };
        self.columns = self.columns.iter().map(sorted).collect();
    }
}

/// An answer of the server, if it comes in time.
async fn within<T>(patience: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(no_answer(patience)),
    }
}

fn no_answer(waited: Duration) -> StoreError {
    StoreError::Busy(format!("the server gave no answer in {} s", waited.as_secs()))
}

/// A connection whose answer did not come is none for the next statement.
fn given_up(connection: &mut PoolConnection<Postgres>, fault: &StoreError) {
    if matches!(fault, StoreError::Busy(_)) {
        connection.close_on_drop();
    }
}

/// The version, as people say it, of a server that is too old; it counts its own from `server_version_num`.
fn too_old(version: i64) -> Option<i64> {
    (version < OLDEST_SERVER).then_some(version / 10_000)
}

/// A statement whose parameters are counted from behind others.
fn renumbered(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: usize = part[..digits].parse().unwrap_or_default();
        text.push_str(&format!("${}{}", number + before, &part[digits..]));
    }
    text
}

fn bound<'q>(sql: &'static str, values: &'q [Value<'q>]) -> Query<'q, Postgres, PgArguments> {
    values.iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Text(text) => query.bind(text.as_deref()),
        Value::Int(number) => query.bind(*number),
    })
}

fn read<T: FromRow>(rows: Vec<sqlx::postgres::PgRow>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| T::read(&Row::Pg(row), &mut 0)).collect()
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let words = error.to_string();
        match &error {
            sqlx::Error::Database(fault) => match fault.code().as_deref() {
                _ if fault.is_unique_violation() => StoreError::Taken(words),
                // A deadlock or a serialization failure: what was read may be old. A division by zero: a row that had to be
                // there was not ([`Writing::write`]).
                Some("40P01" | "40001" | "22012") => StoreError::Stale,
                // Disk full; a read-only server (a standby).
                Some("53100" | "25006") => StoreError::Unwritable(words),
                // Data or index corrupted.
                Some("XX001" | "XX002") => StoreError::Corrupt(words),
                // Lock not available, connection trouble, out of resources, the server stops or starts.
                Some(code) if ["55P03", "25P03", "25P04"].contains(&code) => StoreError::Busy(words),
                Some(code) if ["08", "53", "57"].contains(&code.get(..2).unwrap_or_default()) => {
                    StoreError::Busy(words)
                }
                _ => StoreError::Failed(words),
            },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
                StoreError::Corrupt(words)
            }
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => StoreError::Busy(words),
            _ => StoreError::Failed(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_told_by_its_version() {
        let versions = [(90_624, Some(9)), (140_000, Some(14)), (140_022, Some(14)), (149_999, Some(14))];
        for (version, old) in versions.into_iter().chain([(150_000, None), (150_017, None), (180_001, None)]) {
            assert_eq!(too_old(version), old, "{version}");
        }
    }
}
