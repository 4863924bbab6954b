//! Random operations on random roots full of links that lead outside: what the command then sees and what is left on
//! disk equals a simple model; and outside nothing has changed, whatever the model says.
//!
//! `NSINIT_CASES` is the number of cases for each test and user, `NSINIT_SEED` the seed. A failure prints a script that
//! reproduces it.
//!
//!     tree     a directory with its content
//!     case     the operations of a case, and how they are chosen
//!     model    the expected result
//!     words    the command line
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
fn built_root_matches_the_model() {
    holds_for(&Case::built());
}

#[test]
fn root_directory_matches_the_model() {
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
        println!(
            "as {who:?}: {worked} worked, {refused} were refused, {unknown} lead to a place that the model does not cover"
        );
        let all = worked + refused + unknown;
        assert!(all < 50 || (worked > all / 3 && refused > all / 10), "too few cases work, or too few are refused");
    }
}
