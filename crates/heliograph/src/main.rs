//! `heliograph`: see `heliograph --help`.

/// Memory comes from jemalloc, also for RocksDB (docs/decisions/0069).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    heliograph::run()
}
