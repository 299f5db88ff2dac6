//! PostgreSQL: its server is restarted, and several programs share it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::Rng as _;
use rustix::process::Pid;

use crate::{
    Options,
    disk::{Disk, Trouble},
    load::{Load, Shared},
    program::Program,
    rig::Rig,
    verdict::Verdict,
};

/// Where Debian puts the server's programs, by version.
const SERVERS: &str = "/usr/lib/postgresql";

/// Within which webhooks have to be answered again after a restart of the server (F12).
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// Within which another program has to send what a dead one had left (F21).
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(35);

/// Within which a message that had left is with the vendor.
const ON_THE_WIRE: Duration = Duration::from_secs(1);

/// How long a program is frozen: longer than any lease.
const FROZEN: Duration = Duration::from_secs(60);

/// For how long answers are watched after a restart was asked for: longer than one takes.
const WATCHED: Duration = Duration::from_secs(4);

/// Answers that follow each other within this are no outage.
const STEADY: Duration = Duration::from_millis(500);

/// How often they are counted.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Lines of the server's log that are told when it fails.
const LAST_LINES: usize = 12;

/// Between two faults.
const PAUSE: std::ops::RangeInclusive<u64> = 500..=3_000;

/// How long the server runs between two cuts of its power, in milliseconds.
const LIFE: std::ops::RangeInclusive<u64> = 500..=4_000;

/// A server of our own, in a folder that its user owns. It is stopped when this is dropped.
struct Server {
    binaries: PathBuf,
    /// Its log, and its socket.
    data: tempfile::TempDir,
    cluster: PathBuf,
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
        rig.harmed();
        let shared = Arc::clone(rig.load.shared());
        let watch = tokio::spawn(async move { longest_silence(&shared).await });
        tokio::task::block_in_place(|| server.control(&["-m", way, "restart"]))?;
        match watch.await? {
            Some(silence) => windows.push(silence),
            None => stalled.push(format!("restart {restart} ({way}): nothing is taken any more")),
        }
        if let Some(status) = rig.program.ended()? {
            bail!("the program ended ({status}); its last words:\n{}", rig.program.last_words());
        }
    }
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    verdict.never("restarts from which it did not recover", stalled, restarts);
    let longest = windows.iter().max().copied().unwrap_or_default();
    let good = longest <= BACK_WITHIN && !windows.is_empty();
    verdict.figure("longest time without an answer, in ms", longest.as_millis(), "≤ 5000", windows.len(), good);
    super::ends::bound(&mut verdict, "restarts that lost or doubled anything", rig.harms);
    Ok(verdict)
}

