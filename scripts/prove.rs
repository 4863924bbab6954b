//! scripts/prove links the engine with this file. Here a panic is a call of one function, which the linker keeps only if some
//! function can reach it.
#![no_std]

extern crate engine;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    engine_can_panic()
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn engine_can_panic() -> ! {
    loop {}
}

/// A function that can panic and allocate: it shows that the proof can fail.
#[unsafe(no_mangle)]
extern "C" fn control(sizes: &[usize; 4], index: usize) -> *mut u8 {
    // SAFETY: never run.
    unsafe { malloc(sizes[index]) }
}
