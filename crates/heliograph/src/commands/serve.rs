use std::{pin::pin, process::ExitCode};

use anyhow::Result;
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
    told.await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
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
