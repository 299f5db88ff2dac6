//! Moving everything from one database to another, of either engine: how a shop that outgrows its file goes to a server,
//! and how a server's shop becomes a file again.
//!
//! Promises: all or nothing, in one transaction; the target was empty before; what was read from one moment of the source
//! is read again from the target, row by row, before the commit, and compared. The source is left as it is. Leases stay
//! behind: they belong to replicas, not to shops.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, postgres::PgRow};
use tokio::sync::mpsc;

use super::{
    OpenError, Store, StoreError,
    engine::{Engine, Sql, Value},
    postgres,
    sqlite::{self, Lite},
    turn::Writing,
};

/// Rows that go over together.
const BATCH: usize = 500;

/// Batches that may wait for the target.
const MOST_WAITING: usize = 4;

/// A table's rows, counted and summed up so that their order does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    digest: u128,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of the two can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// One of the two failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tables are those of another version.
    #[error("{0} has tables of version {1}, this program those of {2}; start it once with this version, then move it")]
    Schema(String, i64, i64),
    /// There is something in the target.
    #[error("{0} is not empty (rows in {1}); name an empty database")]
    NotEmpty(String, String),
    /// What arrived is not what was sent.
    #[error("the copy differs from the original in {0}; nothing was kept")]
    Differs(String),
    /// The two have other tables.
    #[error("{0} has other tables than the source; nothing was kept")]
    OtherTables(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: String,
    /// With whether each holds numbers.
    columns: Vec<(String, bool)>,
}

/// Rows of a table, by its place among the tables.
struct Batch {
    table: usize,
    rows: Vec<Vec<Value<'static>>>,
}

const TABLES: Sql = Sql {
    lite: "SELECT t.name, c.name, CASE WHEN c.type = 'BIGINT' THEN 1 ELSE 0 END FROM sqlite_schema t \
           JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' \
           AND t.name NOT IN ('_sqlx_migrations', 'lease') ORDER BY t.name, c.cid",
    pg: "SELECT table_name::text, column_name::text, CASE WHEN data_type = 'bigint' THEN 1 ELSE 0 END::bigint \
         FROM information_schema.columns WHERE table_schema = current_schema() \
         AND table_name NOT IN ('_sqlx_migrations', 'lease') ORDER BY table_name COLLATE \"C\", ordinal_position",
};

/// Copies everything from one database into another, empty one, and compares; what was moved, table by table.
pub async fn transfer(from: &str, to: &str) -> Result<Vec<Moved>, MoveError> {
    let source = Store::look(from).await?;
    let (schema, newest) = (source.schema().await?, Store::newest_schema());
    if schema > newest {
        return Err(OpenError::Newer(source.shown(), schema).into());
    }
    if schema < newest {
        return Err(MoveError::Schema(source.shown(), schema, newest));
    }
    // Nobody serves what is moved; it would change meanwhile.
    let _source = source.serve()?;
    let target = Store::open(to).await?;
    let _target = target.serve()?;
    let tables = tables(&source).await?;
    if self::tables(&target).await? != tables {
        return Err(MoveError::OtherTables(target.shown()));
    }
    let mut tx = target.begin().await?;
    if let Writing::Pg(writing) = &mut tx.writing {
        unhurried(writing).await?;
    }
    for found in sums(&mut tx.writing, &tables).await? {
        if found.rows > 0 {
            return Err(MoveError::NotEmpty(target.shown(), found.table));
        }
    }
    let (send, mut batches) = mpsc::channel(MOST_WAITING);
    let reading = tokio::spawn(read(source.engine.clone(), tables.clone(), send));
    let mut sent: Vec<Moved> = tables.iter().map(Moved::none).collect();
    while let Some(batch) = batches.recv().await {
        batch.rows.iter().for_each(|row| sent[batch.table].count(row));
        write(&mut tx.writing, &tables[batch.table], batch.rows).await?;
    }
    reading.await.map_err(|fault| StoreError::Failed(fault.to_string()))??;
    let arrived = sums(&mut tx.writing, &tables).await?;
    if let Some(tables) = differing(&sent, &arrived) {
        return Err(MoveError::Differs(tables));
    }
    tx.commit().await?;
    source.close().await;
    target.close().await;
    Ok(arrived)
}

/// What is too long for a turn is not too long for a whole table.
async fn unhurried(tx: &mut postgres::Writing) -> Result<(), StoreError> {
    tx.unhurried();
    tx.begin().await?;
    for limit in ["SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0"] {
        sqlx::query(limit).execute(&mut *tx.connection()).await?;
    }
    Ok(())
}

