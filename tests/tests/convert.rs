//! `heliograph convert` from outside: what it writes is read by zarr-python, tensorstore and tifffile, it keeps to its
//! memory, and it survives being killed.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use e2e_tests::{Output, Store, heliograph, python, run, shared_data};
use serde_json::{Value, json};

async fn convert(source: &Path, out: &Path, options: &[&str]) -> Output {
    let paths = ["convert".as_ref(), source.as_os_str(), out.as_os_str(), "--json".as_ref()];
    run(paths.into_iter().chain(options.iter().map(AsRef::as_ref))).await
}

/// Compares all pairs of source and output in one run of Python.
async fn compare(folder: &Path, pairs: &[(PathBuf, PathBuf)]) -> Vec<Value> {
    let list = folder.join("pairs");
    let mut file = fs::File::create(&list).expect("a list");
    for (source, out) in pairs {
        writeln!(file, "{}", json!({"source": source, "out": out})).expect("writing");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/convert_compare.py");
    let output = tokio::process::Command::new(python()).arg(script).arg(&list).output().await.expect("running Python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a report")
}

/// The top-most Zarr groups below a folder.
fn stores(folder: &Path, found: &mut Vec<PathBuf>) {
    if [".zgroup", ".zattrs", "zarr.json"].iter().any(|name| folder.join(name).is_file()) {
        found.push(folder.to_owned());
        return;
    }
    let mut below: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    below.sort();
    below.iter().filter(|path| path.is_dir()).for_each(|path| stores(path, found));
}

/// Every store of the corpus, of a version that can be converted.
fn corpus() -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["ome-zarr/omezarr", "ome-zarr/derived/omezarr"] {
        stores(&shared_data(folder)?, &mut found);
    }
    Some(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_keeps_its_numbers_when_it_becomes_0_5_and_when_it_is_packed_into_shards() {
    let Some(sources) = corpus() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (mut pairs, mut refused) = (Vec::new(), BTreeMap::new());
    for (number, source) in sources.iter().enumerate() {
        for (way, options) in [("kept", [].as_slice()), ("sharded", ["--shard", "auto"].as_slice())] {
            let out = folder.path().join(format!("{number}-{way}.ome.zarr"));
            let output = convert(source, &out, options).await;
            if output.status.success() {
                pairs.push((source.clone(), out));
            } else {
                assert!(!out.exists());
                refused.insert(source.clone(), output.stderr.trim().to_owned());
            }
        }
    }
    let report = compare(folder.path(), &pairs).await;
    assert_eq!(report.len(), pairs.len());
    for (source, why) in &refused {
        eprintln!("refused: {}: {why}", source.display());
    }
    assert!(pairs.len() >= 80, "only {} of {} stores were converted: {refused:#?}", pairs.len() / 2, sources.len());
}

/// The TIFF files below a folder.
fn tiffs(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
        if path.is_dir() {
            tiffs(&path, found);
        } else if ["tif", "tiff", "svs"].contains(&extension.as_str()) {
            found.push(path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tiffs_of_the_corpus_keep_their_numbers() {
    let mut sources = Vec::new();
    for folder in ["ome-zarr/tiff", "ome-zarr/ometiff", "ome-zarr/derived/ometiff"] {
        let Some(folder) = shared_data(folder) else { return };
        tiffs(&folder, &mut sources);
    }
    // Of the many blank fields of one plate a few are enough.
    let is_blank = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "CV8000");
    let (blank, mut sources): (Vec<PathBuf>, Vec<PathBuf>) = sources.into_iter().partition(is_blank);
    sources.extend(blank.into_iter().take(3));
    let folder = tempfile::tempdir().expect("a folder");
    let (mut pairs, mut refused) = (Vec::new(), BTreeMap::new());
    for (number, source) in sources.iter().enumerate() {
        let out = folder.path().join(format!("{number}.ome.zarr"));
        let output = convert(source, &out, &[]).await;
        if output.status.success() {
            run(["validate".as_ref(), out.as_os_str()]).await.ok();
            pairs.push((source.clone(), out));
        } else {
            refused.insert(source.clone(), output.stderr.trim().to_owned());
        }
    }
    compare(folder.path(), &pairs).await;
    for (source, why) in &refused {
        eprintln!("refused: {}: {why}", source.display());
    }
    assert!(pairs.len() >= 70, "only {} of {} files were converted: {refused:#?}", pairs.len(), sources.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_ten_times_larger_than_the_memory_is_converted_within_it() {
    const MEMORY_MIB: u64 = 64;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("large.ome.zarr");
    // 640 MiB in chunks of 1 MiB that a hundred bytes stand for; the output is as small.
    large_store(&source, [320, 1024, 1024], [64, 128, 128]);
    let out = folder.path().join("out.ome.zarr");
    let mut command = tokio::process::Command::new(heliograph());
    let memory = format!("{MEMORY_MIB}MiB");
    command.arg("convert").arg(&source).arg(&out).args(["--memory", &memory, "--shard", "auto", "--codec", "zstd:1"]);
    let mut child = command.kill_on_drop(true).spawn().expect("starting heliograph");
    let status = format!("/proc/{}/status", child.id().expect("a process"));
    let mut peak = 0;
    let outcome = loop {
        // The kernel keeps the peak: it only has to be looked at before the process has gone.
        peak = peak.max(peak_kib(&status));
        tokio::select! {
            outcome = child.wait() => break outcome.expect("waiting"),
            () = tokio::time::sleep(std::time::Duration::from_millis(5)) => {}
        }
    };
    assert!(outcome.success());
    assert!(peak > 0 && peak <= MEMORY_MIB << 10, "{peak} KiB");
}

fn peak_kib(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0)
}

/// A 16-bit image of 0.4 whose chunks are all the same gzip stream.
fn large_store(folder: &Path, shape: [u64; 3], chunk: [u64; 3]) {
    let pixels: Vec<u8> = (0..chunk.iter().product::<u64>()).flat_map(|at| (at as u16 / 512).to_le_bytes()).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&pixels).expect("compressing");
    let encoded = encoder.finish().expect("compressing");
    let array = json!({"zarr_format": 2, "shape": shape, "chunks": chunk, "dtype": "<u2", "fill_value": 0, "order": "C",
        "filters": null, "compressor": {"id": "gzip", "level": 6}, "dimension_separator": "/"});
    let axes = ["z", "y", "x"].map(|name| json!({"name": name, "type": "space"}));
    let image = json!({"multiscales": [{"version": "0.4", "axes": axes, "datasets": [
        {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}]}]}]});
    fs::create_dir_all(folder.join("0")).expect("a folder");
    fs::write(folder.join(".zgroup"), "{\"zarr_format\": 2}").expect("writing");
    fs::write(folder.join(".zattrs"), image.to_string()).expect("writing");
    fs::write(folder.join("0/.zarray"), array.to_string()).expect("writing");
    let count = |axis: usize| shape[axis].div_ceil(chunk[axis]);
    for z in 0..count(0) {
        for y in 0..count(1) {
            let row = folder.join(format!("0/{z}/{y}"));
            fs::create_dir_all(&row).expect("a folder");
            for x in 0..count(2) {
                fs::write(row.join(x.to_string()), &encoded).expect("writing");
            }
        }
    }
}

fn files(folder: &Path, below: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(folder, &path, found);
        } else {
            let bytes = fs::read(&path).expect("reading");
            found.insert(path.strip_prefix(folder).expect("below").to_owned(), bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_is_killed_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("image.ome.zarr");
    large_store(&source, [128, 1024, 1024], [64, 128, 128]);
    let options = ["--chunk", "16,128,128", "--shard", "16,256,256", "--memory", "64MiB"];
    let whole = folder.path().join("whole.ome.zarr");
    convert(&source, &whole, &options).await.ok();
    let out = folder.path().join("killed.ome.zarr");
    let journal = folder.path().join("killed.ome.zarr.partial/journal");
    let mut kills = 0;
    let mut written = 0;
    loop {
        let mut command = tokio::process::Command::new(heliograph());
        command.arg("convert").arg(&source).arg(&out).args(options);
        let mut child = command.kill_on_drop(true).spawn().expect("starting heliograph");
        // Killed as soon as it has done more than the run before it.
        let outcome = loop {
            let length = fs::metadata(&journal).map_or(0, |metadata| metadata.len());
            if length > written + 2000 {
                written = length;
                child.kill().await.expect("killing");
                break None;
            }
            tokio::select! {
                outcome = child.wait() => break Some(outcome.expect("waiting")),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
        };
        match outcome {
            None => kills += 1,
            Some(status) => {
                assert!(status.success());
                break;
            }
        }
        assert!(!out.exists());
    }
    assert!(kills >= 2, "killed {kills} times");
    let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
    files(&whole, &whole, &mut expected);
    files(&out, &out, &mut found);
    assert!(found == expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_of_others_is_converted_by_the_program_that_is_named_and_refused_without() {
    let folder = tempfile::tempdir().expect("a folder");
    // The program sees its own folder, so it is not in that of the image.
    let tool = tempfile::tempdir().expect("a folder");
    let (at, program) = (|name: &str| folder.path().join(name), tool.path().join("bioformats2raw"));
    Store::v04("raw.zarr", 3).write_to(tool.path());
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'Version = 0.9.1'; exit; }\ntest -s \"$1\" || exit 4\n\
                  cp -r \"$(dirname \"$0\")/raw.zarr\" \"$2\"\n";
    fs::write(&program, script).expect("writing a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("making it one");
    // What a LIF file begins with.
    fs::write(at("cells.lif"), b"\x70\0\0\0\x2a\0\0\0\x2a").expect("a file");

    let refused = convert(&at("cells.lif"), &at("cells.ome.zarr"), &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("LIF") && refused.stderr.contains("bioformats2raw"), "{}", refused.stderr);
    let program = program.display().to_string();
    convert(&at("cells.lif"), &at("cells.ome.zarr"), &["--bioformats2raw", &program]).await.ok();
    let root: Value =
        serde_json::from_slice(&fs::read(at("cells.ome.zarr/zarr.json")).expect("an image")).expect("JSON");
    assert_eq!(root["attributes"]["ome"]["version"], "0.5");
    let left = fs::read_dir(folder.path()).expect("a folder").filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(".bioformats2raw-"))
    });
    assert_eq!(left.count(), 0, "the work folder is removed");
}
