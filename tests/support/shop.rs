//! The program as its owner starts it, in a folder of its own.

use std::{
    net::TcpListener,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use super::place::Place;

/// How long anything may take to show.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked for.
pub const LOOK_EVERY: Duration = Duration::from_millis(60);

/// The program with an empty database, in which it opens the sample shops.
pub struct Program {
    folder: tempfile::TempDir,
    /// Its database.
    pub place: Place,
    pub port: u16,
    child: Option<Child>,
    /// The link by which the first member of the staff gets in.
    pub welcome: Option<String>,
    settings: Vec<(&'static str, String)>,
}

impl Program {
    pub async fn start() -> Program {
        Program::start_with(&[]).await
    }

    /// With more settings than it needs.
    #[allow(dead_code, reason = "each test that starts the program uses a part of this")]
    pub async fn start_with(settings: &[(&'static str, &str)]) -> Program {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new().await;
        let mut program = Program { folder, place, port: free_port(), child: None, welcome: None, settings };
        program.run().await;
        program
    }

    /// Runs it (again), and waits until it answers.
    pub async fn run(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_usual"))
            .arg("serve")
            .current_dir(self.folder.path())
            .env_clear()
            .env("USUAL_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DATABASE_URL", self.place.address())
            .env("USUAL_GATHER_MS", "0")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (found, link) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut found = Some(found);
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(at) = line.find("http").filter(|_| line.contains("/console/welcome?key=")) {
                    let link = line[at..].split_whitespace().next().unwrap_or_default().to_owned();
                    if let Some(found) = found.take() {
                        let _ = found.send(link);
                    }
                }
            }
        });
        self.child = Some(child);
        listening(self.port, "the program").await;
        if self.welcome.is_none() {
            let link = tokio::time::timeout(PATIENCE, link).await.expect("the first sign-in's link is printed");
            self.welcome = Some(link.expect("the first sign-in's link is printed"));
        }
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("the program ends").unwrap();
        assert!(ended.success(), "{ended}");
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens there.
pub async fn listening(port: u16, what: &str) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "{what} does not listen");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
