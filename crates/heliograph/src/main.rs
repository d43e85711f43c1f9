//! `heliograph`: see `heliograph --help`.

fn main() -> std::process::ExitCode {
    heliograph::run()
}
