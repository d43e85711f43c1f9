/// The media type of a deposited file by its name. Nothing that a browser would run is ever named as such: deposited
/// files are served from the same origin as the portal.
pub(crate) fn of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        _ if name == "ro-crate-metadata.json" => "application/ld+json",
        "json" | "zattrs" | "zarray" | "zgroup" | "zmetadata" => "application/json",
        "jsonld" => "application/ld+json",
        "txt" | "md" | "csv" | "tsv" | "log" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "tif" | "tiff" => "image/tiff",
        "pdf" => "application/pdf",
        "zip" | "ozx" => "application/zip",
        _ => "application/octet-stream",
    }
}