/// Watches the answers of webhooks from before a restart until they come again: the longest time between two, the
/// server's own time to start included.
async fn longest_silence(shared: &Shared) -> Option<Duration> {
    let (mut good, mut last) = (shared.totals().good(), Instant::now());
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    // The silence may begin a moment after this does.
    while begun.elapsed() < WATCHED || last.elapsed() > STEADY {
        if begun.elapsed() > BACK_WITHIN * 6 {
            return None;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let now = shared.totals().good();
        if now > good {
            longest = longest.max(last.elapsed());
            (good, last) = (now, Instant::now());
        }
    }
    Some(longest)
}

/// The machine of the server loses its power again and again, under load, and its disk what was not flushed.
pub async fn power(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    if options.database != "postgres" {
        bail!("the power is cut of a server that this makes itself: say --database postgres");
    }
    let mount = tempfile::Builder::new().prefix("usual-torture-disk-").tempdir()?;
    let mut disk = Disk::new(mount.path())?;
    let server = tokio::task::block_in_place(|| Server::start_in(Some(disk.file("cluster"))))?;
    let options = Options { database: server.address(), ..options.clone() };
    let mut rig = Rig::new(&options, folder).await?;
    let cuts = options.trials(if options.control { 8 } else { 50 });
    rig.program.start().await?;
    // What the making of the cluster left unflushed is none of the program's.
    tokio::task::block_in_place(|| server.checkpoint())?;
    disk.suffer(Trouble { lying: options.control, ..Trouble::default() });
    rig.begin(rig.habits());
    for _ in 0..cuts {
        tokio::time::sleep(Duration::from_millis(rig.random.random_range(LIFE))).await;
        let processes = server.processes()?;
        rig.harmed();
        disk.power_off();
        for process in processes {
            // One that has ended by itself is as good.
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
        server.ended().await?;
        disk.power_on(&mut rig.random)?;
        // A machine that starts anew has no process of that number; this one may, until somebody asks how it ended.
        match std::fs::remove_file(server.cluster.join("postmaster.pid")) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => return Err(fault.into()),
            _ => {}
        }
        if let Err(fault) = tokio::task::block_in_place(|| server.control(&["start"])) {
            if options.control {
                return Ok(damaged(rig.verdict, cuts));
            }
            return Err(fault);
        }
    }
    let counts = disk.counts();
    if options.control {
        rig.load.shared().hold(true);
        rig.check(false)?;
        let lost = rig.verdict.failures("acknowledged updates that are lost");
        let mut verdict = Verdict::default();
        verdict.figure("acknowledged updates lost, or no start", lost, "> 0 (control)", cuts, lost > 0);
        return Ok(verdict);
    }
    rig.heal_and_check().await?;
    let mut verdict = rig.verdict;
    verdict.told("flushes", counts.flushes);
    verdict.told("KiB written and not flushed at the cuts", counts.dropped / 1024);
    super::ends::bound(&mut verdict, "cuts, with messages since the last, that did harm", rig.harms);
    drop(server);
    disk.unmount()?;
    Ok(verdict)
}

/// What a disk that lies leaves may not even start.
fn damaged(mut verdict: Verdict, cuts: usize) -> Verdict {
    verdict.figure("acknowledged updates lost, or no start", "no start", "> 0 (control)", cuts, true);
    verdict
}

/// Three programs on one database take updates in turn. The one that sends is killed, and the next one that sends is
/// frozen for longer than any lease, with messages on the wire.
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
        let place = sender(&rig, &others).await?;
        rig.signalled();
        one_of(&mut rig, &mut others, place).kill().await?;
        rig.in_flight += rig.fake.talking();
        takeovers.push(next_sent(&rig).await?);
        one_of(&mut rig, &mut others, place).start().await?;

        // A frozen program keeps its connections, and those who posted to it wait; it wakes up in another time.
        let place = sender(&rig, &others).await?;
        rig.signalled();
        one_of(&mut rig, &mut others, place).signal("STOP").await?;
        rig.in_flight += rig.fake.talking();
        let frozen = Instant::now();
        takeovers.push(next_sent(&rig).await?);
        tokio::time::sleep(FROZEN.saturating_sub(frozen.elapsed())).await;
        rig.signalled();
        one_of(&mut rig, &mut others, place).signal("CONT").await?;
    }
    rig.heal().await?;
    for other in &mut others {
        other.stop().await?;
    }
    rig.check(true)?;
    let mut verdict = rig.verdict;
    let longest = takeovers.iter().max().copied().unwrap_or_default();
    let good = longest <= TAKEN_OVER_WITHIN && !takeovers.is_empty();
    let what = "longest wait until another one sent, in s";
    verdict.figure(what, format!("{:.1}", longest.as_secs_f64()), "≤ 35", takeovers.len(), good);
    super::ends::bound(&mut verdict, "deaths and frosts that lost or doubled anything", rounds * 2);
    Ok(verdict)
}

