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
        let library = folder.join("wrong_clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wrong_clock.c");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let mut command = Command::new(compiler);
        command.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).arg("-ldl");
        let output = command.output().map_err(|error| format!("cc: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(Self { library }) } else { Err(said) }
    }

    /// The variables of a process whose clock is wrong by so many seconds.
    pub fn variables(&self, seconds: i64) -> Vec<(String, String)> {
        let library = self.library.to_str().expect("a plain path").to_owned();
        vec![("LD_PRELOAD".into(), library), ("WRONG_CLOCK_SECONDS".into(), seconds.to_string())]
    }
}
