use tracing_subscriber::EnvFilter;

/// Starts structured logging to standard error; a second call changes nothing.
pub(crate) fn start(level: &str, format: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(colours);
    // It fails only when logging has been started already.
    let _ = if format == "json" { builder.json().try_init() } else { builder.try_init() };
}
