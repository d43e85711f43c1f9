use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
};

use serde_json::Value;

/// The built program: `HELIOGRAPH_BIN`, or `heliograph` beside the folder of the test executable.
///
/// # Panics
/// When it has not been built.
pub fn heliograph() -> PathBuf {
    if let Some(path) = std::env::var_os("HELIOGRAPH_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the path of the running test");
    let path = test.parent().and_then(Path::parent).map(|folder| folder.join("heliograph")).unwrap_or_default();
    assert!(
        path.is_file(),
        "there is no {}: build it first with 'cargo build --release -p heliograph', or set HELIOGRAPH_BIN",
        path.display()
    );
    path
}

/// How a command ended.
#[derive(Debug)]
pub struct Output {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// This output, of a command that ended well.
    ///
    /// # Panics
    /// With all it said, when it did not.
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "the command failed: {self:#?}");
        self
    }

    /// The JSON object in the last line of standard output, as `--json` promises it.
    ///
    /// # Panics
    /// When there is none.
    pub fn json(&self) -> Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("the last line is no JSON ({error}): {self:#?}"))
    }
}

/// Runs `heliograph` with these arguments to its end; no variable of the surroundings configures it.
pub async fn run<I, A>(arguments: I) -> Output
where
    I: IntoIterator<Item = A>,
    A: AsRef<std::ffi::OsStr>,
{
    run_with(Vec::new(), arguments).await
}

/// The same with variables in its surroundings.
pub async fn run_with<I, A>(variables: Vec<(String, String)>, arguments: I) -> Output
where
    I: IntoIterator<Item = A>,
    A: AsRef<std::ffi::OsStr>,
{
    let mut command = tokio::process::Command::from(bare_command());
    let output =
        command.envs(variables).args(arguments).kill_on_drop(true).output().await.expect("starting heliograph");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Output { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The program without arguments, free of variables that would configure it.
pub(crate) fn bare_command() -> std::process::Command {
    bare(std::process::Command::new(heliograph()))
}

/// A command free of variables that would configure the program.
pub(crate) fn bare(mut command: std::process::Command) -> std::process::Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HELIOGRAPH_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").env("RUST_BACKTRACE", "1");
    command
}
