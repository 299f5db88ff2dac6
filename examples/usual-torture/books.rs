//! The database, read from outside of the program with the tools of its engine: `sqlite3`, `psql`. The checker must not
//! share code with what it checks.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

/// Where Debian puts the server's programs, by version.
const SERVERS: &str = "/usr/lib/postgresql";

/// How `pg_amcheck` ends where it has found something.
const CORRUPT: i32 = 2;

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

    /// Runs a statement. The program must not be running where it could be in the way.
    pub fn run(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Books::Sqlite(file) => self.sqlite(file, sql)?,
            Books::Postgres(_) => self.psql(sql)?,
        };
        Ok(())
    }

    /// What the engine itself finds wrong with its files; `None` where it has nothing to look with.
    pub fn damage(&self) -> anyhow::Result<Option<Vec<String>>> {
        let file = match self {
            Books::Sqlite(file) => file,
            Books::Postgres(address) => return amcheck(address),
        };
        let sound = |pragma: &str, good: &str| {
            let output = Command::new("sqlite3").arg(file).arg(pragma).output().context("sqlite3 is needed")?;
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let lines = said.lines().filter(|line| *line != good).map(|line| format!("{pragma}: {line}"));
            Ok::<Vec<String>, anyhow::Error>(lines.collect())
        };
        let mut found = sound("PRAGMA integrity_check", "ok")?;
        found.extend(sound("PRAGMA foreign_key_check", "")?);
        Ok(Some(found))
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

/// Has every table and index of a PostgreSQL database looked through, each row with its place in each index. That needs
/// the extension `amcheck`, and the right to install it.
fn amcheck(address: &str) -> anyhow::Result<Option<Vec<String>>> {
    let Some(program) = newest("pg_amcheck") else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(["--no-password", "--install-missing", "--heapallindexed"]).arg(address);
    let output = command.output().context("pg_amcheck can't be started")?;
    let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => Ok(Some(Vec::new())),
        Some(CORRUPT) => Ok(Some(said.lines().chain(why.lines()).map(str::to_owned).collect())),
        Some(_) | None => {
            eprintln!("pg_amcheck could not look: {why}");
            Ok(None)
        }
    }
}

/// A program of the newest server here that has it.
fn newest(name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(SERVERS).ok()?.flatten().map(|entry| entry.path());
    let mut versions: Vec<(u32, PathBuf)> = folders
        .filter_map(|folder| Some((folder.file_name()?.to_str()?.parse().ok()?, folder.join("bin").join(name))))
        .filter(|(_, program)| program.is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, program)| program)
}
