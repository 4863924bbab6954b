//! The numbers of the calls, machine by machine, as [`super::program`] needs them.

use super::calls::ROWS;
use super::class::*;

/// The machines, each a column of the table. aarch64 and riscv64 have the same numbers.
#[derive(Clone, Copy)]
pub struct Machine {
    #[cfg(test)]
    pub name: &'static str,
    arch: u32,
    column: usize,
    /// Numbers that no call has yet, first and last: Linux may use them for calls of that machine alone.
    holes: &'static [(u16, u16)],
    /// The class of the numbers above the table.
    above: Class,
}

macro_rules! machine {
    ($name:ident $arch:literal column $column:literal holes $holes:expr, above $above:expr) => {
        pub const $name: Machine = Machine {
            #[cfg(test)]
            name: stringify!($name),
            arch: $arch,
            column: $column,
            holes: &$holes,
            above: $above,
        };
    };
}

#[cfg(any(test, target_arch = "x86_64", target_arch = "x86"))]
machine!(X86_64 0xC000_003E column 0 holes [(337, 423)], above MISSING);
#[cfg(any(test, target_arch = "x86_64", target_arch = "x86"))]
machine!(I386 0x4000_0003 column 1 holes [(387, 392)], above MISSING);
#[cfg(any(test, target_arch = "aarch64", target_arch = "arm"))]
machine!(ARM 0x4000_0028 column 2 holes [], above AT + ARM_PRIVATE);
#[cfg(any(test, target_arch = "aarch64", target_arch = "arm"))]
machine!(AARCH64 0xC000_00B7 column 3 holes [(244, 259), (295, 423)], above MISSING);
#[cfg(any(test, target_arch = "riscv64"))]
machine!(RISCV64 0xC000_00F3 column 3 holes [(244, 257), (295, 423)], above MISSING);

/// One more than the highest number of the table, open_tree_attr(2). Calls that are younger than the table answer ENOSYS, and programs
/// do without them.
pub const COUNT: usize = 468;

/// Numbers that follow each other and have the same class: how many, and the class.
pub type Run = [u8; 2];

/// The runs of a machine, for [`super::program`].
#[derive(Clone, Copy)]
pub struct Table {
    /// AUDIT_ARCH_* of linux/audit.h.
    pub arch: u32,
    #[cfg(test)]
    pub machine: Machine,
    pub runs: &'static [Run],
}

impl Machine {
    const fn classes(&self) -> [Class; COUNT + 1] {
        let mut classes = [ALLOWED; COUNT + 1];
        let mut hole = 0;
        while hole < self.holes.len() {
            let (mut number, last) = self.holes[hole];
            while number <= last {
                classes[number as usize] = MISSING;
                number += 1;
            }
            hole += 1;
        }
        let mut row = 0;
        while row < ROWS.len() {
            if let Some(number) = ROWS[row].numbers[self.column] {
                assert!(classes[number as usize] == ALLOWED, "two rows have the same number");
                classes[number as usize] = ROWS[row].class;
            }
            row += 1;
        }
        classes[COUNT] = self.above;
        classes
    }

    const fn count(&self) -> usize {
        let classes = self.classes();
        let (mut count, mut number) = (1, 1);
        while number < classes.len() {
            if classes[number] != classes[number - 1] {
                count += 1;
            }
            number += 1;
        }
        count
    }

    const fn runs<const N: usize>(&self) -> [Run; N] {
        let classes = self.classes();
        let mut runs = [[1, classes[0]]; N];
        let (mut run, mut number) = (0, 1);
        while number < classes.len() {
            if classes[number] == classes[number - 1] {
                assert!(runs[run][0] < u8::MAX, "a run is longer than a byte can count");
                runs[run][0] += 1;
            } else {
                run += 1;
                runs[run] = [1, classes[number]];
            }
            number += 1;
        }
        runs
    }
}

macro_rules! table {
    ($machine:ident) => {
        Table {
            arch: $machine.arch,
            #[cfg(test)]
            machine: $machine,
            runs: &$machine.runs::<{ $machine.count() }>(),
        }
    };
}

/// The machines whose programs the kernel of this one executes, this one first.
#[cfg(target_arch = "x86_64")]
pub const TABLES: &[Table] = &[table!(X86_64), table!(I386)];
#[cfg(target_arch = "x86")]
pub const TABLES: &[Table] = &[table!(I386), table!(X86_64)];
#[cfg(target_arch = "aarch64")]
pub const TABLES: &[Table] = &[table!(AARCH64), table!(ARM)];
#[cfg(target_arch = "arm")]
pub const TABLES: &[Table] = &[table!(ARM), table!(AARCH64)];
#[cfg(target_arch = "riscv64")]
pub const TABLES: &[Table] = &[table!(RISCV64)];

/// The most runs that a machine of these has, and all of them together.
pub const MOST_RUNS: usize = runs_of(ALL).0;
pub const ALL_RUNS: usize = runs_of(ALL).1;

const fn runs_of(tables: &[Table]) -> (usize, usize) {
    let (mut most, mut all, mut table) = (0, 0, 0);
    while table < tables.len() {
        let runs = tables[table].runs.len();
        most = if runs > most { runs } else { most };
        all += runs;
        table += 1;
    }
    (most, all)
}

#[cfg(not(test))]
const ALL: &[Table] = TABLES;
/// For the tests, every machine.
#[cfg(test)]
pub const ALL: &[Table] = &[table!(X86_64), table!(I386), table!(ARM), table!(AARCH64), table!(RISCV64)];

/// The name of a call, if a row has it.
#[cfg(test)]
pub fn name(machine: &Machine, number: u16) -> Option<&'static str> {
    ROWS.iter().find(|row| row.numbers[machine.column] == Some(number)).map(|row| row.name)
}
