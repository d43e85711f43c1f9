use crate::CrateError;

/// The largest crate read, in bytes.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The deepest nesting of JSON read.
pub(super) const MAX_DEPTH: usize = 64;
/// The most entities read.
pub(super) const MAX_ENTITIES: usize = 200_000;

/// Checks size and depth before any JSON is parsed, so that parsing cannot run out of stack or memory.
pub(crate) fn check(bytes: &[u8]) -> Result<(), CrateError> {
    if bytes.len() > MAX_BYTES {
        return Err(CrateError::TooLarge { size: bytes.len(), limit: MAX_BYTES });
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(CrateError::TooDeep { limit: MAX_DEPTH });
        }
    }
    Ok(())
}
