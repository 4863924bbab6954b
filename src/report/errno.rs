//! The kernel's errnos in words: those of include/uapi/asm-generic/errno-base.h and errno.h, which all machines that nsinit
//! is built for have, as strerror(3) of the GNU C library has them.

use crate::say;
use crate::text::Say;

/// The words of an errno. Empty: there is none of that number.
#[must_use]
pub fn words(errno: u32) -> Say {
    WORDS.get(errno as usize).copied().unwrap_or(Say::NOTHING)
}

static WORDS: [Say; 134] = [
    Say::NOTHING,
    say!("Operation not permitted"),
    say!("No such file or directory"),
    say!("No such process"),
    say!("Interrupted system call"),
    say!("Input/output error"),
    say!("No such device or address"),
    say!("Argument list too long"),
    say!("Exec format error"),
    say!("Bad file descriptor"),
    say!("No child processes"),
    say!("Resource temporarily unavailable"),
    say!("Cannot allocate memory"),
    say!("Permission denied"),
    say!("Bad address"),
    say!("Block device required"),
    say!("Device or resource busy"),
    say!("File exists"),
    say!("Invalid cross-device link"),
    say!("No such device"),
    say!("Not a directory"),
    say!("Is a directory"),
    say!("Invalid argument"),
    say!("Too many open files in system"),
    say!("Too many open files"),
    say!("Inappropriate ioctl for device"),
    say!("Text file busy"),
    say!("File too large"),
    say!("No space left on device"),
    say!("Illegal seek"),
    say!("Read-only file system"),
    say!("Too many links"),
    say!("Broken pipe"),
    say!("Numerical argument out of domain"),
    say!("Numerical result out of range"),
    say!("Resource deadlock avoided"),
    say!("File name too long"),
    say!("No locks available"),
    say!("Function not implemented"),
    say!("Directory not empty"),
    say!("Too many levels of symbolic links"),
    Say::NOTHING,
    say!("No message of desired type"),
    say!("Identifier removed"),
    say!("Channel number out of range"),
    say!("Level 2 not synchronized"),
    say!("Level 3 halted"),
    say!("Level 3 reset"),
    say!("Link number out of range"),
    say!("Protocol driver not attached"),
    say!("No CSI structure available"),
    say!("Level 2 halted"),
    say!("Invalid exchange"),
    say!("Invalid request descriptor"),
    say!("Exchange full"),
    say!("No anode"),
    say!("Invalid request code"),
    say!("Invalid slot"),
    Say::NOTHING,
    say!("Bad font file format"),
    say!("Device not a stream"),
    say!("No data available"),
    say!("Timer expired"),
    say!("Out of streams resources"),
    say!("Machine is not on the network"),
    say!("Package not installed"),
    say!("Object is remote"),
    say!("Link has been severed"),
    say!("Advertise error"),
    say!("Srmount error"),
    say!("Communication error on send"),
    say!("Protocol error"),
    say!("Multihop attempted"),
    say!("RFS specific error"),
    say!("Bad message"),
    say!("Value too large for defined data type"),
    say!("Name not unique on network"),
    say!("File descriptor in bad state"),
    say!("Remote address changed"),
    say!("Can not access a needed shared library"),
    say!("Accessing a corrupted shared library"),
    say!(".lib section in a.out corrupted"),
    say!("Attempting to link in too many shared libraries"),
    say!("Cannot exec a shared library directly"),
    say!("Invalid or incomplete multibyte or wide character"),
    say!("Interrupted system call should be restarted"),
    say!("Streams pipe error"),
    say!("Too many users"),
    say!("Socket operation on non-socket"),
    say!("Destination address required"),
    say!("Message too long"),
    say!("Protocol wrong type for socket"),
    say!("Protocol not available"),
    say!("Protocol not supported"),
    say!("Socket type not supported"),
    say!("Operation not supported"),
    say!("Protocol family not supported"),
    say!("Address family not supported by protocol"),
    say!("Address already in use"),
    say!("Cannot assign requested address"),
    say!("Network is down"),
    say!("Network is unreachable"),
    say!("Network dropped connection on reset"),
    say!("Software caused connection abort"),
    say!("Connection reset by peer"),
    say!("No buffer space available"),
    say!("Transport endpoint is already connected"),
    say!("Transport endpoint is not connected"),
    say!("Cannot send after transport endpoint shutdown"),
    say!("Too many references: cannot splice"),
    say!("Connection timed out"),
    say!("Connection refused"),
    say!("Host is down"),
    say!("No route to host"),
    say!("Operation already in progress"),
    say!("Operation now in progress"),
    say!("Stale file handle"),
    say!("Structure needs cleaning"),
    say!("Not a XENIX named type file"),
    say!("No XENIX semaphores available"),
    say!("Is a named type file"),
    say!("Remote I/O error"),
    say!("Disk quota exceeded"),
    say!("No medium found"),
    say!("Wrong medium type"),
    say!("Operation canceled"),
    say!("Required key not available"),
    say!("Key has expired"),
    say!("Key has been revoked"),
    say!("Key was rejected by service"),
    say!("Owner died"),
    say!("State not recoverable"),
    say!("Operation not possible due to RF-kill"),
    say!("Memory page has hardware error"),
];

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;
    use crate::text::Text;

    #[test]
    fn every_errno_has_the_c_librarys_words() {
        let in_full = |number| String::from_utf8_lossy(Text::new().say(words(number)).bytes()).into_owned();
        // 4095 is the kernel's MAX_ERRNO.
        for number in 1..=4095u32 {
            let theirs = std::format!("{}", std::io::Error::from_raw_os_error(number.cast_signed()));
            let ours = in_full(number);
            if !cfg!(target_env = "gnu") {
                continue;
            }
            if ours.is_empty() {
                assert!(theirs.starts_with("Unknown error"), "{theirs}");
            } else {
                assert_eq!(theirs, std::format!("{ours} (os error {number})"));
            }
        }
    }
}
