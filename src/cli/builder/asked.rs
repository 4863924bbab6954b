//! What the options ask for.

/// The action that the options ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Run,
    Explain,
    Probe,
    /// `--freeze`.
    Freeze,
    /// `--thaw`.
    Thaw,
    /// `--enter` with `--stats`.
    Stats,
    /// No command: wait for signals and reap.
    Pause,
    /// `--stop`.
    Stop,
    /// Print the containers that run.
    List,
    /// Print the services of the machine.
    Services,
    Usage,
    Common,
    Help,
    Version,
    Licence,
}

impl Asked {
    /// Whether a text is printed, and nothing is run.
    #[must_use]
    pub fn is_text(self) -> bool {
        self == Asked::Common || self == Asked::Help || self == Asked::Version || self == Asked::Licence
    }
}
