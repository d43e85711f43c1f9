//! The command line: one file a command below this one.

mod arguments;
mod convert;
mod fetch;
mod offline;
mod ontology;
mod peers;
mod remote;
mod serve;
mod validate;
mod verify;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

pub(crate) use arguments::Demo;
use arguments::{Arguments, Command};
pub(crate) use remote::print_findings;
pub(crate) use serve::until_told_to_stop;

/// Runs the command the arguments name; the exit code says how it went.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(dispatch(arguments.command));
    // A blocking task that reads from a dead disk must not keep the program alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match outcome {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

async fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(serve) => serve::serve(&serve).await,
        Command::Demo(demo) => crate::demo::run(&demo).await,
        Command::Deposit(deposit) => remote::deposit(&deposit).await,
        Command::Fetch(arguments) => fetch::run(&arguments).await,
        Command::Import(import) => remote::import_source(&import).await,
        Command::Search(search) => remote::search(&search).await,
        Command::Harvest(harvest) => remote::harvest(&harvest).await,
        Command::Peers(peers) => peers::peers(&peers).await,
        Command::Convert(convert) => convert::convert(&convert).await,
        Command::Validate(validate) => validate::validate(&validate).await,
        Command::Verify(arguments) => verify::verify(&arguments).await,
        Command::Scrub(remote) => remote::scrub(&remote).await,
        Command::Rebuild(rebuild) => offline::rebuild(&rebuild).await,
        Command::Token { command } => offline::token(command).await,
        Command::Ontology { command } => ontology::ontology(command).await,
        Command::Keygen(keygen) => offline::keygen(&keygen).await,
        Command::SparqlWorker { store } => offline::sparql_worker(store).await,
        Command::Config { command } => offline::config(command),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("heliograph: {error:#}");
    ExitCode::FAILURE
}
