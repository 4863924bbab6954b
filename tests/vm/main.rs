//! Whole machines: nsinit as the first process of a kernel, booted in qemu, and as launcher in an initramfs.
//!
//! One topic a file; `harness` makes images and boots them. What a pid namespace can show as well is in `tests/it/boot.rs`.
//! `NSINIT_BIN` names another (static) binary; `NSINIT_MUST_WORK=1` turns every skip into a failure; `NSINIT_BOOTS` says how many
//! machines `faults` boots, `NSINIT_SUITE` what `suite` runs; `NSINIT_KERNELS=all` has every scenario on every kernel; `NSINIT_SHOW=1` shows what machines say as they say it.

mod harness;

mod boot;
mod docs;
mod ends;
mod faults;
mod image;
mod launch;
mod small;
mod suite;
mod switch;
