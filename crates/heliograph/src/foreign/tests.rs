use std::{fs, os::unix::fs::PermissionsExt, sync::atomic::AtomicBool};

use super::{sandbox::Walls, *};

/// A program in a folder of its own, and a work folder beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        fs::create_dir(place.folder.path().join("tool")).unwrap();
        fs::create_dir_all(place.work().join("in")).unwrap();
        fs::write(place.program(), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(place.program(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(place.input(), "a microscope file").unwrap();
        place
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("tool/bioformats2raw")
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn input(&self) -> PathBuf {
        self.work().join("in/x.lif")
    }

    fn convert(&self, limits: ForeignLimits, progress: &dyn Progress) -> Result<(), ForeignFailure> {
        let converter = Bioformats2raw::new(&self.program(), limits).unwrap();
        converter.convert(&self.work(), &self.input(), &self.work().join("raw.zarr"), progress)
    }

    fn refusal(&self, limits: ForeignLimits) -> String {
        self.convert(limits, &Unwatched).expect_err("a refusal").to_string()
    }
}

/// Wants the work until a file is there.
struct UntilThere(PathBuf);

impl Progress for UntilThere {
    fn advance(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        self.0.exists()
    }
}

fn limits() -> ForeignLimits {
    ForeignLimits { time: Duration::from_secs(120), memory_bytes: 1 << 30, output_bytes: 1 << 20, output_files: 100 }
}

#[test]
fn what_the_program_writes_is_there_and_its_surroundings_are_bare() {
    let place =
        Place::new("mkdir \"$2\" && cp \"$1\" \"$2/copy\" && env | cut -d= -f1 | sort > \"$2/env\"; pwd > \"$2/pwd\"");
    place.convert(limits(), &Unwatched).unwrap();
    let output = place.work().join("raw.zarr");
    assert_eq!(fs::read_to_string(output.join("copy")).unwrap(), "a microscope file");
    let known = ["HOME", "JAVA_HOME", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "_"];
    let variables = fs::read_to_string(output.join("env")).unwrap();
    assert!(variables.lines().all(|name| known.contains(&name)), "{variables}");
    assert_eq!(fs::read_to_string(output.join("pwd")).unwrap().trim(), place.work().to_string_lossy());
}

#[test]
fn what_it_says_when_it_fails_is_passed_on_but_not_all_of_it() {
    let place = Place::new("head -c 1000000 /dev/zero | tr '\\0' x; echo 'Unknown file format' >&2; exit 3");
    let refusal = place.refusal(limits());
    assert!(refusal.contains("exit status: 3") && refusal.contains("Unknown file format"), "{refusal}");
    assert!(refusal.len() < 20_000, "{} bytes", refusal.len());
}

#[test]
fn a_program_that_hangs_is_ended_with_its_children() {
    let place = Place::new("sleep 1000");
    let refusal = place.refusal(ForeignLimits { time: Duration::from_millis(300), ..limits() });
    assert!(refusal.contains("import.foreign_seconds"), "{refusal}");
    let place = Place::new("sleep 1000 & echo $! > child.new; mv child.new child; sleep 1000");
    let outcome = place.convert(limits(), &UntilThere(place.work().join("child")));
    assert!(matches!(outcome, Err(ForeignFailure::Cancelled)), "{outcome:?}");
    // In a space of its own a process has another number: then it ended with that space.
    let child = fs::read_to_string(place.work().join("child")).unwrap();
    let command = fs::read_to_string(format!("/proc/{}/cmdline", child.trim())).unwrap_or_default();
    assert!(!command.contains("sleep\u{0}1000"), "the child still runs");
}

#[test]
fn a_program_that_writes_too_much_is_ended() {
    let place = Place::new("mkdir \"$2\"; i=0; while :; do head -c 300000 /dev/zero > \"$2/$i\"; i=$((i+1)); done");
    assert!(place.refusal(limits()).contains("limits.converted_bytes"));
    let place = Place::new("mkdir \"$2\"; i=0; while :; do : > \"$2/$i\"; i=$((i+1)); done");
    assert!(place.refusal(limits()).contains("limits.deposit_files"));
}

#[test]
fn a_program_is_ended_when_nobody_wants_its_work_any_more() {
    let place = Place::new("sleep 1000");
    let outcome = place.convert(limits(), &AtomicBool::new(true));
    assert!(matches!(outcome, Err(ForeignFailure::Cancelled)), "{outcome:?}");
}

#[test]
fn a_program_sees_nothing_of_ours_and_changes_nothing() {
    if Sandbox::of_this_machine().walls() != Walls::Bubblewrap {
        eprintln!("SKIPPED: bwrap does not work on this machine");
        return;
    }
    let place =
        Place::new("cat \"$(dirname \"$PWD\")/secret\"; echo changed > \"$0\"; mkdir \"$2\"; ls / > \"$2/root\"");
    fs::write(place.folder.path().join("secret"), "the node's key").unwrap();
    place.convert(limits(), &Unwatched).unwrap();
    assert!(fs::read_to_string(place.program()).unwrap().starts_with("#!/bin/sh"), "it changed its own program");
    let root = fs::read_to_string(place.work().join("raw.zarr/root")).unwrap();
    assert!(!root.lines().any(|name| name == "home" || name == "root"), "{root}");
    let place = Place::new("cat ../secret || exit 7");
    fs::write(place.folder.path().join("secret"), "the node's key").unwrap();
    let refusal = place.refusal(limits());
    assert!(refusal.contains("exit status: 7") && !refusal.contains("the node's key"), "{refusal}");
}

#[test]
fn the_version_is_asked_for_once_and_may_be_absent() {
    let named = Place::new("echo 'Version = 0.9.1'; echo 'Bio-Formats version = 7.3.1'");
    let converter = Bioformats2raw::new(&named.program(), limits()).unwrap();
    assert_eq!(converter.software(), "bioformats2raw 0.9.1");
    let silent = Place::new("exit 1");
    let converter = Bioformats2raw::new(&silent.program(), limits()).unwrap();
    assert_eq!(converter.software(), "bioformats2raw (version unknown)");
}
