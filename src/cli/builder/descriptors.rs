//! The caller's descriptors that nsinit uses. An option only records the number. The descriptors are checked and read here, after
//! all options are read, when nsinit does not execute itself again any more.

#[cfg(any(feature = "container", feature = "detach"))]
use core::ffi::CStr;

use engine::report::message::warning;
use engine::report::wording;
use engine::say;
use engine::spec::rooms;
use engine::sys::{self, Standard};
use engine::text::Text;

use super::super::complaint::{Bad, Complaint, Wrong};
#[cfg(any(feature = "container", feature = "detach"))]
use super::super::values;
use super::super::words::{self, List};
use super::Draft;
#[cfg(any(feature = "container", feature = "detach"))]
use super::Given;

/// The bytes of struct sock_filter.
#[cfg(feature = "seccomp")]
const FILTER: usize = 8;
/// BPF_MAXINSNS.
#[cfg(feature = "seccomp")]
const FILTERS_MAX: usize = 4096;

impl Draft {
    /// Notes the descriptor of that number.
    #[cfg(any(feature = "container", feature = "detach"))]
    pub fn fd(&mut self, word: &CStr) -> Result<u32, Wrong> {
        let number = values::fd(word)?;
        self.descriptors.push(Given { option: self.complaint, number, filters: false });
        Ok(number)
    }

    /// Notes a descriptor that holds the only filter.
    #[cfg(feature = "seccomp")]
    pub fn filter_alone(&mut self, word: &CStr) -> Result<(), Wrong> {
        if self.filters_beside {
            return Err(Wrong::sentence(say!("--seccomp cannot be combined with --add-seccomp-fd")));
        }
        self.filters_alone = true;
        self.descriptors.iter_mut().for_each(|given| given.filters = false);
        self.filter(word)
    }

    /// Notes a descriptor that holds one more filter.
    #[cfg(feature = "seccomp")]
    pub fn filter_beside(&mut self, word: &CStr) -> Result<(), Wrong> {
        if self.filters_alone {
            return Err(Wrong::sentence(say!("--add-seccomp-fd cannot be combined with --seccomp")));
        }
        self.filters_beside = true;
        let number = values::fd(word)?;
        // The first option reads the descriptor to its end. (bubblewrap closes it.)
        if self.descriptors.iter().any(|given| given.filters && given.number == number) {
            return Err(Wrong::sentence(say!("Can't read seccomp data: Bad file descriptor")));
        }
        self.filter(word)
    }

    /// Notes a descriptor, and stores its number in the field.
    #[cfg(any(feature = "container", feature = "detach"))]
    #[inline(never)]
    pub fn store_fd(&mut self, word: &CStr, field: fn(&mut Draft) -> &mut Option<u32>) -> Result<(), Wrong> {
        let number = self.fd(word)?;
        *field(self) = Some(number);
        Ok(())
    }

    #[cfg(feature = "seccomp")]
    fn filter(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.fd(word)?;
        if let Some(given) = self.descriptors.last_mut() {
            given.filters = true;
        }
        Ok(())
    }

    /// Reads the words that a descriptor holds, `--args`, while the options are read.
    ///
    /// # Errors
    /// It is not open, or cannot be read.
    pub fn words_of(&mut self, number: u32) -> Result<List, Bad> {
        take_over(number).map_err(|why| self.wrong(why))?;
        words::of_descriptor(number).ok_or_else(|| self.wrong(Wrong::sentence(say!("--args data can't be read"))))
    }

    /// Carries out the options about messages, before anything else.
    pub fn settle_messages(&mut self) {
        if self.levels {
            wording::begin_with_levels();
        }
        for option in &self.repeated {
            warn_of_repeated(option);
        }
    }

    /// Takes the descriptors over: the command does not get them. Reads the filters.
    ///
    /// # Errors
    /// The first that is not open, or holds no filter.
    pub fn settle_descriptors(&mut self) -> Result<(), Bad> {
        if !rooms::CONTAINER && !rooms::DETACH {
            return Ok(());
        }
        let mut read = Vec::new();
        for given in &self.descriptors {
            let mut settled = take_over(given.number);
            if rooms::SECCOMP && given.filters && settled.is_ok() {
                settled = filter(given.number).map(|filter| read.push(filter));
            }
            if let Err(why) = settled {
                self.complaint = Complaint { why, ..given.option };
                return Err(Bad::Complaint);
            }
        }
        self.spec.confine.filters = read.leak();
        Ok(())
    }
}

#[cold]
#[inline(never)]
fn warn_of_repeated(option: &[u8]) {
    let mut line = Text::new();
    warning(line.say(say!("Only the last ")).push(option).say(say!(" option will take effect")));
}

/// Checks that the descriptor is open, and sets FD_CLOEXEC on it if it is not a standard descriptor.
fn take_over(number: u32) -> Result<(), Wrong> {
    let open =
        if number > Standard::Error as u32 { sys::close_on_exec(number, true).is_ok() } else { sys::is_open(number) };
    if open { Ok(()) } else { Err(Wrong::value(say!("this descriptor is not open"))) }
}

/// No option of this build gives one.
#[cfg(not(feature = "seccomp"))]
const fn filter(_: u32) -> Result<&'static [u8], Wrong> {
    Ok(&[])
}

#[cfg(feature = "seccomp")]
fn filter(number: u32) -> Result<&'static [u8], Wrong> {
    let content = words::content(sys::given(number)).ok().and_then(<[u8]>::split_last_chunk::<1>);
    let (content, _) = content.ok_or(Wrong::sentence(say!("Can't read seccomp data")))?;
    if content.len() % FILTER != 0 {
        return Err(Wrong::sentence(say!("Invalid seccomp data, must be multiple of 8")));
    }
    if content.len() > FILTER * FILTERS_MAX {
        return Err(Wrong::sentence(say!("Seccomp data too long")));
    }
    Ok(content)
}
