//! Running a program that is not trusted to end, to be brief or to be frugal.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use node::ForeignFailure;
use ome_zarr::Progress;
use walkdir::WalkDir;

use super::ForeignLimits;

/// How often it is looked at.
const BEAT: Duration = Duration::from_millis(50);
/// What is kept of what it says, in bytes.
const TAIL: usize = 8 * 1024;
/// How long its last words may take once it has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs a command to its end, or ends it with all its processes. `work` is watched for what it writes.
///
/// Gives the end of what it said.
pub(super) fn run(
    mut command: Command,
    work: &Path,
    limits: &ForeignLimits,
    progress: &dyn Progress,
) -> Result<String, ForeignFailure> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let before = written(work).bytes;
    let mut child = command.spawn().map_err(|error| ForeignFailure::Unusable(error.to_string()))?;
    let said = [tail_of(child.stdout.take()), tail_of(child.stderr.take())];
    let ended = watch(&mut child, work, before, limits, progress);
    end_all(&mut child);
    let said: Vec<String> = said.iter().filter_map(|tail| tail.recv_timeout(LAST_WORDS).ok()).collect();
    let said = said.join("\n");
    match ended? {
        status if status.success() => Ok(said),
        status => Err(ForeignFailure::Refused(format!("it ended with {status} and said: {}", said.trim()))),
    }
}

fn watch(
    child: &mut Child,
    work: &Path,
    before: u64,
    limits: &ForeignLimits,
    progress: &dyn Progress,
) -> Result<std::process::ExitStatus, ForeignFailure> {
    let begun = Instant::now();
    let mut next_look = begun;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return check(work, before, limits).map(|_| status),
            Ok(None) => {}
            Err(error) => return Err(ForeignFailure::Unusable(error.to_string())),
        }
        if progress.is_cancelled() {
            return Err(ForeignFailure::Cancelled);
        }
        if begun.elapsed() > limits.time {
            let seconds = limits.time.as_secs();
            return Err(ForeignFailure::Refused(format!(
                "it took more than {seconds} seconds (import.foreign_seconds)"
            )));
        }
        if Instant::now() >= next_look {
            let look = Instant::now();
            progress.advance(check(work, before, limits)?, 0);
            // A look at many files takes its time: most of it is left to the work.
            next_look = Instant::now() + (look.elapsed() * 10).max(BEAT);
        }
        std::thread::sleep(BEAT);
    }
}

/// What it has written so far, in bytes, if that is not too much.
fn check(work: &Path, before: u64, limits: &ForeignLimits) -> Result<u64, ForeignFailure> {
    let now = written(work);
    let bytes = now.bytes.saturating_sub(before);
    if bytes > limits.output_bytes {
        let limit = limits.output_bytes;
        return Err(ForeignFailure::Refused(format!("it wrote more than {limit} bytes (limits.converted_bytes)")));
    }
    if now.files > limits.output_files {
        let limit = limits.output_files;
        return Err(ForeignFailure::Refused(format!("it made more than {limit} files (limits.deposit_files)")));
    }
    Ok(bytes)
}

struct Written {
    bytes: u64,
    files: u64,
}

/// What is in a folder; files that go while it is looked at do not count.
fn written(folder: &Path) -> Written {
    let files = WalkDir::new(folder).into_iter().flatten().filter_map(|entry| entry.metadata().ok());
    files.fold(Written { bytes: 0, files: 0 }, |sum, file| Written {
        bytes: sum.bytes + if file.is_file() { file.len() } else { 0 },
        files: sum.files + 1,
    })
}

/// Ends the program and every process of its group.
fn end_all(child: &mut Child) {
    // Through the system's command: the standard library ends single processes only. It fails when all have ended.
    let group = format!("-{}", child.id());
    let _ = Command::new("kill")
        .args(["-KILL", "--", &group])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // Both fail only when it has ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads to the end on a thread of its own, so that a full pipe stops nobody, and keeps the last of it.
fn tail_of(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut tail = Vec::new();
        let mut buffer = [0; 4096];
        if let Some(mut pipe) = pipe {
            while let Ok(count) = pipe.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                tail.extend_from_slice(&buffer[..count]);
                let excess = tail.len().saturating_sub(TAIL);
                tail.drain(..excess);
            }
        }
        // Nobody waits any more when it took too long.
        let _ = sender.send(String::from_utf8_lossy(&tail).into_owned());
    });
    receiver
}
