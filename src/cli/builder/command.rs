//! The command: its name, its directory.

use core::ffi::CStr;

use engine::sys;
use engine::sys::files;
use engine::text::PATH as MOST;
use linux_raw_sys::general as raw;

use super::super::words;
use super::Draft;

/// The directories that execvp(3) searches if PATH is not set.
const DEFAULT_PATH: &CStr = c"PATH=/usr/local/bin:/bin:/usr/bin";
impl Draft {
    /// A variable of the command, `NAME=VALUE`.
    fn variable(&self, name: &[u8]) -> Option<&'static CStr> {
        self.spec.exec.env.words().find(|pair| words::name_of(pair) == name)
    }

    /// The name is what `ps` shows, and the host name if none is given.
    pub(super) fn name(&mut self) {
        let spec = &mut self.spec;
        if self.name.is_empty() {
            let enters = spec.enters();
            spec.life.title_inside = sys::c_str(Vec::from(if enters { &b"nsinit\0"[..] } else { b"init\0" }).leak());
            return;
        }
        let mut title = Vec::from(*b"nsinit: ");
        title.extend_from_slice(self.name.to_bytes_with_nul());
        let title = sys::c_str(title.leak());
        spec.life.title = Some(title);
        // `init: NAME`
        spec.life.title_inside = sys::tail(title, b"ns".len());
        if spec.namespaces.hostname.is_none() && spec.unshares(raw::CLONE_NEWUTS) {
            spec.namespaces.hostname = Some(self.name);
        }
    }

    /// The command's directory.
    pub(super) fn place(&mut self, root: bool) {
        self.spec.exec.path = sys::tail(self.variable(b"PATH").unwrap_or(DEFAULT_PATH), b"PATH=".len());
        if self.directory.is_some() || !self.spec.contained() {
            self.spec.exec.directory = self.directory;
        }
        if self.makes_container() && !root && self.directory.is_none() {
            let home = self.variable(b"HOME").unwrap_or_default();
            self.spec.exec.home = Some(sys::tail(home, b"HOME=".len()));
            let mut here = Vec::from([0; MOST]);
            // If the caller's directory has no path outside, it has none inside either.
            let _ = files::getcwd(&mut here);
            self.spec.exec.directory = Some(sys::c_str(here.leak()));
        }
    }
}
