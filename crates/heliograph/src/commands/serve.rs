use std::process::ExitCode;

use anyhow::Result;

use super::arguments::ConfigFile;
use crate::{Config, Server, telemetry};

/// Runs a node until Ctrl-C or SIGTERM.
pub(crate) async fn serve(arguments: &ConfigFile) -> Result<ExitCode> {
    let config = Config::load(arguments.config.as_deref())?;
    telemetry::start(&config.log.level, &config.log.format);
    let server = Server::start(config).await?;
    until_told_to_stop().await?;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn until_told_to_stop() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