/// Which of the programs sends: the rig's is the first.
async fn sender(rig: &Rig, others: &[Program; 2]) -> anyhow::Result<usize> {
    let begun = Instant::now();
    while begun.elapsed() < TAKEN_OVER_WITHIN {
        for (place, program) in [&rig.program, &others[0], &others[1]].into_iter().enumerate() {
            if program.sends().await {
                return Ok(place);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("none of the programs says that it sends")
}

fn one_of<'a>(rig: &'a mut Rig, others: &'a mut [Program; 2], place: usize) -> &'a mut Program {
    match place.checked_sub(1) {
        None => &mut rig.program,
        Some(place) => &mut others[place],
    }
}

/// How long it takes until the vendor gets a message again, from a moment on at which nobody sends.
async fn next_sent(rig: &Rig) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    // What was on the wire may still arrive.
    tokio::time::sleep(ON_THE_WIRE).await;
    let sent = rig.fake.count();
    while rig.fake.count() == sent {
        if begun.elapsed() > TAKEN_OVER_WITHIN * 2 {
            bail!("nobody sends any more; the log ends:\n{}", rig.program.last_words());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(begun.elapsed())
}

impl Server {
    /// Makes a cluster and starts it, as the user `postgres` where this runs as root, which PostgreSQL refuses.
    fn start() -> anyhow::Result<Server> {
        Server::start_in(None)
    }

    /// With the cluster in a folder of somebody else's choice.
    fn start_in(cluster: Option<PathBuf>) -> anyhow::Result<Server> {
        let mut versions: Vec<PathBuf> =
            std::fs::read_dir(SERVERS).context("PostgreSQL is needed")?.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        let binaries = versions.pop().context("PostgreSQL is needed")?.join("bin");
        let data = tempfile::Builder::new().prefix("usual-torture-postgres-").tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let cluster = cluster.unwrap_or_else(|| data.path().join("cluster"));
        let server = Server { binaries, data, cluster, port };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.data.path()))?;
        }
        let mut make = server.command("initdb");
        run(make.args(["-A", "trust", "-U", "usual", "-E", "UTF8", "-D"]).arg(&server.cluster))?;
        server.control(&["start"])?;
        Ok(server)
    }

    fn control(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let settings = format!("-p {} -c unix_socket_directories= -c listen_addresses=127.0.0.1", self.port);
        let mut command = self.command("pg_ctl");
        let log = self.data.path().join("log");
        command.arg("-w").arg("-D").arg(&self.cluster).arg("-o").arg(settings).arg("-l").arg(&log).args(arguments);
        run(&mut command).with_context(|| {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(LAST_LINES).collect();
            format!("its log, backwards: {}", last.join(" | "))
        })
    }

    fn address(&self) -> String {
        format!("postgres://usual@127.0.0.1:{}/postgres", self.port)
    }

    /// Has all that is in memory written down.
    fn checkpoint(&self) -> anyhow::Result<()> {
        run(self.command("psql").args(["-q", "-c", "CHECKPOINT"]).arg(self.address()))
    }

    /// The server's processes: the one that starts the others, and those.
    fn processes(&self) -> anyhow::Result<Vec<Pid>> {
        let first = std::fs::read_to_string(self.cluster.join("postmaster.pid"))?;
        let first: i32 = first.lines().next().context("a process")?.trim().parse()?;
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let children = children.split_whitespace().map(str::parse).collect::<Result<Vec<i32>, _>>()?;
        Ok([first].into_iter().chain(children).filter_map(Pid::from_raw).collect())
    }

    /// Waits until nobody has a file of the cluster open.
    async fn ended(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while is_used(&self.cluster)? {
            if begun.elapsed() > BACK_WITHIN {
                bail!("a process of the server did not end");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
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
    rustix::process::geteuid().is_root()
}

/// Whether a process works in this folder: a server's all do.
fn is_used(folder: &Path) -> anyhow::Result<bool> {
    let mut processes = std::fs::read_dir("/proc")?.flatten();
    // One that ends meanwhile works nowhere.
    Ok(processes.any(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|at| at.starts_with(folder))))
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
