//! The engine.
#![no_std]
#![deny(unsafe_code)]

pub mod sys;
