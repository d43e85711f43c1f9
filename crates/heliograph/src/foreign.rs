//! bioformats2raw, for formats that nothing in this program reads. It is somebody else's program on a stranger's file, so it
//! runs shut in as well as this machine allows, with limits on everything it can take.

mod child;
mod sandbox;

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use node::{ForeignConverter, ForeignFailure};
use ome_zarr::{Progress, Unwatched};

use sandbox::Sandbox;

/// What one run may take.
#[derive(Debug, Clone)]
pub(crate) struct ForeignLimits {
    /// Wall-clock time; processor time may be as much on every core.
    pub time: Duration,
    /// Bytes of memory that each of its processes may write to.
    pub memory_bytes: u64,
    /// Bytes it may write.
    pub output_bytes: u64,
    /// Files it may make.
    pub output_files: u64,
}

/// The program, and how it is shut in here.
#[derive(Debug)]
pub(crate) struct Bioformats2raw {
    program: PathBuf,
    limits: ForeignLimits,
    sandbox: Sandbox,
    version: OnceLock<String>,
}

impl Bioformats2raw {
    /// Takes a look at the program and at what this machine offers to shut it in; says in the log what that is.
    pub(crate) fn new(program: &Path, limits: ForeignLimits) -> Result<Self> {
        let program = program.canonicalize().with_context(|| format!("bioformats2raw: {}", program.display()))?;
        if !program.is_file() {
            bail!("bioformats2raw: {} is no program: name the file itself", program.display());
        }
        let sandbox = Sandbox::of_this_machine();
        tracing::info!(program = %program.display(), sandbox = sandbox.description(), "foreign formats are converted");
        if let Some(missing) = sandbox.missing() {
            tracing::warn!("bioformats2raw is not fully shut in: {missing}");
        }
        Ok(Self { program, limits, sandbox, version: OnceLock::new() })
    }

    /// Asks the program for its version; it is named without one when it does not say.
    fn ask_version(&self) -> Option<String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = format!("heliograph-version-{}-{}", std::process::id(), now.as_nanos());
        let folder = std::env::temp_dir().join(name);
        // One that is there already is somebody else's.
        std::fs::create_dir(&folder).ok()?;
        let command = self.sandbox.command(&self.program, &["--version".as_ref()], &folder, &self.limits);
        let limits = ForeignLimits { time: Duration::from_secs(30), ..self.limits.clone() };
        let said = child::run(command, &folder, &limits, &Unwatched);
        // A folder that stays is an empty one.
        let _ = std::fs::remove_dir_all(&folder);
        let said = said.ok()?;
        let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
        said.split_whitespace().map(|word| word.trim_start_matches('v')).find(is_version).map(str::to_owned)
    }
}

impl ForeignConverter for Bioformats2raw {
    fn software(&self) -> String {
        let version = self.version.get_or_init(|| self.ask_version().unwrap_or_else(|| "(version unknown)".to_owned()));
        format!("bioformats2raw {version}")
    }

    fn convert(&self, work: &Path, input: &Path, output: &Path, progress: &dyn Progress) -> Result<(), ForeignFailure> {
        let arguments = [input.as_os_str(), output.as_os_str()];
        let command = self.sandbox.command(&self.program, &arguments, work, &self.limits);
        let said = child::run(command, work, &self.limits, progress)?;
        if output.is_dir() {
            return Ok(());
        }
        Err(ForeignFailure::Refused(format!("it wrote nothing; it said: {}", said.trim())))
    }
}

#[cfg(test)]
mod tests;
