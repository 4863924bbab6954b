//! One file a vocabulary: its rows, texts, wording and exit statuses.

mod bwrap;
#[cfg(feature = "bwrap")]
mod bwrap_name;
#[cfg(feature = "catatonit")]
mod catatonit;
#[cfg(feature = "cgroup")]
mod cgroup;
#[cfg(any(feature = "landlock", feature = "limits"))]
mod confine;
#[cfg(feature = "dumb-init")]
mod dumb_init;
#[cfg(feature = "keeper")]
mod keeper;
mod native;
mod native_texts;
#[cfg(feature = "tini")]
mod tini;

use super::rows::Vocabulary;

/// For every name that is not in [`OTHERS`].
pub static NATIVE: &Vocabulary = &native::NATIVE;

/// The vocabularies that are chosen by the program's name.
pub static OTHERS: &[&Vocabulary] = &[
    #[cfg(feature = "bwrap")]
    &bwrap_name::BWRAP,
    #[cfg(feature = "tini")]
    &tini::TINI,
    #[cfg(feature = "dumb-init")]
    &dumb_init::DUMB_INIT,
    #[cfg(feature = "catatonit")]
    &catatonit::CATATONIT,
];

/// The names of the vocabularies that are not in this build, each followed by a space. A script that calls nsinit by such a name must
/// get an error, and not another vocabulary.
pub static MISSING: &[&str] = &[
    #[cfg(not(feature = "bwrap"))]
    "bwrap ",
    #[cfg(not(feature = "tini"))]
    "tini tini-static docker-init podman-init ",
    #[cfg(not(feature = "dumb-init"))]
    "dumb-init ",
    #[cfg(not(feature = "catatonit"))]
    "catatonit ",
];
