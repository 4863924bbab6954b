//! One file a vocabulary: its rows, texts, wording and exit statuses.

mod bwrap;
mod catatonit;
mod dumb_init;
mod native;
mod tini;

use super::rows::Vocabulary;

/// For every name that is not one of the others'.
pub static NATIVE: &Vocabulary = &native::NATIVE;

/// Those that a name of their own chooses.
pub static OTHERS: [&Vocabulary; 4] = [&bwrap::BWRAP, &tini::TINI, &dumb_init::DUMB_INIT, &catatonit::CATATONIT];
