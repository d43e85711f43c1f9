use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{arguments::Fetch, until_told_to_stop};
use crate::client::{FetchPlan, Fetched, fetch};

/// Downloads a dataset, or one image of it, every file checked back to the signed log.
pub(crate) async fn run(arguments: &Fetch) -> Result<ExitCode> {
    let plan = FetchPlan {
        what: arguments.what.clone(),
        dest: arguments.dest.clone(),
        image: arguments.image.clone(),
        version: arguments.version,
        key: arguments.key.clone(),
        node: arguments.node.clone(),
        from: arguments.from.clone(),
        parallel: arguments.parallel.clamp(1, 64),
    };
    let told = until_told_to_stop()?;
    let fetched = tokio::select! {
        fetched = fetch(&plan) => fetched,
        () = told => Err(anyhow::anyhow!("interrupted: run the command again, it goes on here")),
    };
    match fetched {
        Ok(fetched) => {
            tell(&fetched);
            if arguments.json {
                println!("{}", json!(fetched));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if arguments.json {
                println!("{}", json!({"error": format!("{error:#}")}));
            }
            Err(error)
        }
    }
}

fn tell(fetched: &Fetched) {
    for (source, why) in &fetched.left_out {
        println!("left out: {source}: {why}");
    }
    for (source, files) in &fetched.sources {
        println!("{files} file(s) from {source}");
    }
    println!("{} file(s) were there already, and right", fetched.reused);
    println!("checked against {}", fetched.trust);
    println!(
        "{} v{}: {} file(s), {} bytes, entry {} of {} in the log {}",
        fetched.id, fetched.version, fetched.files, fetched.bytes, fetched.index, fetched.log_size, fetched.log
    );
}
