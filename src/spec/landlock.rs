//! What Landlock leaves to the command (landlock(7)).

use core::ffi::CStr;

/// The policy of the options `--landlock-*`.
#[derive(Clone, Copy)]
pub struct Landlock<'a> {
    pub rules: &'a [Rule<'a>],
    /// The kinds of access (bits of [`Access`]) that were mentioned: `none` makes no rule.
    pub mentioned: u8,
    /// `--landlock-try`: what the kernel cannot restrict is not restricted, after a warning.
    pub lenient: bool,
}

/// What one option allows.
#[derive(Clone, Copy)]
pub struct Rule<'a> {
    pub access: Access,
    /// The file, or the directory with all below it, as CMD sees it; for a port, the number as the user wrote it.
    pub on: &'a CStr,
    pub port: u16,
}

/// A kind of access.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Access {
    /// `--landlock-ro`
    Read = 1,
    /// `--landlock-rw`
    Write = 2,
    /// `--landlock-exec`
    Execute = 4,
    /// `--landlock-connect`
    Connect = 8,
    /// `--landlock-bind`
    Bind = 16,
}

impl Access {
    /// The kinds that restrict files: if one of them is mentioned, all access to files is denied that no rule allows.
    pub const FILES: u8 = Access::Read as u8 | Access::Write as u8 | Access::Execute as u8;
    /// The kinds that restrict TCP ports.
    pub const PORTS: u8 = Access::Connect as u8 | Access::Bind as u8;
}

impl Landlock<'_> {
    /// Whether one of these kinds was mentioned.
    #[must_use]
    pub const fn mentions(&self, kinds: u8) -> bool {
        self.mentioned & kinds != 0
    }
}
