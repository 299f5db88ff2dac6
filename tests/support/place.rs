//! A database for one test: a file, or, where `USUAL_TEST_ENGINE` is `postgres`, one of its own on the server that
//! `USUAL_TEST_POSTGRES` names. What the program stores is looked at, and damaged, behind its back.

use rusqlite::params_from_iter;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Where the server is, such as `postgres://usual@localhost:5433/postgres`; its user may make databases. `./test` starts
/// one and says where it is.
const SERVER: &str = "USUAL_TEST_POSTGRES";

/// On which engine the tests run: `postgres`, or else in a file.
const ENGINE: &str = "USUAL_TEST_ENGINE";

/// A database that goes with the test.
pub enum Place {
    File(tempfile::TempDir),
    Server { address: url::Url, name: String },
}

impl Place {
    /// On the engine that the tests run on.
    pub async fn new() -> Place {
        match std::env::var(ENGINE).as_deref() {
            Ok("postgres") => Place::on_server().await,
            _ => Place::in_file(),
        }
    }

    pub fn in_file() -> Place {
        Place::File(tempfile::tempdir().unwrap())
    }

    pub async fn on_server() -> Place {
        Place::made("TEMPLATE template0 LC_COLLATE 'C' ENCODING 'UTF8'").await
    }

    /// Another one that holds the same. Nobody may have this one open on a server; in a file it may have been left by a
    /// program that was killed.
    pub async fn copy(&self) -> Place {
        match self {
            Place::File(folder) => {
                let copy = tempfile::tempdir().unwrap();
                for name in ["usual.db", "usual.db-wal"] {
                    let from = folder.path().join(name);
                    if from.exists() {
                        std::fs::copy(from, copy.path().join(name)).expect("the database");
                    }
                }
                Place::File(copy)
            }
            Place::Server { name, .. } => Place::made(&format!("TEMPLATE {name}")).await,
        }
    }

    async fn made(how: &str) -> Place {
        let server = std::env::var(SERVER).unwrap_or_else(|_| {
            panic!("{SERVER} is not set: run ./test, which starts a PostgreSQL, or name the address of one")
        });
        let mut address: url::Url = server.parse().expect(SERVER);
        let name = format!("usual_{}", uuid::Uuid::now_v7().simple());
        let mut admin = PgConnection::connect(address.as_str()).await.expect(SERVER);
        let make = AssertSqlSafe(format!("CREATE DATABASE {name} {how}"));
        sqlx::query(make).execute(&mut admin).await.unwrap();
        address.set_path(&name);
        Place::Server { address, name }
    }

    /// What `DATABASE_URL` is to be.
    pub fn address(&self) -> String {
        match self {
            Place::File(folder) => format!("sqlite://{}/usual.db", folder.path().display()),
            Place::Server { address, .. } => address.to_string(),
        }
    }

    /// Whether it is a server.
    pub fn shared(&self) -> bool {
        matches!(self, Place::Server { .. })
    }

    /// Runs a statement with texts for its placeholders.
    pub async fn run(&self, sql: &str, values: &[&str]) {
        match self {
            Place::File(_) => {
                self.file().execute(sql, params_from_iter(values)).expect(sql);
            }
            Place::Server { .. } => {
                let query = values.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), |query, v| query.bind(*v));
                query.execute(&mut self.connect().await).await.expect(sql);
            }
        }
    }

    /// The one column of a statement's rows.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Place::File(_) => {
                let file = self.file();
                let mut statement = file.prepare(sql).expect(sql);
                statement.query_map([], |row| row.get(0)).expect(sql).collect::<Result<_, _>>().expect(sql)
            }
            Place::Server { .. } => {
                let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
                query.fetch_all(&mut self.connect().await).await.expect(sql)
            }
        }
    }

    /// The one column of a statement's rows.
    pub async fn numbers(&self, sql: &str) -> Vec<i64> {
        match self {
            Place::File(_) => {
                let file = self.file();
                let mut statement = file.prepare(sql).expect(sql);
                statement.query_map([], |row| row.get(0)).expect(sql).collect::<Result<_, _>>().expect(sql)
            }
            Place::Server { .. } => {
                let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
                query.fetch_all(&mut self.connect().await).await.expect(sql)
            }
        }
    }

    /// Whether the database is sound, as far as it can tell.
    pub async fn assert_sound(&self) {
        if !self.shared() {
            assert_eq!(self.texts("PRAGMA integrity_check").await, ["ok"], "the database is damaged");
        }
    }

    fn file(&self) -> rusqlite::Connection {
        let path = self.address();
        let file = rusqlite::Connection::open(path.trim_start_matches("sqlite://")).expect("the database");
        file.busy_timeout(super::shop::PATIENCE).unwrap();
        file
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.address()).await.expect("the database")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Place::Server { name, .. } = self else { return };
        let (Ok(server), drop) = (std::env::var(SERVER), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")) else {
            return;
        };
        // A thread, since the test's runtime may be the one that is ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut admin) = PgConnection::connect(&server).await {
                    // A database that stays behind is in nobody's way.
                    let _ = sqlx::query(AssertSqlSafe(drop)).execute(&mut admin).await;
                }
            });
        });
        let _ = dropping.join();
    }
}
