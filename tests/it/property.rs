//! Random operations on random roots full of links that lead elsewhere: what CMD then sees, and what is left on disk, is what
//! a simple model says; and outside nothing has changed, whatever the model says.
//!
//! `NSINIT_CASES` is the number of cases of each test and user, `NSINIT_SEED` another beginning. A failure prints a script
//! that can be pasted.
//!
//!     tree     a directory with all below it
//!     case     what is tried, and how it is chosen
//!     model    what must come out
//!     words    its command line
//!     world    a case on disk, and its run

mod case;
mod model;
mod tree;
mod words;
mod world;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

use super::harness::who;
use case::Case;
use world::{Outcome, World};

#[test]
fn a_built_root_is_what_the_model_says() {
    holds_for(&Case::built());
}

#[test]
fn a_root_directory_is_what_the_model_says() {
    holds_for(&Case::directory());
}

fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|why| panic!("{name}={text}: {why}")))
}

fn config() -> Config {
    Config {
        cases: number("NSINIT_CASES").unwrap_or(150),
        rng_seed: RngSeed::Fixed(number("NSINIT_SEED").unwrap_or(0).into()),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    }
}

fn holds_for(cases: &impl Strategy<Value = Case>) {
    for who in who::both() {
        let mut runner = TestRunner::new(config());
        let counts = [const { Cell::new(0) }; 3];
        let result = runner.run(cases, |case| {
            let outcome = World::new(who, &case).check()?;
            let count = &counts[outcome as usize];
            count.set(count.get() + 1);
            Ok(())
        });
        let tried = |outcome: Outcome| counts[outcome as usize].get();
        match result {
            Ok(()) => {}
            Err(TestError::Fail(why, case)) => panic!("as {who:?}: {why}\n{}", World::new(who, &case).script()),
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
        let [worked, refused, unknown] = [Outcome::Worked, Outcome::Refused, Outcome::Unknown].map(tried);
        println!("as {who:?}: {worked} worked, {refused} were refused, {unknown} lead to where the model ends");
        let all = worked + refused + unknown;
        assert!(all < 50 || (worked > all / 3 && refused > all / 10), "the cases are too much of one kind");
    }
}
