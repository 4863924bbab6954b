//! CMD's environment: the caller's, changed by the options.

use core::cmp::Ordering;
use core::ffi::CStr;

use engine::sys::{Env, Slot, Word};

use super::words::name_of;

/// The variable that nsinit, as the first process of a machine, gives to the init of another root: if that is nsinit too, it knows
/// by it that the kernel's command line was for the first one.
pub const SWITCHED: &CStr = c"NSINIT_SWITCHED=1";
/// Its name.
pub const SWITCHED_NAME: &CStr = c"NSINIT_SWITCHED";

/// The operations on the environment. They are recorded, and resolved by one sort at the end: 20,000 variables are usual in a
/// large Kubernetes cluster, and a search through all of them for each option would take quadratic time.
pub struct Variables {
    changes: Vec<Change>,
    /// The number of operations so far.
    operations: u32,
    /// The number of the last operation that passed on all of the caller's variables; 0 if there was none.
    all: u32,
}

/// The effect of one operation on one variable. As operation 0: a variable of the caller.
struct Change {
    name: &'static [u8],
    by: u32,
    /// For a variable of the caller: its place in the caller's order.
    place: u32,
    /// `NAME=VALUE`. `None`: the variable is removed or, if `passes`, passed on.
    pair: Option<&'static CStr>,
    passes: bool,
}

type Order = fn(&Change, &Change) -> Ordering;

impl Variables {
    pub fn new() -> Variables {
        Variables { changes: Vec::new(), operations: 0, all: 0 }
    }

    pub fn set(&mut self, pair: &'static CStr) {
        self.change(name_of(pair), Some(pair), false);
    }

    pub fn remove(&mut self, name: &'static CStr) {
        self.change(name.to_bytes(), None, false);
    }

    /// Passes on the caller's variables of that name.
    pub fn pass(&mut self, name: &'static CStr) {
        self.change(name.to_bytes(), None, true);
    }

    /// Passes on all variables of the caller.
    pub fn pass_all(&mut self) {
        self.operations += 1;
        self.all = self.operations;
    }

    pub fn clear(&mut self) {
        self.changes.clear();
        self.all = 0;
    }

    fn change(&mut self, name: &'static [u8], pair: Option<&'static CStr>, passes: bool) {
        self.operations += 1;
        self.changes.push(Change { name, by: self.operations, place: 0, pair, passes });
    }

    /// Whether CMD's environment is the caller's.
    pub fn are_the_callers(&self) -> bool {
        self.changes.is_empty() && self.all != 0
    }

    /// The resulting environment. Of several operations on one name, only the last one takes effect, at its place in the order. A
    /// variable that the caller has several times is passed on as many times.
    pub fn settle(mut self, caller: Env<'static>) -> Vec<Slot> {
        let (by_name, by_place): (Order, Order) = (
            |one, other| (one.name, one.by, one.place).cmp(&(other.name, other.by, other.place)),
            |one, other| (one.by, one.place).cmp(&(other.by, other.place)),
        );
        let mut list = self.changes;
        for pair in caller.words() {
            self.operations += 1;
            list.push(Change { name: name_of(pair), by: 0, place: self.operations, pair: Some(pair), passes: false });
        }
        list.sort_unstable_by(by_name);
        let mut last: (Option<&[u8]>, u32, bool) = (None, 0, false);
        for change in list.iter_mut().rev() {
            if last.0 != Some(change.name) {
                let own = change.by > self.all;
                last = (Some(change.name), change.by.max(self.all), if own { change.passes } else { self.all != 0 });
            }
            let (_, by, passes) = last;
            match change.by {
                0 if passes => change.by = by,
                number if number == by && number != 0 => {}
                _ => change.pair = None,
            }
        }
        list.sort_unstable_by(by_place);
        list.iter().filter_map(|change| change.pair).map(|pair| Slot::new(Word::new(pair))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(caller: &'static [Slot], operations: impl Fn(&mut Variables)) -> String {
        let mut variables = Variables::new();
        operations(&mut variables);
        let words = variables.settle(Env::new(caller));
        words.iter().map(|word| format!("{} ", word.get().text().to_str().unwrap())).collect()
    }

    #[test]
    fn the_last_operation_holds() {
        let words = [c"A=1", c"B=2", c"A=3", c"C=4", c"=", c"bare"].map(Word::new);
        let caller: Vec<_> = words.into_iter().chain([Word::END]).map(Slot::new).collect();
        let caller: &[_] = caller.leak();
        for (operations, result) in [
            ((|_| {}) as fn(&mut Variables), ""),
            (Variables::pass_all, "A=1 B=2 A=3 C=4 = bare "),
            (
                |v| {
                    v.pass_all();
                    v.remove(c"A");
                },
                "B=2 C=4 = bare ",
            ),
            (
                |v| {
                    v.pass_all();
                    v.set(c"A=5");
                },
                "B=2 C=4 = bare A=5 ",
            ),
            (
                |v| {
                    v.set(c"A=5");
                    v.pass_all();
                },
                "A=1 B=2 A=3 C=4 = bare ",
            ),
            (
                |v| {
                    v.set(c"Z=5");
                    v.pass(c"A");
                    v.set(c"Y=6");
                },
                "Z=5 A=1 A=3 Y=6 ",
            ),
            (
                |v| {
                    v.pass(c"A");
                    v.pass(c"none");
                    v.remove(c"A");
                    v.pass(c"B");
                },
                "B=2 ",
            ),
            (
                |v| {
                    v.pass_all();
                    v.set(c"A=5");
                    v.clear();
                    v.set(c"Q=");
                    v.pass(c"C");
                },
                "Q= C=4 ",
            ),
            (
                |v| {
                    v.set(c"A=5");
                    v.set(c"A=6");
                    v.set(c"B=7");
                    v.set(c"A=8");
                },
                "B=7 A=8 ",
            ),
            (
                |v| {
                    v.pass_all();
                    v.clear();
                },
                "",
            ),
            (
                |v| {
                    v.pass_all();
                    v.remove(c"A");
                    v.pass(c"A");
                    v.remove(c"");
                },
                "B=2 C=4 bare A=1 A=3 ",
            ),
        ] {
            assert_eq!(settled(caller, operations), result);
        }
    }
}