async fn tables(store: &Store) -> Result<Vec<Table>, StoreError> {
    let columns: Vec<(String, String, i64)> = store.engine.all(TABLES, &[]).await?;
    let mut tables: Vec<Table> = Vec::new();
    for (table, column, number) in columns {
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push((column, number == 1)),
            None => tables.push(Table { name: table, columns: vec![(column, number == 1)] }),
        }
    }
    Ok(tables)
}

/// Reads all tables as they are at one moment.
async fn read(source: Engine, tables: Vec<Table>, to: mpsc::Sender<Batch>) -> Result<(), StoreError> {
    match source {
        Engine::Lite(lite) => read_file(lite, tables, to).await,
        Engine::Pg(pg) => {
            let mut tx = pg.begin().await?;
            unhurried(&mut tx).await?;
            let tx = tx.connection();
            sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
            for (at, table) in tables.iter().enumerate() {
                let mut rows = sqlx::query(AssertSqlSafe(table.select())).fetch(&mut *tx);
                let mut batch = Vec::new();
                while let Some(row) = rows.try_next().await? {
                    batch.push(values_of(&row)?);
                    if batch.len() == BATCH {
                        hand(&to, at, std::mem::take(&mut batch)).await?;
                    }
                }
                hand(&to, at, batch).await?;
            }
            Ok(())
        }
    }
}

async fn read_file(lite: Lite, tables: Vec<Table>, to: mpsc::Sender<Batch>) -> Result<(), StoreError> {
    lite.reading(move |reader| {
        let moment = reader.transaction()?;
        for (at, table) in tables.iter().enumerate() {
            let mut batch = Vec::new();
            sqlite::each(&moment, &table.select(), &table.numbers(), |row| {
                batch.push(row);
                if batch.len() < BATCH {
                    return Ok(());
                }
                let rows = std::mem::take(&mut batch);
                to.blocking_send(Batch { table: at, rows }).map_err(|_| given_up())
            })?;
            to.blocking_send(Batch { table: at, rows: batch }).map_err(|_| given_up())?;
        }
        Ok(())
    })
    .await
}

async fn hand(to: &mpsc::Sender<Batch>, table: usize, rows: Vec<Vec<Value<'static>>>) -> Result<(), StoreError> {
    to.send(Batch { table, rows }).await.map_err(|_| given_up())
}

/// The writing side has told why.
fn given_up() -> StoreError {
    StoreError::Failed("the target could not be written".to_owned())
}

async fn write(writing: &mut Writing, table: &Table, rows: Vec<Vec<Value<'static>>>) -> Result<(), StoreError> {
    let insert = table.insert(writing);
    match writing {
        Writing::Lite(tx) => rows.iter().try_for_each(|row| tx.run(&insert, row).map(|_| ())),
        Writing::Pg(tx) => {
            rows.iter().try_for_each(|row| tx.later(insert.clone(), row, true))?;
            tx.settle().await
        }
    }
}

/// What the tables of a transaction hold.
async fn sums(writing: &mut Writing, tables: &[Table]) -> Result<Vec<Moved>, StoreError> {
    let mut all: Vec<Moved> = tables.iter().map(Moved::none).collect();
    for (table, sum) in tables.iter().zip(&mut all) {
        match writing {
            Writing::Lite(tx) => tx.each(&table.select(), &table.numbers(), |row| {
                sum.count(&row);
                Ok(())
            })?,
            Writing::Pg(tx) => {
                let mut rows = sqlx::query(AssertSqlSafe(table.select())).fetch(tx.connection());
                while let Some(row) = rows.try_next().await? {
                    sum.count(&values_of(&row)?);
                }
            }
        }
    }
    Ok(all)
}

/// The tables in which something else arrived than was sent, in words; `None` where all is as it was.
fn differing(sent: &[Moved], arrived: &[Moved]) -> Option<String> {
    let told = |(sent, arrived): (&Moved, &Moved)| match sent.rows == arrived.rows {
        true => sent.table.clone(),
        false => format!("{} ({} rows sent, {} arrived)", sent.table, sent.rows, arrived.rows),
    };
    let others: Vec<String> = sent.iter().zip(arrived).filter(|(sent, arrived)| sent != arrived).map(told).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

fn values_of(row: &PgRow) -> Result<Vec<Value<'static>>, StoreError> {
    let value = |(at, column): (usize, &sqlx::postgres::PgColumn)| {
        use sqlx::Column as _;
        Ok(match column.type_info().name() {
            "INT8" => Value::Int(row.try_get(at)?),
            _ => Value::Text(row.try_get::<Option<String>, _>(at)?.map(Into::into)),
        })
    };
    row.columns().iter().enumerate().map(value).collect()
}

