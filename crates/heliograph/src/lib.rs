//! The one binary: it wires the crates together, and speaks to people at a terminal.
//!
//! **Owns** the command line, configuration (TOML and environment), logging, the HTTP server as a value, the
//! three-node demonstration, and the remote commands with their progress bars.
//!
//! **Must not know** business rules: those are in `node`. Nothing else reads the environment or the arguments.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! let config = heliograph::Config::from_toml("[node]\nid = \"europe\"\n")?;
//! let server = heliograph::Server::start(config).await?;
//! println!("serving on {}", server.url());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

mod client;
mod commands;
mod config;
mod demo;
mod foreign;
mod query_workers;
mod server;
mod telemetry;

pub use commands::run;
pub use config::Config;
pub use server::Server;
