//! One file a vocabulary: its rows, texts, wording and exit statuses.

mod bwrap;
mod catatonit;
mod dumb_init;
mod native;
mod tini;

use super::rows::Vocabulary;

/// For every name that is not in [`OTHERS`].
pub static NATIVE: &Vocabulary = &native::NATIVE;

/// The vocabularies that are chosen by the program's name.
pub static OTHERS: [&Vocabulary; 4] = [&bwrap::BWRAP, &tini::TINI, &dumb_init::DUMB_INIT, &catatonit::CATATONIT];
