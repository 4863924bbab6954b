//! A pipe or terminal that is read with a deadline.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub struct Stream {
    file: File,
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    pub fn new(fd: impl Into<OwnedFd>) -> Self {
        Self { file: File::from(fd.into()), bytes: Vec::new(), ended: false }
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    /// The bytes that were read and not yet taken.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Takes everything up to and including `mark`; None if it does not arrive before the deadline or the end.
    pub fn take_until(&mut self, mark: &str, deadline: Instant) -> Option<String> {
        loop {
            let found = self.bytes.windows(mark.len()).position(|w| w == mark.as_bytes());
            if let Some(at) = found {
                let taken: Vec<u8> = self.bytes.drain(..at + mark.len()).collect();
                return Some(String::from_utf8_lossy(&taken).into_owned());
            }
            if !self.more(deadline) {
                return None;
            }
        }
    }

    /// Waits for more bytes. False: the end, or the deadline (`ended` distinguishes them).
    pub fn more(&mut self, deadline: Instant) -> bool {
        if self.ended {
            return false;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, timeout).unwrap_or(0) == 0 {
            return Instant::now() < deadline;
        }
        let mut chunk = [0; 4096];
        // read(2) on a terminal whose last slave was closed fails with EIO: the end.
        let got = self.file.read(&mut chunk).unwrap_or(0);
        self.bytes.extend_from_slice(&chunk[..got]);
        self.ended = got == 0;
        !self.ended
    }
}
