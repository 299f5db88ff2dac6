//! PostgreSQL: its server is restarted, and several programs share it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::Rng as _;

use crate::{Options, load::Load, rig::Rig, verdict::Verdict};

/// Where Debian puts the server's programs, by version.
const SERVERS: &str = "/usr/lib/postgresql";

/// Within which webhooks have to be answered again after a restart of the server (F12).
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// Within which another program has to send what a dead one had left (F21).
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(35);

/// How long a program is frozen: longer than any lease.
const FROZEN: Duration = Duration::from_secs(60);

/// Between two faults.
const PAUSE: std::ops::RangeInclusive<u64> = 500..=3_000;

/// A server of our own, in a folder that its user owns. It is stopped when this is dropped.
struct Server {
    binaries: PathBuf,
    data: tempfile::TempDir,
    port: u16,
}

/// The server is restarted, now in order, now as if it had crashed.
pub async fn postgres(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let server = Server::start()?;
    let options = Options { database: server.address(), ..options.clone() };
    let mut rig = Rig::new(&options, folder).await?;
    let restarts = options.trials(20);
    rig.program.start().await?;
    rig.begin(rig.habits());
    let (mut windows, mut stalled) = (Vec::new(), Vec::new());
    for restart in 0..restarts {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(PAUSE))).await;
        let way = if restart % 2 == 0 { "fast" } else { "immediate" };
        server.control(&["-m", way, "restart"])?;
        let up = Instant::now();
        rig.load.shared().take_answers();
        while rig.load.shared().take_answers().took.is_empty() {
            if up.elapsed() > BACK_WITHIN * 6 {
                stalled.push(format!("restart {restart} ({way}): nothing is taken any more"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        windows.push(up.elapsed());
        if let Some(status) = rig.program.ended()? {
            bail!("the program ended ({status}); its last words:\n{}", rig.program.last_words());
        }
    }
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    verdict.never("restarts from which it did not recover", stalled, restarts);
    let longest = windows.iter().max().copied().unwrap_or_default();
    let good = longest <= BACK_WITHIN;
    verdict.figure("longest time without an answer, in ms", longest.as_millis(), "≤ 5000", restarts, good);
    super::ends::bound(&mut verdict, "restarts that lost or doubled anything", restarts);
    Ok(verdict)
}

/// Three programs on one database take updates in turn; one is killed, another frozen for longer than any lease.
pub async fn replicas(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    let server = Server::start()?;
    let options = Options { database: server.address(), ..options.clone() };
    let mut rig = Rig::new(&options, folder).await?;
    let rounds = options.trials(3);
    let mut others = [rig.program.another()?, rig.program.another()?];
    rig.program.start().await?;
    for other in &mut others {
        other.start().await?;
    }
    rig.load = Load::new(&[&rig.program, &others[0], &others[1]])?;
    rig.several = true;
    rig.begin(rig.habits());
    let mut takeovers = Vec::new();
    for _ in 0..rounds {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(PAUSE))).await;
        rig.load.shared().hold(true);
        others[0].kill().await?;
        rig.in_flight += rig.fake.talking();
        let dead = Instant::now();
        rig.drained().await?;
        takeovers.push(dead.elapsed());
        rig.load.shared().hold(false);
        others[0].start().await?;
        // A frozen program keeps its connections, and those who posted to it wait; it wakes up in another time.
        rig.in_flight += rig.fake.talking();
        others[1].signal("STOP").await?;
        tokio::time::sleep(FROZEN).await;
        others[1].signal("CONT").await?;
    }
    rig.heal().await?;
    for other in &mut others {
        other.stop().await?;
    }
    rig.check(true)?;
    let mut verdict = rig.verdict;
    let longest = takeovers.iter().max().copied().unwrap_or_default();
    let good = longest <= TAKEN_OVER_WITHIN;
    verdict.figure("longest wait for what a dead one had left, in s", longest.as_secs(), "≤ 35", rounds, good);
    super::ends::bound(&mut verdict, "deaths and frosts that lost or doubled anything", rounds * 2);
    Ok(verdict)
}

impl Server {
    /// Makes a cluster and starts it, as the user `postgres` where this runs as root, which PostgreSQL refuses.
    fn start() -> anyhow::Result<Server> {
        let mut versions: Vec<PathBuf> =
            std::fs::read_dir(SERVERS).context("PostgreSQL is needed")?.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        let binaries = versions.pop().context("PostgreSQL is needed")?.join("bin");
        let data = tempfile::Builder::new().prefix("usual-torture-postgres-").tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Server { binaries, data, port };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.data.path()))?;
        }
        let cluster = server.cluster();
        run(server.command("initdb").args(["-A", "trust", "-U", "usual", "-E", "UTF8", "-D"]).arg(&cluster))?;
        server.control(&["start"])?;
        Ok(server)
    }

    fn control(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let folder = self.data.path().display();
        let settings = format!("-p {} -k {folder} -c listen_addresses=127.0.0.1", self.port);
        let mut command = self.command("pg_ctl");
        command.arg("-w").arg("-D").arg(self.cluster()).arg("-o").arg(settings).arg("-l");
        run(command.arg(self.data.path().join("log")).args(arguments))
    }

    fn address(&self) -> String {
        format!("postgres://usual@127.0.0.1:{}/postgres", self.port)
    }

    fn cluster(&self) -> PathBuf {
        self.data.path().join("cluster")
    }

    fn command(&self, name: &str) -> Command {
        let program = self.binaries.join(name);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its folder goes next; a server that can't be stopped ends by itself when it finds that out.
        let _ = self.control(&["-m", "immediate", "stop"]);
    }
}

fn is_root() -> bool {
    std::env::var_os("HOME").is_some_and(|home| home == "/root")
}

/// Runs a command whose output nobody needs unless it fails. A server that it starts must not hold our pipes.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let errors = tempfile::tempfile()?;
    let null = std::process::Stdio::null;
    let status = command.stdin(null()).stdout(null()).stderr(errors.try_clone()?).status()?;
    if !status.success() {
        bail!("{command:?} ended with {status}: {}", read_back(errors)?);
    }
    Ok(())
}

fn read_back(mut file: std::fs::File) -> anyhow::Result<String> {
    use std::io::{Read as _, Seek as _};
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}
