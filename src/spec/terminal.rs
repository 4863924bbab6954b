//! Which terminal the command has.

/// The command's terminal.
#[derive(Clone, Copy)]
pub struct Terminal {
    /// The command gets a pty of its own.
    pub pty: bool,
    /// `--share-terminal`: the caller's controlling terminal is the command's too, where that is not so by itself.
    pub share: bool,
    /// The command's session has no controlling terminal: no process in it can open the caller's as /dev/tty.
    pub withheld: bool,
    /// `life.new_session` was not asked for: the command needs a session of its own only if the caller's has a terminal.
    pub session_if_any: bool,
}
