//! Ways to shut a program in, the best that a machine has: no network, nothing to see but itself, the system's libraries and
//! its work folder, nothing to write to but that folder, and limits that the kernel keeps.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::ForeignLimits;

/// Where programs and libraries are.
const SYSTEM: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives"];
/// What else of the machine Java looks at.
const SETTINGS: [&str; 3] = ["/etc/ld.so.cache", "/etc/fonts", "/etc/localtime"];
/// Files a process may have open.
const OPEN_FILES: u64 = 4096;

/// How a program is shut in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sandbox {
    walls: Walls,
    /// Whether `prlimit` is there to set the kernel's limits.
    limits: bool,
}

/// What a program can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walls {
    /// `bwrap`: its own network, processes and file system.
    Bubblewrap,
    /// `unshare`: its own network and processes; it sees all files that this user may read.
    Namespaces,
    /// Nothing but a cleared environment.
    None,
}

impl Sandbox {
    /// The best that works here, found by trying it.
    pub(super) fn of_this_machine() -> Self {
        let limits = works(Command::new("prlimit").arg("--version"));
        let nothing = ForeignLimits {
            time: std::time::Duration::from_secs(10),
            memory_bytes: 1 << 30,
            output_bytes: 1 << 20,
            output_files: 1,
        };
        let walls = [Walls::Bubblewrap, Walls::Namespaces].into_iter().find(|walls| {
            let sandbox = Self { walls: *walls, limits };
            works(&mut sandbox.command(Path::new("/bin/true"), &[], &env::temp_dir(), &nothing))
        });
        Self { walls: walls.unwrap_or(Walls::None), limits }
    }

    #[cfg(test)]
    pub(super) fn walls(self) -> Walls {
        self.walls
    }

    /// What shuts the program in, for the log.
    pub(super) fn description(self) -> &'static str {
        match self.walls {
            Walls::Bubblewrap => "bwrap: no network, sees and writes its work folder only",
            Walls::Namespaces => "unshare: no network",
            Walls::None => "none: cleared environment, watched for time and size",
        }
    }

    /// What an operator should install, for the log.
    pub(super) fn missing(self) -> Option<&'static str> {
        match (self.walls, self.limits) {
            (Walls::Bubblewrap, true) => None,
            (Walls::Bubblewrap, false) => Some("install prlimit (package util-linux) to bound its memory"),
            (Walls::Namespaces, _) => {
                Some("install bwrap (package bubblewrap), or it can read what this user can read")
            }
            (Walls::None, _) => Some(
                "neither bwrap nor unshare works here: it has the network and can read what this user can read; install \
                 bubblewrap and allow user namespaces",
            ),
        }
    }

    /// The command that runs a program in here, with `work` as its only folder and an empty environment but for what it
    /// needs to find Java and that folder.
    pub(super) fn command(self, program: &Path, arguments: &[&OsStr], work: &Path, limits: &ForeignLimits) -> Command {
        let java = env::var_os("JAVA_HOME").map(PathBuf::from);
        let mut line: Vec<OsString> = if self.limits { prlimit(limits) } else { Vec::new() };
        line.extend(match self.walls {
            Walls::Bubblewrap => bubblewrap(program, work, java.as_deref()),
            Walls::Namespaces => words(&[
                "unshare",
                "--user",
                "--map-current-user",
                "--net",
                "--ipc",
                "--pid",
                "--fork",
                "--kill-child=KILL",
                "--",
            ]),
            Walls::None => Vec::new(),
        });
        line.push(program.into());
        line.extend(arguments.iter().map(OsString::from));
        let mut words = line.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env_clear().current_dir(work);
        command.env("PATH", env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        command.env("HOME", work).env("TMPDIR", work);
        if let Some(java) = java {
            command.env("JAVA_HOME", java);
        }
        command
    }
}

fn prlimit(limits: &ForeignLimits) -> Vec<OsString> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    words(&[
        "prlimit",
        &format!("--cpu={}", limits.time.as_secs().saturating_mul(cores).max(1)),
        // What a process writes to: a Java machine reserves far more addresses than it ever uses.
        &format!("--data={}", limits.memory_bytes),
        &format!("--fsize={}", limits.output_bytes),
        &format!("--nofile={OPEN_FILES}"),
        "--core=0",
        "--",
    ])
}

fn bubblewrap(program: &Path, work: &Path, java: Option<&Path>) -> Vec<OsString> {
    let mut line = words(&["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--proc", "/proc"]);
    line.extend(words(&["--dev", "/dev", "--tmpfs", "/tmp"]));
    let system = SYSTEM.iter().chain(&SETTINGS).map(PathBuf::from);
    let installed = home_of(program, work);
    for path in system.chain(java_settings()).chain(java.map(Path::to_owned)).chain([installed]) {
        line.extend(["--ro-bind-try".into(), path.clone().into_os_string(), path.into_os_string()]);
    }
    line.extend(["--bind".into(), work.into(), work.into(), "--chdir".into(), work.into(), "--".into()]);
    line
}

/// The folder a program is installed in with its libraries: above its `bin`. Where our data is below that, the file alone.
fn home_of(program: &Path, work: &Path) -> PathBuf {
    let folder = program.parent().unwrap_or(program);
    let home = if folder.ends_with("bin") { folder.parent().unwrap_or(folder) } else { folder };
    if work.starts_with(home) { program.to_owned() } else { home.to_owned() }
}

/// Debian keeps settings of Java in folders named by its version.
fn java_settings() -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir("/etc").into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().starts_with("/etc/java"))
}

fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_seen_with_its_libraries_unless_our_data_is_among_them() {
        let home = |program: &str| home_of(Path::new(program), Path::new("/srv/data/jobs/1"));
        assert_eq!(home("/opt/bioformats2raw/bin/bioformats2raw"), Path::new("/opt/bioformats2raw"));
        assert_eq!(home("/opt/tool/run"), Path::new("/opt/tool"));
        assert_eq!(home("/srv/run"), Path::new("/srv/run"));
        assert_eq!(home("/bin/true"), Path::new("/bin/true"));
    }
}
