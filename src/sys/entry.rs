//! How the program starts: the C `main`, the argument vector and the environment, as safe types.
//!
//! A C `main` is used instead of Rust's because Rust's start-up ignores SIGPIPE, which CMD would then
//! inherit, and because on musl `std::env::args()` knows nothing of arguments that it did not get itself.

use core::cell::Cell;
use core::ffi::{CStr, c_char, c_int};
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

    pub fn is_end(self) -> bool {
        self.0.is_null()
    }
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
pub struct Env<'a>(&'a [Cell<Word<'static>>]);

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

/// What the kernel handed to the program.
#[derive(Clone, Copy)]
pub struct Start {
    /// The arguments with `argv[0]`, ended by [`Word::END`].
    pub args: &'static [Cell<Word<'static>>],
    pub env: Env<'static>,
}

impl Start {
    /// # Safety
    /// To be called with what `main` got, once, before any other use of it.
    #[must_use]
    pub unsafe fn new(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> Start {
        let count = usize::try_from(argc).unwrap_or(0) + 1;
        let mut vars = 0;
        // SAFETY: envp is ended by a null pointer (execve(2)), so no slot behind that one is read.
        while !unsafe { *envp.add(vars) }.is_null() {
            vars += 1;
        }
        // SAFETY: argv has argc strings and a null pointer; both arrays lie on the initial stack, which is
        // writable, ours alone (no thread exists) and never unmapped. Word and Cell<Word> have the layout of
        // one pointer (repr(transparent)).
        unsafe {
            Start {
                args: core::slice::from_raw_parts(argv.cast(), count),
                env: Env(core::slice::from_raw_parts(envp.cast(), vars + 1)),
            }
        }
    }
}

/// Defines the C `main` that calls `$run(Start) -> i32`.
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            argc: core::ffi::c_int,
            argv: *const *const core::ffi::c_char,
            envp: *const *const core::ffi::c_char,
        ) -> core::ffi::c_int {
            // SAFETY: these are main's own arguments.
            $run(unsafe { $crate::sys::Start::new(argc, argv, envp) })
        }
    };
}
