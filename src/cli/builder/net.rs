//! The network of a new container: the values of --net and --net-device.

use core::ffi::CStr;

#[cfg(feature = "join")]
use engine::ns::target;
use engine::say;
#[cfg(feature = "join")]
use engine::sys;
#[cfg(feature = "join")]
use engine::text;
use linux_raw_sys::general as raw;

use super::super::complaint::Wrong;
use super::Draft;

impl Draft {
    /// The network namespace: a new one, the caller's, or one that exists. If it is given twice, the last one counts. Or one
    /// interface more for a new one.
    pub fn network(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        match word.to_bytes() {
            b"none" => self.unshare(raw::CLONE_NEWNET),
            b"host" => self.share(raw::CLONE_NEWNET),
            _ => {
                return match self.connected_network(word) {
                    Some(done) => done,
                    None => self.other_network(word),
                };
            }
        }
        self.joins.retain(|(kind, _)| *kind != raw::CLONE_NEWNET);
        self.spec.net.pasta = None;
        Ok(())
    }

    /// A name as ip-netns(8) has it, or what --join-net takes.
    #[cfg(feature = "join")]
    fn other_network(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        /// The directory of ip-netns(8).
        const NAMED: &[u8] = b"/run/netns/";
        let name = word.to_bytes();
        let is_plain = !name.iter().any(|byte| matches!(*byte, b'/' | b':' | b',' | b'='));
        if name.is_empty() || !is_plain && !text::has(name, b'/') && !name.starts_with(target::FD) {
            return Err(Wrong::value(say!(
                "not none, host, a name below /run/netns, a path with a slash, a process id or fd:N"
            )));
        }
        self.spec.net.pasta = None;
        if !is_plain || text::number(name).is_some() {
            return self.join(raw::CLONE_NEWNET, word);
        }
        let mut path = Vec::from(NAMED);
        path.extend_from_slice(word.to_bytes_with_nul());
        self.join(raw::CLONE_NEWNET, sys::c_str(path.leak()))
    }

    #[cfg(not(feature = "join"))]
    fn other_network(&mut self, _: &'static CStr) -> Result<(), Wrong> {
        Err(Wrong::value(say!("neither none nor host")))
    }

    /// No option of this build makes one.
    #[cfg(not(feature = "net"))]
    const fn connected_network(&mut self, _: &'static CStr) -> Option<Result<(), Wrong>> {
        None
    }
}
