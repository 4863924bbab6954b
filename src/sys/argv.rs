//! The argument vector and the environment of execve(2), as safe types.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicPtr, Ordering};

/// One entry of an `argv` or `envp` array of execve(2): a C string, or the null pointer at the end.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Word<'a>(*const c_char, PhantomData<&'a CStr>);

/// The place of a [`Word`] in an array. It can be written while another process reads it: until CMD is executed, CMD and
/// process 1 share one memory.
#[repr(transparent)]
pub struct Slot(AtomicPtr<c_char>);

impl Slot {
    #[must_use]
    pub const fn new(word: Word<'static>) -> Slot {
        Slot(AtomicPtr::new(word.0.cast_mut()))
    }

    #[must_use]
    pub fn get(&self) -> Word<'static> {
        Word(self.0.load(Ordering::Relaxed), PhantomData)
    }

    pub fn set(&self, word: Word<'static>) {
        self.lend(word);
    }

    /// Sets a word that must last only until the next one is set. Returns the previous word.
    fn lend(&self, word: Word<'_>) -> Word<'static> {
        let before = self.get();
        self.0.store(word.0.cast_mut(), Ordering::Relaxed);
        before
    }
}

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
        // SAFETY: each Word that is not null was made of a `&'a CStr`, or is one of the kernel's own argv or envp, whose strings
        // end in a NUL (execve(2)) and stay mapped as long as the process lives, or one of the copies of `prepare_to_hide`.
        Some(unsafe { CStr::from_ptr(self.0) })
    }

    /// The string; an empty one for the terminator.
    #[inline(never)]
    pub fn text(self) -> &'a CStr {
        self.get().unwrap_or_default()
    }

    /// # Safety
    /// `text` is the address of a C string that is never unmapped or changed.
    pub(super) unsafe fn copied(text: *const c_char) -> Word<'static> {
        Word(text, PhantomData)
    }

    /// The address of the string; 0 for the terminator.
    pub(super) fn address(self) -> usize {
        self.0.addr()
    }

    /// Whether it is the null pointer.
    pub fn is_end(self) -> bool {
        self.0.is_null()
    }
}

/// The C string at the beginning of `buffer`; an empty one if the last byte of `buffer` is not NUL.
#[must_use]
pub fn c_str(buffer: &[u8]) -> &CStr {
    match buffer.last() {
        // SAFETY: the search for the NUL ends inside of the buffer, at its last byte if not before.
        Some(0) => unsafe { CStr::from_ptr(buffer.as_ptr().cast()) },
        _ => c"",
    }
}

/// `text` without its first `from` bytes.
#[must_use]
pub fn tail(text: &CStr, from: usize) -> &CStr {
    c_str(text.to_bytes_with_nul().get(from..).unwrap_or_default())
}

/// CMD's argument vector with one spare slot in front.
///
/// The spare slot serves files of a format that the kernel does not know (ENOEXEC): as with execvp(3), `/bin/sh` then gets the
/// path and the arguments. The array is changed in place, because nothing can be allocated after the fork.
#[derive(Clone, Copy)]
pub struct Argv<'a>(&'a [Slot]);

impl<'a> Argv<'a> {
    /// No command.
    pub const NONE: Argv<'static> = Argv(&[]);

    /// `words` is: a spare slot, the command, its arguments, [`Word::END`]. [`Argv::NONE`] if it is anything else.
    #[inline(never)]
    pub fn new(words: &'a [Slot]) -> Argv<'a> {
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

    /// Gives the command another name in its own arguments (`argv[0]`).
    pub fn rename(&self, name: &'static CStr) {
        if let Some(command) = self.0.get(1) {
            command.set(Word::new(name));
        }
    }

    /// The array for execve(2).
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.0.get(1..).unwrap_or_default().as_ptr().cast()
    }

    /// Calls `body` with the array as `shell path argument...`, and restores the array. `None`: there is no command.
    pub(super) fn as_script<T>(
        &self,
        shell: &CStr,
        path: &CStr,
        body: impl FnOnce(*const *const c_char) -> T,
    ) -> Option<T> {
        let [spare, command, ..] = self.0 else { return None };
        let before = (spare.lend(Word::new(shell)), command.lend(Word::new(path)));
        let result = body(self.0.as_ptr().cast());
        spare.set(before.0);
        command.set(before.1);
        Some(result)
    }
}

/// An environment for execve(2), ended by [`Word::END`].
#[derive(Clone, Copy)]
pub struct Env<'a>(pub(super) &'a [Slot]);

impl<'a> Env<'a> {
    /// The empty environment.
    pub const NONE: Env<'static> = Env(&[]);

    /// [`Env::NONE`] if `words` do not end with [`Word::END`].
    pub fn new(words: &'a [Slot]) -> Env<'a> {
        if words.last().is_some_and(|last| last.get().is_end()) { Env(words) } else { Env::NONE }
    }

    /// The variables, `NAME=VALUE`.
    pub fn words(&self) -> impl Iterator<Item = &'static CStr> {
        self.0.iter().map_while(|word| word.get().get())
    }

    /// The address of the first string; 0 if there is none.
    pub(super) fn address(&self) -> usize {
        self.0.first().map_or(0, |word| word.get().address())
    }

    /// The array for execve(2); a null pointer, which Linux takes for an empty array, if there is none.
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        if self.0.is_empty() { core::ptr::null() } else { self.0.as_ptr().cast() }
    }

    /// Calls `body` while the word at `index` is `text`, and restores the word.
    pub fn with<T>(&self, index: usize, text: &CStr, body: impl FnOnce() -> T) -> T {
        let Some(slot) = self.0.get(index) else { return body() };
        let before = slot.lend(Word::new(text));
        let result = body();
        slot.set(before);
        result
    }
}
