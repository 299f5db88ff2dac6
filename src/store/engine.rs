//! The two engines behind one door: a statement with its values goes in, rows come out. Statements are written once, with
//! `$1` placeholders and portable types; where the engines need different words, a [`Sql`] has both.

use std::borrow::Cow;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use sqlx::{Postgres, Row as _, postgres::PgRow};

use super::{StoreError, postgres::Pg, sqlite::Lite};

/// An open database.
#[derive(Debug, Clone)]
pub(super) enum Engine {
    /// A file.
    Lite(Lite),
    /// A server.
    Pg(Pg),
}

/// A statement, as each engine has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub(super) lite: &'static str,
    pub(super) pg: &'static str,
}

/// What stands for a placeholder.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Text(Option<Cow<'a, str>>),
    Int(Option<i64>),
}

/// A row of an answer.
pub(super) enum Row<'r> {
    Lite(&'r rusqlite::Row<'r>),
    Pg(&'r PgRow),
}

/// What can be read from consecutive columns of a row, in their order.
pub(super) trait FromRow: Sized {
    /// Reads it from column `at` on, and moves `at` behind it.
    fn read(row: &Row<'_>, at: &mut usize) -> Result<Self, StoreError>;
}

/// Values for a statement's placeholders, in their order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::store::engine::Value::from($value)),*] };
}
pub(super) use values;

/// A struct whose fields are a row's columns, in the statement's order.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),* $(,)?
    }) => {
        $(#[$meta])* $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type),* }

        impl $crate::store::engine::FromRow for $name {
            fn read(row: &$crate::store::engine::Row<'_>, at: &mut usize) -> Result<Self, $crate::store::StoreError> {
                Ok($name { $($field: $crate::store::engine::FromRow::read(row, at)?),* })
            }
        }
    };
}
pub(super) use row;

impl Engine {
    /// Runs a statement by itself; how many rows it touched. It is durable once this has answered.
    pub(super) async fn run(&self, sql: impl Into<Sql>, values: &[Value<'_>]) -> Result<u64, StoreError> {
        match self {
            Engine::Lite(lite) => lite.run(sql.into().lite, owned(values)).await,
            // Boxed, here and below: whoever waits for either engine would carry the room for a server's answer, and ten
            // thousand open pages ten thousand times.
            Engine::Pg(pg) => Box::pin(pg.run(sql.into().pg, values)).await,
        }
    }

    /// All rows that a statement reads.
    pub(super) async fn all<T: FromRow + Send + 'static>(
        &self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Engine::Lite(lite) => lite.all(sql.into().lite, owned(values)).await,
            Engine::Pg(pg) => Box::pin(pg.all(sql.into().pg, values)).await,
        }
    }

    /// The row that a statement reads, where there is one.
    pub(super) async fn first<T: FromRow + Send + 'static>(
        &self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    /// The one row of a statement that always has one.
    pub(super) async fn one<T: FromRow + Send + 'static>(
        &self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<T, StoreError> {
        self.first(sql, values).await?.ok_or_else(missing)
    }
}

pub(super) fn missing() -> StoreError {
    StoreError::Corrupt("a row that has to be there is not".to_owned())
}

fn owned(values: &[Value<'_>]) -> Vec<Value<'static>> {
    let owned = |value: &Value<'_>| match value {
        Value::Text(text) => Value::Text(text.as_ref().map(|text| Cow::Owned(text.clone().into_owned()))),
        Value::Int(number) => Value::Int(*number),
    };
    values.iter().map(owned).collect()
}

/// PostgreSQL's text has no NUL; so that both engines keep the same, SQLite gets none either.
fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text }
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Sql {
        Sql { lite: both, pg: both }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Value<'a> {
        Value::Text(Some(clean(Cow::Borrowed(text))))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Value<'a> {
        text.as_str().into()
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Some(clean(Cow::Owned(text))))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Value<'a> {
        Value::Text(text.map(|text| clean(Cow::Borrowed(text))))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        Value::Text(text.map(|text| clean(Cow::Owned(text))))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Value::Int(number)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Value::Int(Some(number)) => ValueRef::Integer(*number),
            Value::Text(None) | Value::Int(None) => ValueRef::Null,
        }))
    }
}

/// Whether a column's value can be read from either engine.
trait Cell: rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> {}

impl<T: rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>> Cell for T {}

fn cell<T: Cell>(row: &Row<'_>, at: &mut usize) -> Result<T, StoreError> {
    let column = *at;
    *at += 1;
    match row {
        Row::Lite(row) => Ok(row.get(column)?),
        Row::Pg(row) => Ok(row.try_get(column)?),
    }
}

macro_rules! cells {
    ($($type:ty),*) => {
        $(impl FromRow for $type {
            fn read(row: &Row<'_>, at: &mut usize) -> Result<Self, StoreError> {
                cell(row, at)
            }
        })*
    };
}
cells!(i64, String, Option<i64>, Option<String>);

macro_rules! tuples {
    ($(($($part:ident),*)),*) => {
        $(impl<$($part: FromRow),*> FromRow for ($($part,)*) {
            fn read(row: &Row<'_>, at: &mut usize) -> Result<Self, StoreError> {
                Ok(($($part::read(row, at)?,)*))
            }
        })*
    };
}
tuples!((A, B), (A, B, C), (A, B, C, D));
