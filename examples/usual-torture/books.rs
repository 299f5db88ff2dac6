//! The database, read from outside of the program with the tools of its engine: `sqlite3`, `psql`. The checker must not
//! share code with what it checks.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Books {
    /// A file of SQLite's.
    Sqlite(PathBuf),
    /// The address of a PostgreSQL database.
    Postgres(String),
}

impl Books {
    /// Rows of a query, by the names of their columns.
    pub fn rows<T: DeserializeOwned>(&self, sql: &str) -> anyhow::Result<Vec<T>> {
        let text = match self {
            Books::Sqlite(file) => self.sqlite(file, sql)?,
            Books::Postgres(_) => self.psql(&format!("SELECT row_to_json(t) FROM ({sql}) t"))?,
        };
        let read = match self {
            // Nothing at all where there is no row, else one array.
            Books::Sqlite(_) if text.trim().is_empty() => Ok(Vec::new()),
            Books::Sqlite(_) => serde_json::from_str(&text),
            Books::Postgres(_) => text.lines().map(serde_json::from_str).collect(),
        };
        read.with_context(|| format!("the answer to {sql}"))
    }

    /// What the engine itself finds wrong with its files.
    pub fn damage(&self) -> anyhow::Result<Vec<String>> {
        let Books::Sqlite(file) = self else { return Ok(Vec::new()) };
        let sound = |pragma: &str, good: &str| {
            let output = Command::new("sqlite3").arg(file).arg(pragma).output().context("sqlite3 is needed")?;
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let lines = said.lines().filter(|line| *line != good).map(|line| format!("{pragma}: {line}"));
            Ok::<Vec<String>, anyhow::Error>(lines.collect())
        };
        let mut found = sound("PRAGMA integrity_check", "ok")?;
        found.extend(sound("PRAGMA foreign_key_check", "")?);
        Ok(found)
    }

    fn sqlite(&self, file: &Path, sql: &str) -> anyhow::Result<String> {
        let output = Command::new("sqlite3").arg("-json").arg(file).arg(sql).output().context("sqlite3 is needed")?;
        if !output.status.success() {
            bail!("sqlite3 {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a statement of PostgreSQL's.
    pub fn psql(&self, sql: &str) -> anyhow::Result<String> {
        let Books::Postgres(address) = self else { bail!("this is no PostgreSQL database") };
        let output = Command::new("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", sql]).output();
        let output = output.context("psql is needed")?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
