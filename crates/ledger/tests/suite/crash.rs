//! What is acknowledged survives `kill -9`, and nothing is ever half there.
//!
//! The test starts itself again as a child that appends without end and says on its standard output what was
//! acknowledged; the parent kills it at a random point, opens the ledger and compares.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use crate::support::{check, node, nth};
use bytes::Bytes;
use dataset_model::{Digest, NodeId};
use ledger::{Append, Ledger};

const FOLDER: &str = "LEDGER_CRASH_FOLDER";
const ROUNDS: usize = 20;
const DATASETS: u64 = 50;

/// The crate that entry `index` points to, and a long one now and then.
fn crate_text(index: u64) -> String {
    format!("crate {index}")
}

/// A document that changes with each append; it is long, so that it is stored in pieces.
fn note(size: u64) -> String {
    format!("{size} ").repeat(3000)
}

#[test]
fn child_that_appends_until_it_is_killed() {
    // Runs as the child alone; as a test of its own it checks that a batch can be written at all.
    let Some(folder) = std::env::var_os(FOLDER) else {
        let folder = tempfile::tempdir().unwrap();
        append_batch(&Ledger::open(folder.path()).unwrap(), &node("europe"), 3);
        return verify(folder.path(), [3, 0]);
    };
    let ledger = Ledger::open(Path::new(&folder)).unwrap();
    let logs = [node("europe"), node("japan")];
    let mut out = std::io::stdout().lock();
    loop {
        let log = &logs[usize::from(rand::random::<bool>())];
        // A large batch fills several of the engine's buffers, so that a part of it reaches the disk before the rest.
        let count = if rand::random_ratio(1, 4) { 1500 } else { rand::random_range(1..60) };
        let size = append_batch(&ledger, log, count);
        writeln!(out, "acknowledged {log} {size}").unwrap();
        out.flush().unwrap();
    }
}

fn append_batch(ledger: &Ledger, log: &NodeId, count: u64) -> u64 {
    let (notes, sizes) = (ledger.collection::<String>("notes"), ledger.collection::<u64>("sizes"));
    let start = ledger.size(log).unwrap();
    let end = start + count;
    let crates = (start..end).map(|index| Bytes::from(crate_text(index)));
    let append = Append {
        expected_size: Some(start),
        entries: (start..end).map(|index| nth(index, DATASETS)).collect(),
        crates: crates.map(|bytes| (Digest::of(&bytes), bytes)).collect(),
        dropped_crates: Vec::new(),
        changes: vec![
            notes.put(log.as_str(), &note(end)).unwrap(),
            sizes.put(log.as_str(), &end).unwrap(),
            // Documents that come and go make the engine reuse what it freed.
            notes.put(&format!("old/{log}/{end:08}"), &note(end)).unwrap(),
        ],
    };
    assert_eq!(ledger.append(log, append).unwrap(), start..end);
    if end > 400 {
        let old = notes.remove_prefix(&format!("old/{log}/")).unwrap();
        ledger.write(old).unwrap();
    }
    end
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = [0, 0];
    for round in 0..ROUNDS {
        let mut child = start(folder.path());
        let lines = lines_of(&mut child);
        for _ in 0..rand::random_range(0..8) {
            acknowledge(&lines.recv().unwrap(), &mut acknowledged);
        }
        // Into the next append, or the ones after.
        let deadline = Instant::now() + Duration::from_micros(rand::random_range(0..40_000));
        while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            acknowledge(&line, &mut acknowledged);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.iter().for_each(|line| acknowledge(&line, &mut acknowledged));
        println!("round {round}: {acknowledged:?}");
        verify(folder.path(), acknowledged);
    }
    assert!(acknowledged.iter().all(|size| *size > 0), "the child worked on both logs");
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::child_that_appends_until_it_is_killed", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The complete acknowledgements a child writes, as they come. A line cut short by the kill is none.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            let complete = line.starts_with("acknowledged ") && line.ends_with('\n');
            if complete && sender.send(std::mem::take(&mut line)).is_err() {
                break;
            }
            line.clear();
        }
    });
    lines
}

fn acknowledge(line: &str, acknowledged: &mut [u64; 2]) {
    let words: Vec<&str> = line.split_whitespace().collect();
    acknowledged[usize::from(words[1] == "japan")] = words[2].parse().unwrap();
}

fn verify(folder: &Path, acknowledged: [u64; 2]) {
    let ledger = Ledger::open(folder).unwrap();
    let (notes, sizes) = (ledger.collection::<String>("notes"), ledger.collection::<u64>("sizes"));
    for (log, acknowledged) in [node("europe"), node("japan")].iter().zip(acknowledged) {
        let size = ledger.size(log).unwrap();
        assert!(size >= acknowledged, "{log} has {size} entries, {acknowledged} were acknowledged");
        check(&ledger, log, &(0..size).map(|index| nth(index, DATASETS)).collect::<Vec<_>>());
        assert_eq!(sizes.get(log.as_str()).unwrap().unwrap_or(0), size, "the document changed with the log");
        assert_eq!(notes.get(log.as_str()).unwrap(), (size > 0).then(|| note(size)));
        for index in (0..size).filter(|index| index % 13 == 0 || index + 1600 > size) {
            let text = crate_text(index);
            assert_eq!(ledger.crate_bytes(&Digest::of(&text)).unwrap().unwrap(), text);
        }
    }
    for row in notes.iter_prefix("old/") {
        let (key, text) = row.unwrap();
        let size: u64 = key.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(text, note(size));
    }
}

#[test]
fn a_snapshot_of_the_engine_that_is_not_whole_is_no_reason_not_to_open() {
    let folder = tempfile::tempdir().unwrap();
    let europe = node("europe");
    for index in 0..40 {
        // The engine makes a snapshot whenever it is opened on something new.
        let ledger = Ledger::open(folder.path()).unwrap();
        ledger.append(&europe, Append { entries: vec![nth(index, DATASETS)], ..Append::default() }).unwrap();
    }
    std::fs::write(folder.path().join("snap.7FFFFFFFFFFFFFFF.generating"), b"cut o").unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    check(&ledger, &europe, &(0..40).map(|index| nth(index, DATASETS)).collect::<Vec<_>>());
}
