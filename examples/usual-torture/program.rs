//! The program, started as its owner would: by its environment, in a folder of its own.

use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use crate::fake::TOKEN;

/// What Telegram proves itself with.
pub const SECRET: &str = "the-rack_s-secret";

/// How long the program may take to be ready, or to end when it is asked to. Far beyond the goals, which are judged
/// apart from this.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked whether it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How to start it, and the one that runs.
pub struct Program {
    binary: PathBuf,
    folder: PathBuf,
    port: u16,
    telegram: String,
    /// `DATABASE_URL`.
    pub database_url: String,
    /// More of the environment, such as a library to be loaded before others.
    pub environment: Vec<(String, String)>,
    client: reqwest::Client,
    child: Option<Child>,
}

impl Program {
    /// Nothing is started yet. `binary` left out: the one that was built beside this.
    pub fn new(
        binary: Option<PathBuf>,
        folder: &Path,
        telegram: &str,
        database_url: String,
    ) -> anyhow::Result<Program> {
        let binary = match binary {
            Some(binary) => binary,
            None => {
                let own = std::env::current_exe()?;
                let built = own.parent().and_then(Path::parent).context("a folder above the examples")?;
                built.join("usual")
            }
        };
        if !binary.is_file() {
            bail!("there is no {}; build it, or name it with --usual", binary.display());
        }
        let binary = binary.canonicalize()?;
        let mut program = Program {
            binary,
            folder: folder.to_owned(),
            port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
            telegram: telegram.to_owned(),
            database_url,
            environment: Vec::new(),
            client: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?,
            child: None,
        };
        if program.knows("USUAL_LIMITS", "off")? {
            program.environment.push(("USUAL_LIMITS".to_owned(), "off".to_owned()));
        }
        Ok(program)
    }

    /// Another one on the same database, with a port of its own.
    pub fn another(&self) -> anyhow::Result<Program> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Program {
            binary: self.binary.clone(),
            folder: self.folder.clone(),
            port,
            telegram: self.telegram.clone(),
            database_url: self.database_url.clone(),
            environment: self.environment.clone(),
            client: self.client.clone(),
            child: None,
        })
    }

    /// Sets something of its environment from the next start on, whatever was set before.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it without waiting.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null()).stdout(self.log()?).stderr(self.log()?).kill_on_drop(true);
        self.child = Some(command.spawn().with_context(|| format!("{} can't be started", self.binary.display()))?);
        Ok(())
    }

    /// Starts it and waits until it is ready: how long that took.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.spawn()?;
        loop {
            if self.ready().await {
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.ended()? {
                bail!("the program ended by itself ({status}); its last words:\n{}", self.last_words());
            }
            if begun.elapsed() > PATIENCE {
                bail!("the program did not get ready; its last words:\n{}", self.last_words());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether it says that it is.
    pub async fn ready(&self) -> bool {
        let answer = self.client.get(self.address("/readyz")).timeout(Duration::from_secs(5)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?),
            None => Ok(None),
        }
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        child.start_kill().ok();
        child.wait().await?;
        Ok(())
    }

    /// Sends a signal, by its name.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.id().context("it does not run")?.to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, &id]).status().await?;
        if !sent.success() {
            bail!("the signal {name} could not be sent");
        }
        Ok(())
    }

    /// Asks it to end and waits until it has: how long that took.
    pub async fn stop(&mut self) -> anyhow::Result<Duration> {
        self.signal("TERM").await?;
        let begun = Instant::now();
        let mut child = self.child.take().context("it does not run")?;
        let Ok(status) = tokio::time::timeout(PATIENCE, child.wait()).await else {
            bail!("the program did not end; its last words:\n{}", self.last_words());
        };
        let status = status?;
        if !status.success() {
            bail!("the program ended with {status}; its last words:\n{}", self.last_words());
        }
        Ok(begun.elapsed())
    }

    /// Runs another command of it, such as `backup`, in the same environment.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
        Ok(self.command().args(arguments).stdin(Stdio::null()).output().await?)
    }

    /// Its process.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Memory that it has in use, in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let id = self.id().context("it does not run")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// Time of a processor that it has used so far. Linux counts it in hundredths of a second.
    pub fn worked(&self) -> anyhow::Result<Duration> {
        let id = self.id().context("it does not run")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // Its name, which may hold anything, ends with the last bracket; user and system time are the 14th and 15th field.
        let (_, fields) = stat.rsplit_once(')').context("a name in brackets")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An address of its.
    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Where it takes updates.
    pub fn hook(&self) -> String {
        self.address("/webhooks/pizzeria/telegram")
    }

    /// Messages that wait to go out or failed for good, as it tells itself; `None` where it does not answer.
    pub async fn unsent(&self) -> Option<u64> {
        let text = self.metrics().await?;
        let of_outbox = |line: &&str| line.contains("outbox_messages{");
        Some(text.lines().filter(of_outbox).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// Whether it is the one that sends, as it tells itself.
    pub async fn sends(&self) -> bool {
        self.metrics().await.is_some_and(|text| text.lines().any(|line| line == "usual_sender 1"))
    }

    async fn metrics(&self) -> Option<String> {
        let answer = self.client.get(self.address("/metrics")).timeout(Duration::from_secs(5)).send().await.ok()?;
        answer.error_for_status().ok()?.text().await.ok()
    }

    /// The key of the link by which the first of the staff gets in, as the last start printed it.
    pub fn welcome(&self) -> anyhow::Result<String> {
        let log = std::fs::read(self.folder.join("log"))?;
        let log = String::from_utf8_lossy(&log);
        let (_, rest) = log.rsplit_once("/console/welcome?key=").context("no link to the console was printed")?;
        Ok(rest.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(4_000)..]).into_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("TELOXIDE_TOKEN", TOKEN)
            .env("TELOXIDE_API_URL", &self.telegram)
            .env("USUAL_TELEGRAM_SECRET", SECRET)
            .env("USUAL_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("USUAL_PUBLIC_URL", format!("http://127.0.0.1:{}", self.port))
            .env("USUAL_GATHER_MS", "0")
            .env("USUAL_LOG", "warn")
            .env("DATABASE_URL", &self.database_url)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Whether the program knows a setting. One that it does not know would stop its start.
    fn knows(&self, name: &str, value: &str) -> anyhow::Result<bool> {
        let mut probe = std::process::Command::new(&self.binary);
        let empty = tempfile::tempdir()?;
        let output = probe.arg("doctor").current_dir(empty.path()).env_clear().env(name, value).output()?;
        Ok(!String::from_utf8_lossy(&output.stderr).contains(name))
    }

    fn log(&self) -> anyhow::Result<File> {
        Ok(OpenOptions::new().create(true).append(true).open(self.folder.join("log"))?)
    }
}
