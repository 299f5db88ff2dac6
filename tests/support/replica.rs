//! One of several programs on a database, each in a folder of its own.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use super::shop::{LOOK_EVERY, free_port, listening};

/// A program that serves. Nothing is set but what it is told.
pub struct Replica {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Replica {
    /// Starts one without waiting.
    pub fn spawn(database: &str, settings: &[(&str, &str)]) -> Replica {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_usual"))
            .arg("serve")
            .current_dir(folder.path())
            .env_clear()
            .env("USUAL_LISTEN", format!("127.0.0.1:{port}"))
            .env("DATABASE_URL", database)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Replica { child, folder, port }
    }

    /// Starts one and waits until it answers.
    pub async fn start(database: &str, settings: &[(&str, &str)]) -> Replica {
        let replica = Replica::spawn(database, settings);
        listening(replica.port, "a replica").await;
        replica
    }

    /// Sends it a signal, such as `-STOP`.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// All that it has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until it counts as ready, or as not.
    pub async fn is_ready(&mut self, wanted: bool, within: Duration) {
        let url = format!("http://127.0.0.1:{}/readyz", self.port);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let begun = Instant::now();
        while client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) != wanted {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended by itself ({ended:?}):\n{}", self.log());
            assert!(begun.elapsed() < within, "ready is not {wanted}:\n{}", self.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until its log holds that so often.
    pub async fn says(&self, what: &str, times: usize, within: Duration) {
        let said = async {
            while self.log().matches(what).count() < times {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        assert!(tokio::time::timeout(within, said).await.is_ok(), "{what:?} is not in\n{}", self.log());
    }
}
