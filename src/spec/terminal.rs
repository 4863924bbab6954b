//! Which terminal the command has.

/// The command's terminal.
#[derive(Clone, Copy)]
pub struct Terminal {
    /// The command gets a pty of its own.
    pub pty: bool,
    /// `--share-terminal`: the command keeps the caller's controlling terminal, which the preset would withhold.
    pub share: bool,
    /// The command's session has no controlling terminal: no process in it can open the caller's as /dev/tty.
    pub withheld: bool,
    /// The user did not ask for `life.new_session`: the command needs a session of its own only if the caller's session has a
    /// terminal.
    pub session_if_any: bool,
}
