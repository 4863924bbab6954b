//! One file a vocabulary: its rows, texts and wording.

pub mod bwrap;
pub mod catatonit;
pub mod dumb_init;
pub mod native;
pub mod tini;
