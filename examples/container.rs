//! Starts a shell in a container, sends it a signal, and waits for its end: `cargo run --example container -- nsinit ROOT`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use nsinit::{Container, End, Error};

/// Returns what the command has printed, and how it ended.
pub fn run(nsinit: &str, root: &str) -> Result<(String, End), Error> {
    const SIGTERM: i32 = 15;
    let script = "trap 'echo stopped; exit 3' TERM; echo ready; while :; do sleep 0.1; done";
    let mut shell = Container::new(root)
        .program(nsinit)
        .options(["--hostname", "box", "--read-only", "--tmpfs", "/tmp"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .start(["sh", "-c", script])?;

    let mut printed = String::new();
    let mut output = BufReader::new(shell.stdout.take().expect("it is piped"));
    output.read_line(&mut printed)?;
    shell.signal(SIGTERM)?;
    output.read_line(&mut printed)?;
    Ok((printed, shell.wait()?))
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [nsinit, root] = &words[..] else { return eprintln!("usage: container NSINIT ROOT") };
    match run(nsinit, root) {
        Ok((printed, end)) => println!("{printed}{end:?}"),
        Err(why) => eprintln!("{why}"),
    }
}
