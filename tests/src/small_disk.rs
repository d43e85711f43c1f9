use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A small file system in memory, mounted on a folder, that can be filled and emptied. Only programs started with
/// `command` find it there: it is in a namespace of mounts that one process holds, so that it needs no rights
/// and is gone with that process, also when the test is killed.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one on a folder.
    ///
    /// # Errors
    /// In words, where the system does not let anybody mount anything.
    pub fn on(folder: &Path, mebibytes: u32) -> Result<Self, String> {
        fs::create_dir_all(folder).expect("a folder to mount on");
        let script = r#"mount -t tmpfs -o "size=$1" heliograph-test "$2" && echo mounted && exec cat"#;
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", &format!("{mebibytes}m")])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut said = String::new();
        let output = holder.stdout.as_mut().expect("its output");
        // An error leaves the text empty, and that is looked at.
        let _ = BufReader::new(output).read_line(&mut said);
        if said != "mounted\n" {
            let ended = holder.wait_with_output().expect("its end");
            return Err(String::from_utf8_lossy(&ended.stderr).trim().to_owned());
        }
        Ok(Self { holder, folder: folder.to_owned() })
    }

    /// A program that finds the disk on its folder. Its process has the id of the command's.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--preserve-credentials", "--user", "--mount", "--target", &self.holder.id().to_string()]);
        command.arg(program);
        command
    }

    /// The folder, as it is seen from outside.
    pub(crate) fn folder(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.folder.strip_prefix("/").expect("an absolute folder"))
    }

    /// Takes every byte that is free.
    pub fn fill(&self) {
        let mut filler = fs::OpenOptions::new().create(true).append(true).open(self.filler()).expect("a file");
        for length in [1 << 20, 4096, 1] {
            let piece = vec![0; length];
            loop {
                match filler.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("filling the disk: {error}"),
                }
            }
        }
    }

    /// Takes all but so many mebibytes.
    pub fn fill_but(&self, mebibytes: u64) {
        self.fill();
        let filler = fs::OpenOptions::new().write(true).open(self.filler()).expect("the filler");
        let length = filler.metadata().expect("its length").len();
        filler.set_len(length - (mebibytes << 20)).expect("giving some back");
    }

    /// Gives back what [`fill`](Self::fill) took.
    pub fn empty(&self) {
        if self.is_full() {
            fs::remove_file(self.filler()).expect("removing the filler");
        }
    }

    /// Whether it was filled.
    pub fn is_full(&self) -> bool {
        self.filler().exists()
    }

    fn filler(&self) -> PathBuf {
        self.folder().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
