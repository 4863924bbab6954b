//! The argument vector and the environment of execve(2), as safe types.

use core::cell::Cell;
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;

/// One entry of an `argv` or `envp` array as execve(2) wants it: a C string, or the terminating null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Word<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> Word<'a> {
    /// The null pointer that ends an array.
    pub const END: Word<'static> = Word(core::ptr::null(), PhantomData);

    pub const fn new(text: &'a CStr) -> Word<'a> {
        Word(text.as_ptr(), PhantomData)
    }

    /// The string, or `None` for the terminator.
    pub fn get(self) -> Option<&'a CStr> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: every non-null Word was made from a `&'a CStr`, or by `Start::new` from the kernel's own
        // argv/envp, whose strings are NUL-terminated (execve(2)) and stay mapped as long as the process lives.
        Some(unsafe { CStr::from_ptr(self.0) })
    }

    /// The string; an empty one for the terminator.
    #[inline(never)]
    pub fn text(self) -> &'a CStr {
        self.get().unwrap_or_default()
    }

    /// # Safety
    /// A C string lies there, and stays.
    pub(super) unsafe fn copied(text: *const c_char) -> Word<'static> {
        Word(text, PhantomData)
    }

    pub(super) fn address(self) -> usize {
        self.0.addr()
    }

    pub fn is_end(self) -> bool {
        self.0.is_null()
    }
}

/// The C string that begins `buffer`; nothing if its last byte is not NUL.
#[must_use]
pub fn c_str(buffer: &[u8]) -> &CStr {
    match buffer.last() {
        // SAFETY: there is a NUL in the buffer, at its end if not before.
        Some(0) => unsafe { CStr::from_ptr(buffer.as_ptr().cast()) },
        _ => c"",
    }
}

/// What follows the first `from` bytes of `text`.
#[must_use]
pub fn tail(text: &CStr, from: usize) -> &CStr {
    c_str(text.to_bytes_with_nul().get(from..).unwrap_or_default())
}

/// CMD's argument vector with one spare slot in front.
///
/// The spare slot is there for files without a format that the kernel knows (ENOEXEC): like execvp(3),
/// `/bin/sh` then gets the path and the arguments, and the array is rewritten in place because nothing
/// may be allocated any more.
#[derive(Clone, Copy)]
pub struct Argv<'a>(&'a [Cell<Word<'static>>]);

impl<'a> Argv<'a> {
    /// No command.
    pub const NONE: Argv<'static> = Argv(&[]);

    /// `words` is: a spare slot, the command, its arguments, [`Word::END`]. [`Argv::NONE`] if it is anything else.
    pub fn new(words: &'a [Cell<Word<'static>>]) -> Argv<'a> {
        match words {
            [_spare, command, .., end] if !command.get().is_end() && end.get().is_end() => Argv(words),
            _ => Argv(&[]),
        }
    }

    /// The name of the command, as the user gave it.
    pub fn command(&self) -> &'a CStr {
        self.0.get(1).and_then(|word| word.get().get()).unwrap_or(c"")
    }

    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Has the command be told another name.
    pub fn rename(&self, name: &'static CStr) {
        if let Some(command) = self.0.get(1) {
            command.set(Word::new(name));
        }
    }

    /// The array for execve(2).
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.0.get(1..).unwrap_or_default().as_ptr().cast()
    }

    /// `body` sees the array as `shell path argument...`; afterwards it is what it was.
    pub(super) fn as_script<T>(
        &self,
        shell: &CStr,
        path: &CStr,
        body: impl FnOnce(*const *const c_char) -> T,
    ) -> Option<T> {
        let [spare, command, ..] = self.0 else { return None };
        let before = (spare.get(), command.get());
        spare.set(Word(shell.as_ptr(), PhantomData));
        command.set(Word(path.as_ptr(), PhantomData));
        let result = body(self.0.as_ptr().cast());
        spare.set(before.0);
        command.set(before.1);
        Some(result)
    }
}

/// An environment for execve(2), ended by [`Word::END`].
#[derive(Clone, Copy)]
pub struct Env<'a>(pub(super) &'a [Cell<Word<'static>>]);

impl<'a> Env<'a> {
    /// An empty one.
    pub const NONE: Env<'static> = Env(&[]);

    /// [`Env::NONE`] if `words` do not end with [`Word::END`].
    pub fn new(words: &'a [Cell<Word<'static>>]) -> Env<'a> {
        if words.last().is_some_and(|last| last.get().is_end()) { Env(words) } else { Env::NONE }
    }

    pub fn words(&self) -> impl Iterator<Item = &'static CStr> {
        self.0.iter().map_while(|word| word.get().get())
    }

    /// Where the first string is; 0 if there is none.
    pub(super) fn address(&self) -> usize {
        self.0.first().map_or(0, |word| word.get().address())
    }

    /// Linux takes no array for an empty one (execve(2)).
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        if self.0.is_empty() { core::ptr::null() } else { self.0.as_ptr().cast() }
    }

    /// `body` runs while the word at `index` is `text`; afterwards it is what it was.
    pub fn with<T>(&self, index: usize, text: &CStr, body: impl FnOnce() -> T) -> T {
        let Some(slot) = self.0.get(index) else { return body() };
        let before = slot.replace(Word(text.as_ptr(), PhantomData));
        let result = body();
        slot.set(before);
        result
    }
}
