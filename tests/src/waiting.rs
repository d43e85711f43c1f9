use std::{
    future::Future,
    time::{Duration, Instant},
};

/// How long a condition may take to come true; generous, because many tests share few cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks again and again until `look` gives a value.
///
/// # Panics
/// With what was seen last, when it does not within [`PATIENCE`].
pub async fn eventually<T, F, L>(what: &str, mut look: L) -> T
where
    L: FnMut() -> F,
    F: Future<Output = Result<T, String>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() > deadline => panic!("{what}: not within {PATIENCE:?}; last seen: {seen}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
