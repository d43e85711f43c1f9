//! What the index promises, seen from outside.

mod hostile;
mod life;
mod meaning;
mod speed;
mod support;
mod text;
