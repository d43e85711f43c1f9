mod foreign;

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use node::ForeignConverter;
use ome_zarr::{Conversion, ConvertOptions, FileSource, FolderSource, OmeZarrError, Progress, Sharding};
use serde_json::json;

use super::{arguments::Convert, validate};

/// Converts an image; exit 0 when it is converted, 1 when not, 130 when it was stopped.
pub(crate) async fn convert(arguments: &Convert) -> Result<ExitCode> {
    let options = options(arguments)?;
    let (input, out) = (arguments.input.clone(), arguments.out.clone());
    let foreign = arguments.bioformats2raw.as_deref().map(foreign::program).transpose()?.flatten();
    let told = super::until_told_to_stop()?;
    let bar = Arc::new(Bar::new());
    let watched = bar.clone();
    let mut work = tokio::task::spawn_blocking(move || run(&input, &out, &options, foreign.as_deref(), &*watched));
    let outcome = tokio::select! {
        outcome = &mut work => outcome?,
        () = told => {
            bar.stop.store(true, Ordering::Relaxed);
            work.await?
        }
    };
    bar.line.finish_and_clear();
    match outcome {
        Ok(conversion) => {
            print(arguments, &conversion);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if matches!(error.downcast_ref(), Some(OmeZarrError::Cancelled)) => {
            eprintln!("stopped; run the same command again to go on ({}.partial is kept)", arguments.out.display());
            Ok(ExitCode::from(130))
        }
        Err(error) => Err(error),
    }
}

fn run(
    input: &Path,
    out: &Path,
    options: &ConvertOptions,
    foreign: Option<&dyn ForeignConverter>,
    progress: &dyn Progress,
) -> Result<Conversion> {
    let (source, path) = open(input)?;
    match (ome_zarr::convert(source.clone(), &path, out, options, progress), foreign) {
        (Err(OmeZarrError::Unsupported { path, format, .. }), Some(foreign)) => {
            let (made, folder) = foreign::convert(foreign, source.as_ref(), &path, &format, out, progress)?;
            let made = ome_zarr::convert(Arc::new(FolderSource::new(folder.path())?), &made, out, options, progress);
            Ok(made?)
        }
        (outcome, _) => Ok(outcome?),
    }
}

/// A folder is its own source; a file is read through its folder, as others may belong to it.
fn open(input: &Path) -> Result<(Arc<dyn FileSource>, String)> {
    if input.is_dir() {
        return Ok((Arc::new(FolderSource::new(input)?), String::new()));
    }
    let whole = input.canonicalize().with_context(|| format!("reading {}", input.display()))?;
    let folder = whole.parent().context("the input is no file")?;
    let name = whole.file_name().and_then(|name| name.to_str()).context("the name of the file is not UTF-8")?;
    Ok((Arc::new(FolderSource::new(folder)?), name.to_owned()))
}

fn options(arguments: &Convert) -> Result<ConvertOptions> {
    let sharding = match arguments.shard.as_deref() {
        None => None,
        Some("auto") => Some(Sharding::Auto),
        Some("none") => Some(Sharding::None),
        Some(shape) => Some(Sharding::Shape(shape_of(shape, "--shard")?)),
    };
    Ok(ConvertOptions {
        chunk: arguments.chunk.as_deref().map(|shape| shape_of(shape, "--chunk")).transpose()?,
        sharding,
        compression: arguments.codec.as_deref().map(str::parse).transpose()?,
        levels: arguments.levels,
        memory: bytes_of(&arguments.memory)?,
        threads: arguments.threads,
    })
}

fn shape_of(text: &str, option: &str) -> Result<Vec<u64>> {
    let sides: Result<Vec<u64>, _> = text.split(',').map(|side| side.trim().parse()).collect();
    sides.with_context(|| format!("{option} '{text}': give whole numbers with commas between them, such as 64,128,128"))
}

/// Reads `512MiB`, `2G` or a number of bytes.
fn bytes_of(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text[digits.len()..].trim().to_ascii_lowercase();
    let shift = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => Some(0),
        "k" => Some(10),
        "m" => Some(20),
        "g" => Some(30),
        "t" => Some(40),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
    bytes.with_context(|| format!("--memory '{text}': give a size such as 512MiB or 2GiB"))
}

fn print(arguments: &Convert, conversion: &Conversion) {
    if arguments.json {
        let answer = json!({
            "out": arguments.out, "images": conversion.images, "findings": conversion.findings,
            "metadata_only": conversion.metadata_only,
        });
        println!("{answer}");
        return;
    }
    validate::print(&conversion.findings);
    for image in &conversion.images {
        let shape: Vec<String> = image.shape.iter().map(u64::to_string).collect();
        let name = if image.path.is_empty() { "." } else { &image.path };
        println!("{name}: {} {}, {} levels", shape.join(" x "), image.data_type, image.levels);
    }
    let how = if conversion.metadata_only { " (chunks carried over as they were)" } else { "" };
    println!("wrote {}{how}", arguments.out.display());
}

/// A progress bar that can be told to stop the work.
struct Bar {
    line: ProgressBar,
    stop: AtomicBool,
}

impl Bar {
    fn new() -> Self {
        let line = ProgressBar::new(0);
        let style = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            line.set_style(style);
        }
        Self { line, stop: AtomicBool::new(false) }
    }
}

impl Progress for Bar {
    fn advance(&self, done: u64, total: u64) {
        self.line.set_length(total);
        self.line.set_position(done.max(self.line.position()));
    }

    fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in
            [("64MiB", 64 << 20), ("2G", 2 << 30), ("2 GiB", 2 << 30), ("1048576", 1 << 20), ("1kb", 1024)]
        {
            assert_eq!(bytes_of(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "MiB", "1.5G", "1X", "99999999999T"] {
            assert!(bytes_of(bad).is_err(), "{bad}");
        }
        assert_eq!(shape_of("64, 128,128", "--chunk").unwrap(), [64, 128, 128]);
        assert!(shape_of("64x128", "--chunk").is_err());
    }
}
