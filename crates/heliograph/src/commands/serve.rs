use std::{
    os::unix::process::CommandExt,
    pin::pin,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::ConfigFile;
use crate::{Config, Server, telemetry};

/// Runs a node until Ctrl-C or SIGTERM.
pub(crate) async fn serve(arguments: &ConfigFile) -> Result<ExitCode> {
    let mut told = pin!(until_told_to_stop()?);
    let config = Config::load(arguments.config.as_deref())?;
    telemetry::start(&config.log.level, &config.log.format);
    let server = tokio::select! {
        server = Server::start(config) => server?,
        () = &mut told => return Ok(ExitCode::SUCCESS),
    };
    let again = tokio::select! {
        () = told => false,
        () = server.node().new_start_wanted() => true,
    };
    if again {
        tracing::warn!("a store stopped at a failed write, and there is room on the disk now: the node starts again");
    }
    server.stop().await;
    if again { begin_anew() } else { Ok(ExitCode::SUCCESS) }
}

/// Puts a new run of this program in the place of this one, with the same arguments: nothing that a failed write left in memory
/// is used any more, and whoever watches the process sees no end of it.
fn begin_anew() -> Result<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let program = std::env::current_exe().context("the program to start again")?;
    // Returns only when it failed.
    Err(Command::new(program).arg0(name).args(arguments).exec()).context("starting again")
}

/// Waits for Ctrl-C or SIGTERM. Both are caught from the call on, so that none that comes before the wait ends the program.
pub(crate) fn until_told_to_stop() -> Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