impl Table {
    /// Names come from the schema of a database of ours.
    fn select(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        format!("SELECT {} FROM {}", columns.join(", "), quoted(&self.name))
    }

    fn numbers(&self) -> Vec<bool> {
        self.columns.iter().map(|(_, number)| *number).collect()
    }

    fn insert(&self, into: &Writing) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        let places = self.columns.iter().enumerate().map(|(at, (_, number))| match (into, number) {
            (Writing::Lite(_), _) => format!("${}", at + 1),
            (Writing::Pg(_), true) => format!("${}::bigint[]", at + 1),
            (Writing::Pg(_), false) => format!("${}::text[]", at + 1),
        });
        let places: Vec<String> = places.collect();
        let source = match into {
            Writing::Lite(_) => format!("VALUES ({})", places.join(", ")),
            Writing::Pg(_) => format!("SELECT * FROM unnest({})", places.join(", ")),
        };
        format!("INSERT INTO {} ({}) {source}", quoted(&self.name), columns.join(", "))
    }
}

impl Moved {
    fn none(table: &Table) -> Moved {
        Moved { table: table.name.clone(), rows: 0, digest: 0 }
    }

    /// Rows are summed, so that their order does not matter and a row that is there twice counts twice.
    fn count(&mut self, row: &[Value<'_>]) {
        let mut hash = Sha256::new();
        for value in row {
            match value {
                Value::Text(Some(text)) => {
                    hash.update([b't']);
                    hash.update((text.len() as u64).to_le_bytes());
                    hash.update(text.as_bytes());
                }
                Value::Int(Some(number)) => {
                    hash.update([b'i']);
                    hash.update(number.to_le_bytes());
                }
                Value::Text(None) | Value::Int(None) => hash.update([b'n']),
            }
        }
        let digest: [u8; 32] = hash.finalize().into();
        let half: [u8; 16] = std::array::from_fn(|at| digest[at]);
        self.digest = self.digest.wrapping_add(u128::from_le_bytes(half));
        self.rows += 1;
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(table: &str, rows: &[&[Value<'_>]]) -> Moved {
        let mut sum = Moved::none(&Table { name: table.to_owned(), columns: Vec::new() });
        rows.iter().for_each(|row| sum.count(row));
        sum
    }

    fn row(first: &'static str, second: Option<&'static str>, number: Option<i64>) -> [Value<'static>; 3] {
        [Value::from(first), Value::from(second), Value::from(number)]
    }

    #[test]
    fn one_value_that_is_another_makes_another_table() {
        let whole = sum("message", &[&row("ab", Some("c"), Some(1))]);
        let others = [
            row("ab", Some("c"), Some(2)),
            row("ab", Some("c"), Some(-1)),
            row("ab", Some("c"), None),
            row("ab", Some("C"), Some(1)),
            row("ab", Some(""), Some(1)),
            row("ab", None, Some(1)),
            row("a", Some("bc"), Some(1)),
            row("c", Some("ab"), Some(1)),
            row("ab ", Some("c"), Some(1)),
        ];
        for other in &others {
            assert_ne!(sum("message", &[other]), whole, "{other:?}");
        }
        assert_ne!(sum("message", &[&row("a", Some(""), None)]), sum("message", &[&row("a", None, None)]));
    }

    #[test]
    fn the_order_of_rows_means_nothing_and_their_number_something() {
        let (one, other) = (row("a", None, Some(1)), row("b", None, Some(2)));
        assert_eq!(sum("message", &[&one, &other]), sum("message", &[&other, &one]));
        assert_ne!(sum("message", &[&one, &one]), sum("message", &[&one]));
        assert_ne!(sum("message", &[&one, &one, &other]), sum("message", &[&one, &other, &other]));
        assert_ne!(sum("message", &[]), sum("message", &[&one]));
    }

    #[test]
    fn every_table_that_differs_is_named() {
        let (one, other) = (row("a", None, Some(1)), row("b", None, Some(2)));
        let sent =
            [sum("customer", &[&one]), sum("message", &[&one, &other]), sum("orders", &[]), sum("staff", &[&one])];
        assert_eq!(differing(&sent, &sent), None);
        let arrived =
            [sum("customer", &[&other]), sum("message", &[&one]), sum("orders", &[&one]), sum("staff", &[&one])];
        let told = "customer, message (2 rows sent, 1 arrived), orders (0 rows sent, 1 arrived)";
        assert_eq!(differing(&sent, &arrived).as_deref(), Some(told));
    }
}
