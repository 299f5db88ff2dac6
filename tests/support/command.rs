//! The program's commands as somebody types them in a folder: each runs to its end, or serves.

use std::{
    path::Path,
    process::{Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use super::shop::{LOOK_EVERY, PATIENCE, free_port};

/// The program, with nothing set but where it listens.
pub fn usual(folder: &Path) -> Command {
    alone(Command::new(env!("CARGO_BIN_EXE_usual")), folder)
}

/// The program that serves, started by a shell after another command of its.
pub fn usual_after(first: &str, folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first}; exec \"$0\" serve"), env!("CARGO_BIN_EXE_usual")]);
    alone(shell, folder)
}

fn alone(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["DATABASE_URL", "TELOXIDE_TOKEN", "TELOXIDE_API_URL", "USUAL_TELEGRAM_SECRET", "USUAL_PUBLIC_URL"] {
        command.env_remove(name);
    }
    command.env("USUAL_LISTEN", format!("127.0.0.1:{}", free_port()));
    command
}

/// Runs to the end, which must be a refusal; what it said.
pub async fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8(stderr).unwrap();
    said.lines().filter(|line| line.starts_with("usual: ")).collect::<Vec<_>>().join("\n")
}

/// Runs to the end; its exit code, and what it said. What it complained of stands in the test's own output.
pub async fn ran(command: &mut Command, input: &str) -> (Option<i32>, String) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// A program that serves; its base address and the link of the first sign-in.
pub async fn serving(command: &mut Command) -> (Child, String, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut base = None;
    let read = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the program did not start; what it said stands above");
            let line = line.trim();
            eprintln!("{line}");
            if let Some(address) = line.strip_prefix("chat ") {
                base = Some(address.trim().trim_end_matches('/').to_owned());
            }
            if line.contains("/console/welcome?key=") {
                return line.to_owned();
            }
        }
    };
    let link = tokio::time::timeout(PATIENCE, read).await.expect("the program did not start");
    // A pipe that nobody reads would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, base.unwrap(), link)
}

/// Asks a program to end, and waits until it has; its exit code.
pub async fn end(child: &mut Child) -> Option<i32> {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    tokio::time::timeout(PATIENCE, child.wait()).await.expect("the program ends").unwrap().code()
}

/// Waits until the program answers.
pub async fn ready(base: &str) {
    let answers = async {
        while reqwest::get(format!("{base}/readyz")).await.is_err() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, answers).await.unwrap();
}
