//! archive-store
