use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::{Client, Setup, SmallDisk, binary::bare, eventually, heliograph};

/// One `heliograph serve` process with its own folder. It is killed when this is dropped.
#[derive(Debug)]
pub struct Node {
    /// What it was started from; a change takes effect with the next start.
    pub setup: Setup,
    /// The administrator's token.
    pub admin_token: String,
    /// A token with the scope `deposit`.
    pub deposit_token: String,
    /// Where its data is, if not on the machine's disk. Dropped before the folder.
    pub disk: Option<SmallDisk>,
    folder: TempDir,
    process: Option<Child>,
}

/// What the search library says when a merge it began finds its segments replaced by a newer commit; nothing is lost.
const HARMLESS: [&str; 2] = ["WARN segment_ids: ", "couldn't find segment in SegmentManager"];

impl Node {
    /// Starts a node without peers and waits until it is ready.
    pub async fn start(id: &str) -> Self {
        Self::start_with(Setup::new(id).await).await
    }

    /// Starts a node and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_with(setup: Setup) -> Self {
        let folder = folder_for(&setup);
        Self::start_in(setup, folder, None).await
    }

    /// The same, with its data on a small disk of its own.
    ///
    /// # Errors
    /// In words, where the system does not let anybody mount one.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_on_small_disk(setup: Setup, mebibytes: u32) -> Result<Self, String> {
        let folder = folder_for(&setup);
        let disk = SmallDisk::on(&folder.path().join("data"), mebibytes)?;
        Ok(Self::start_in(setup, folder, Some(disk)).await)
    }

    async fn start_in(setup: Setup, folder: TempDir, disk: Option<SmallDisk>) -> Self {
        let (admin_token, deposit_token) = Default::default();
        let mut node = Self { setup, admin_token, deposit_token, disk, folder, process: None };
        let keys = node.data_dir().join("keys");
        fs::create_dir_all(&keys)
            .and_then(|()| fs::write(keys.join("node.key"), &node.setup.keys.secret))
            .expect("writing a key");
        node.launch().await;
        let token = node.data_dir().join("keys/admin-token");
        node.admin_token = fs::read_to_string(token).expect("the administrator's token").trim().to_owned();
        node.deposit_token = node.new_token(&["deposit"]).await;
        node
    }

    /// The node's name.
    pub fn id(&self) -> &str {
        &self.setup.id
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.setup.url()
    }

    /// Its data folder, as a test sees it.
    pub fn data_dir(&self) -> PathBuf {
        self.disk.as_ref().map_or_else(|| self.folder.path().join("data"), SmallDisk::folder)
    }

    /// Its configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("node.toml")
    }

    /// A folder for the test's own files, gone with the node.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its log since it was first started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Somebody without a token.
    pub fn anybody(&self) -> Client {
        Client::new(&self.url(), None)
    }

    /// Somebody with the token that allows deposits.
    pub fn depositor(&self) -> Client {
        Client::new(&self.url(), Some(&self.deposit_token))
    }

    /// The administrator.
    pub fn admin(&self) -> Client {
        Client::new(&self.url(), Some(&self.admin_token))
    }

    /// Makes a token with these scopes; gives its text.
    ///
    /// # Panics
    /// When the node refuses.
    pub async fn new_token(&self, scopes: &[&str]) -> String {
        let answer =
            self.admin().post("/api/v1/tokens", &json!({"label": "test", "scopes": scopes})).await.expect(201).json();
        answer["token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// Waits until search shows everything this node's log holds; an answer to a publication waits only so long.
    pub async fn caught_up(&self) {
        let client = self.anybody();
        eventually("search catches up with the log", || async {
            let size = client.get("/federation/v1/node").await.ok()["log_size"].clone();
            let sources = client.search("size=0").await["sources"].clone();
            let own = sources.as_array().into_iter().flatten().find(|source| source["node"] == self.id());
            if own.is_some_and(|own| own["as_of"] == size) { Ok(()) } else { Err(format!("{size}: {sources}")) }
        })
        .await;
    }

    /// Whether it runs, and has not ended by itself.
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Starts the process; the configuration file is written anew from [`Node::setup`].
    ///
    /// # Panics
    /// When it is running already, or cannot be started.
    pub fn launch_without_waiting(&mut self) {
        assert!(self.process.is_none(), "'{}' is running already", self.id());
        fs::write(self.config_file(), self.setup.toml(&self.folder.path().join("data")))
            .expect("writing the configuration");
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).expect("opening the log");
        let process =
            bare(self.disk.as_ref().map_or_else(|| Command::new(heliograph()), |disk| disk.command(&heliograph())))
                .args(["serve".as_ref(), "--config".as_ref(), self.config_file().as_os_str()])
                .envs(self.setup.variables.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .stdout(log.try_clone().expect("a second handle of the log"))
                .stderr(log)
                .spawn()
                .expect("starting heliograph");
        self.process = Some(process);
    }

    /// Starts the process and waits until it is ready.
    ///
    /// # Panics
    /// With its log, when it does not become ready.
    pub async fn launch(&mut self) {
        self.launch_without_waiting();
        self.wait_until_ready().await;
    }

    /// Waits until the running process answers that it is ready.
    ///
    /// # Panics
    /// With its log, when it ends or does not become ready.
    pub async fn wait_until_ready(&mut self) {
        let client = self.anybody();
        let log_file = self.log_file();
        let process = self.process.as_mut().expect("a running process");
        eventually("the node becomes ready", || {
            if let Ok(Some(status)) = process.try_wait() {
                panic!("the node ended with {status}:\n{}", fs::read_to_string(&log_file).unwrap_or_default());
            }
            let request = client.try_send(client.request(reqwest::Method::GET, "/health/ready"));
            async move {
                let answer = request.await?;
                if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
            }
        })
        .await;
    }

    /// Stops it as an operator does, with SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When it does not end well.
    pub async fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        signal("TERM", process.id());
        let status = eventually("the node stops on SIGTERM", || {
            let ended = process.try_wait();
            async move { ended.ok().flatten().ok_or_else(|| "it still runs".to_owned()) }
        })
        .await;
        assert!(status.success(), "the node ended with {status}:\n{}", self.log());
    }

    /// Ends it with SIGKILL, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Both fail only when it has ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    /// Copies the data folder of the stopped node.
    ///
    /// # Panics
    /// When the node runs, or the copy fails.
    pub fn copy_data(&self, to: &Path) {
        assert!(self.process.is_none(), "a running node's data cannot be copied");
        copy(&self.data_dir(), to);
    }

    /// Puts a copy made before in the place of the data.
    ///
    /// # Panics
    /// When the node runs, or the copy fails.
    pub fn replace_data(&self, with: &Path) {
        assert!(self.process.is_none(), "a running node's data cannot be replaced");
        fs::remove_dir_all(self.data_dir()).expect("removing the data");
        copy(with, &self.data_dir());
    }

    /// Checks that the log holds no warning or error but those that contain one of the allowed texts.
    ///
    /// # Panics
    /// With the first line that should not be there.
    pub fn assert_quiet_log(&self, allowed: &[&str]) {
        let log = self.log();
        let loud = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ") || line.contains("panicked at");
        let expected = |line: &&str| allowed.iter().chain(&HARMLESS).any(|text| line.contains(text));
        let unexpected = log.lines().filter(loud).find(|line| !expected(line));
        assert!(unexpected.is_none(), "the log of '{}' says: {}", self.id(), unexpected.unwrap_or_default());
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail = log.lines().skip(log.lines().count().saturating_sub(40)).collect::<Vec<_>>().join("\n");
            eprintln!("--- end of the log of '{}'\n{tail}\n---", self.id());
        }
    }
}

/// Sends a signal by the command that every system has; the standard library can only kill.
pub(crate) fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "sending SIG{name} to {pid}");
}

fn folder_for(setup: &Setup) -> TempDir {
    tempfile::Builder::new().prefix(&format!("heliograph-{}-", setup.id)).tempdir().expect("a folder")
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.is_ok_and(|status| status.success()), "copying {} to {}", from.display(), to.display());
}
