//! Whole machines: nsinit as process 1 of a kernel, booted in qemu, and as launcher in an initramfs.
//!
//! One topic a file; `harness` makes images and boots them. `tests/it/boot.rs` tests what a pid namespace can show as
//! well. `NSINIT_BIN` names another (static) binary; `NSINIT_MUST_WORK=1` turns every skip into a failure;
//! `NSINIT_BOOTS` is the number of machines that `faults` boots, NSINIT_CUTS that of `power_cuts`; `NSINIT_SUITE` selects the tests of `suite`;
//! `NSINIT_KERNELS=all` runs every scenario on every kernel; `NSINIT_SHOW=1` prints the output of machines at once.

mod harness;

mod boot;
mod cgroup;
mod containers;
mod device;
mod docs;
mod faults;
mod hardware;
mod harness_ends;
mod image;
mod limits;
mod limits_bite;
mod messages;
mod modules;
mod power_cuts;
mod probe;
mod scenarios;
mod services;
mod small_image;
mod stages;
mod stats;
mod storage;
mod suite;
mod switch_root;
mod units;
