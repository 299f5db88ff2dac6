//! The program as its owner starts it, in a folder of its own.

use std::{
    net::TcpListener,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    net::TcpStream,
    process::{Child, Command},
    task::JoinHandle,
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
    /// All that it has printed, in all its runs.
    pub printed: Printed,
    readers: Vec<JoinHandle<()>>,
}

/// What a program prints, line by line. A pipe that nobody reads would stop it.
#[derive(Clone, Default)]
pub struct Printed(Arc<Mutex<String>>);

impl Printed {
    /// Reads it until the program has ended.
    pub fn read(&self, from: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<()> {
        let Printed(all) = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut all = all.lock().unwrap();
                all.push_str(&line);
                all.push('\n');
            }
        })
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// How often something stands in it.
    pub fn count(&self, words: &str) -> usize {
        self.0.lock().unwrap().matches(words).count()
    }

    /// Waits until something stands in it so often.
    pub async fn until(&self, words: &str, times: usize) {
        let begun = Instant::now();
        while self.count(words) < times {
            assert!(begun.elapsed() < PATIENCE, "{words:?} was not printed {times} times:\n{}", self.text());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The link of the first sign-in.
    fn welcome(&self) -> Option<String> {
        let text = self.text();
        let line = text.lines().find(|line| line.contains("/console/welcome?key="))?;
        let link = &line[line.find("http")?..];
        Some(link.split_whitespace().next()?.to_owned())
    }
}

impl Program {
    pub async fn start() -> Program {
        Program::start_with(&[]).await
    }

    /// With more settings than it needs.
    pub async fn start_with(settings: &[(&'static str, &str)]) -> Program {
        Program::start_at(Place::new().await, settings).await
    }

    /// With a database that is there already.
    pub async fn start_at(place: Place, settings: &[(&'static str, &str)]) -> Program {
        let mut program = Program {
            folder: tempfile::tempdir().unwrap(),
            place,
            port: free_port(),
            child: None,
            welcome: None,
            settings: settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            printed: Printed::default(),
            readers: Vec::new(),
        };
        program.run().await;
        program
    }

    /// A command of it, in its folder and with its settings.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usual"));
        command
            .arg(name)
            .current_dir(self.folder.path())
            .env_clear()
            .env("USUAL_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DATABASE_URL", self.place.address())
            .env("USUAL_GATHER_MS", "0")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs it (again), and waits until it answers.
    pub async fn run(&mut self) {
        let mut child = self.command("serve").spawn().unwrap();
        self.readers.push(self.printed.read(child.stdout.take().unwrap()));
        self.readers.push(self.printed.read(child.stderr.take().unwrap()));
        self.child = Some(child);
        listening(self.port, "the program").await;
        let begun = Instant::now();
        while self.welcome.is_none() {
            assert!(begun.elapsed() < PATIENCE, "no link for the first sign-in in:\n{}", self.printed.text());
            tokio::time::sleep(LOOK_EVERY).await;
            self.welcome = self.printed.welcome();
        }
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
        self.read_out().await;
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("the program ends").unwrap();
        assert!(ended.success(), "{ended}");
        self.read_out().await;
    }

    /// Waits until the last of what it printed is read.
    async fn read_out(&mut self) {
        for reader in self.readers.drain(..) {
            reader.await.unwrap();
        }
    }

    /// What it tells Prometheus.
    pub async fn metrics(&self) -> String {
        metrics(&self.address("")).await
    }

    /// The same, once it is as it should be.
    pub async fn metrics_when(&self, good: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let metrics = self.metrics().await;
            if good(&metrics) {
                return metrics;
            }
            assert!(begun.elapsed() < PATIENCE, "the metrics are still\n{metrics}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// What a program tells Prometheus.
pub async fn metrics(base: &str) -> String {
    let answer = reqwest::get(format!("{base}/metrics")).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// A number among metrics, with its labels as they are written; none where nothing was counted there yet.
pub fn number(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
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
