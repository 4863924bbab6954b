//! Requests of rtnetlink(7) and their answers. No answer but the acknowledgement is ever read, so nothing is parsed but its head.

use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::netlink as raw;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::sys::files::{Fd, read, write};
use crate::sys::{Done, Failure, keep_open};

/// A socket for requests to the network namespace that this process is in now. It stays in that one.
///
/// # Errors
/// EMFILE, ENFILE: no descriptor is free. EAFNOSUPPORT: the kernel has no netlink.
pub fn socket() -> Result<Fd, Failure> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    // Port 0 is the kernel. The kernel refuses messages from any other sender then.
    connect(&socket, &SocketAddrNetlink::new(0, 0))?;
    Ok(keep_open(socket))
}

/// The most bytes of a request. Three names, a hardware address and two addresses of IPv6 take less than half of it.
const SIZE: usize = 512;

/// A request under construction.
pub struct Request {
    bytes: [u8; SIZE],
    /// Above [`SIZE`]: it does not fit.
    length: usize,
    sequence: u32,
}

/// The sequence numbers of all requests of this process.
static SEQUENCE: AtomicU32 = AtomicU32::new(1);

impl Request {
    /// A request of a kind (RTM_*) with these flags (NLM_F_*) and the head of that kind.
    #[must_use]
    #[inline(never)]
    pub fn new(kind: u32, flags: u32, head: &[u8]) -> Request {
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        let mut request = Request { bytes: [0; SIZE], length: 4, sequence };
        request.push(&(kind as u16).to_ne_bytes());
        request.push(&((flags | raw::NLM_F_REQUEST | raw::NLM_F_ACK) as u16).to_ne_bytes());
        request.push(&sequence.to_ne_bytes());
        // The kernel knows the sender.
        request.push(&[0; 4]);
        request.push(head);
        request
    }

    #[inline(never)]
    fn push(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        }
        self.length = end;
    }

    /// Appends an attribute (struct rtattr). Its value is padded to a multiple of 4 bytes.
    #[inline(never)]
    pub fn add(&mut self, kind: u32, value: &[u8]) -> &mut Request {
        let length = value.len() as u16 + 4;
        self.push(&length.to_ne_bytes());
        self.push(&(kind as u16).to_ne_bytes());
        self.push(value);
        self.length = self.length.next_multiple_of(4);
        self
    }

    /// Appends an attribute whose value is a number of 32 bits.
    pub fn number(&mut self, kind: u32, value: u32) -> &mut Request {
        self.add(kind, &value.to_ne_bytes())
    }

    /// Appends an attribute that consists of those that `body` appends, after `head`.
    #[inline(never)]
    pub fn nest(&mut self, kind: u32, head: &[u8], body: &mut dyn FnMut(&mut Request)) -> &mut Request {
        let begin = self.length;
        self.add(kind, head);
        body(self);
        let length = (self.length - begin) as u16;
        if let Some([low, high, ..]) = self.bytes.get_mut(begin..) {
            [*low, *high] = length.to_ne_bytes();
        }
        self
    }

    /// Sends the request, and waits for the acknowledgement.
    ///
    /// # Errors
    /// The kernel's reason for this kind of request. [`Failure::PROTO`]: the answer is none to this request. [`Failure::TOO_LONG`]: the
    /// request has more bytes than [`SIZE`].
    #[inline(never)]
    pub fn send(&mut self, socket: Fd) -> Done {
        let length = (self.length as u32).to_ne_bytes();
        if let Some(place) = self.bytes.first_chunk_mut() {
            *place = length;
        }
        write(socket, self.bytes.get(..self.length).ok_or(Failure::TOO_LONG)?)?;
        let mut answer = [0; ANSWER];
        let length = loop {
            match read(socket, &mut answer) {
                Err(Failure::INTR) => {}
                other => break other?,
            }
        };
        acknowledged(answer.get(..length as usize).unwrap_or_default(), self.sequence)
    }
}

/// As much of an answer as is read: struct nlmsghdr and the number in struct nlmsgerr. An error has the whole request behind it, which
/// the kernel cuts off.
const ANSWER: usize = 20;

/// The result in an acknowledgement of the request `sequence`.
///
/// # Errors
/// The errno in it. [`Failure::PROTO`]: it is no acknowledgement of this request.
pub fn acknowledged(answer: &[u8], sequence: u32) -> Done {
    let [length, kind, number, _port, error] = answer.first_chunk().map(words).ok_or(Failure::PROTO)?;
    // The kind is the first half of its word, the flags are the second.
    let [low, high, ..] = kind.to_ne_bytes();
    let is_answer = length >= ANSWER as u32 && u32::from(u16::from_ne_bytes([low, high])) == raw::NLMSG_ERROR;
    match error.cast_signed() {
        0 if is_answer && number == sequence => Ok(()),
        error @ -4095..0 if is_answer && number == sequence => Err(Failure::new(error.unsigned_abs())),
        _ => Err(Failure::PROTO),
    }
}

fn words(bytes: &[u8; ANSWER]) -> [u32; ANSWER / 4] {
    let mut words = [0; ANSWER / 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_ne_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn answer(length: u32, kind: u16, sequence: u32, error: i32) -> Vec<u8> {
        let numbers = [u32::from(kind).to_ne_bytes(), sequence.to_ne_bytes(), [0; 4], error.to_ne_bytes()];
        [&length.to_ne_bytes()[..], numbers.as_flattened()].concat()
    }

    #[test]
    fn only_an_acknowledgement_of_the_request_is_one() {
        let numbers = |done: Done| done.map_err(Failure::number);
        let read = |bytes: &[u8]| numbers(acknowledged(bytes, 7));
        assert_eq!(read(&answer(36, 2, 7, 0)), Ok(()));
        assert_eq!(read(&answer(36, 2, 7, -17)), Err(Failure::EXIST.number()));
        let wrong = [
            // Too short, by its own words or in truth.
            answer(19, 2, 7, 0),
            answer(0, 2, 7, 0),
            answer(36, 2, 7, 0)[..19].to_vec(),
            Vec::new(),
            // Another kind, another request.
            answer(36, 16, 7, 0),
            answer(36, 3, 7, 0),
            answer(36, 2, 8, 0),
            // No errno.
            answer(36, 2, 7, 17),
            answer(36, 2, 7, -4096),
            answer(36, 2, 7, i32::MIN),
        ];
        for bytes in wrong {
            assert_eq!(read(&bytes), Err(Failure::PROTO.number()), "{bytes:?}");
        }
    }

    #[test]
    fn attributes_are_padded_and_nested() {
        let mut request = Request::new(16, 0, &[0xff; 4]);
        request.add(3, b"abc\0x").nest(18, &[1, 2, 3, 4], &mut |request| {
            request.add(1, b"y");
        });
        // The head of 16 bytes, and that of the kind; 9 bytes and 3 of padding; 8 bytes, in which 5 and 3 of padding are nested.
        assert_eq!(request.length, 20 + 12 + 8 + 8);
        let bytes = &request.bytes[20..request.length];
        let expected = [&[9, 0, 3, 0][..], b"abc\0x\0\0\0", &[16, 0, 18, 0, 1, 2, 3, 4], &[5, 0, 1, 0], b"y\0\0\0"];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn request_that_does_not_fit_is_not_sent() {
        let mut request = Request::new(16, 0, &[0; 16]);
        for _ in 0..16 {
            request.add(3, &[0; 32]);
        }
        // It is not written: the socket is none.
        assert_eq!(request.send(crate::sys::given(0)).map_err(Failure::number), Err(Failure::TOO_LONG.number()));
    }
}
