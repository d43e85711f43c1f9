use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A clock that is wrong, for single processes.
#[derive(Debug, Clone)]
pub struct WrongClock {
    library: PathBuf,
}

impl WrongClock {
    /// Makes it ready in a folder, which has to stay.
    ///
    /// # Errors
    /// In words, where there is no C compiler.
    pub fn in_folder(folder: &Path) -> Result<Self, String> {
        Ok(Self { library: preloadable("wrong_clock", folder)? })
    }

    /// The variables of a process whose clock is wrong by so many seconds.
    pub fn variables(&self, seconds: i64) -> Vec<(String, String)> {
        vec![preload(&self.library), ("WRONG_CLOCK_SECONDS".into(), seconds.to_string())]
    }
}

/// Writes to the ledger that fail as on a full disk, although the disk is not, while a file exists.
#[derive(Debug, Clone)]
pub struct FailingWrites {
    library: PathBuf,
    flag: PathBuf,
}

impl FailingWrites {
    /// Makes them ready in a folder, which has to stay.
    ///
    /// # Errors
    /// In words, where there is no C compiler.
    pub fn in_folder(folder: &Path) -> Result<Self, String> {
        Ok(Self { library: preloadable("failing_writes", folder)?, flag: folder.join("fail") })
    }

    /// The variables of a process whose writes can be made to fail.
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![preload(&self.library), ("FAIL_WRITES_WHILE".into(), self.flag.to_string_lossy().into_owned())]
    }

    /// From now on they fail.
    pub fn begin(&self) {
        std::fs::write(&self.flag, "").expect("a file");
    }

    /// From now on they do not.
    pub fn end(&self) {
        std::fs::remove_file(&self.flag).expect("removing it");
    }
}

fn preload(library: &Path) -> (String, String) {
    ("LD_PRELOAD".into(), library.to_str().expect("a plain path").to_owned())
}

/// Compiles a C source beside this one into a library that is loaded before all others.
fn preloadable(name: &str, folder: &Path) -> Result<PathBuf, String> {
    let library = folder.join(name).with_extension("so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name).with_extension("c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).arg("-ldl");
    let output = command.output().map_err(|error| format!("cc: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(library) } else { Err(said) }
}
