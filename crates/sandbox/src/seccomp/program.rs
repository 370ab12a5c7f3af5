//! From verdicts to instructions for the kernel's packet filter machine.
//!
//! Numbers are found by bisection instead of one after the other: when a filter is installed, the kernel runs it once for every
//! system call there is, so that a long chain makes each start of a sandbox half a millisecond longer.

use std::collections::BTreeMap;

use hearth_sys::FilterInstruction;

use super::{Test, Verdict};

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_NOT_BELOW: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets in `struct seccomp_data`: number, architecture, instruction pointer, six arguments of 8 bytes, little-endian.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_AARCH64`: 64 bits, little-endian, machine number of ELF.
#[cfg(target_arch = "x86_64")]
const THIS_ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const THIS_ARCHITECTURE: u32 = 0xc000_00b7;

const UNKNOWN: Verdict = Verdict::Fail(libc::ENOSYS);

/// System calls from `first` up to the next run's.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u32,
    verdict: Verdict,
}

/// The whole program. Calls of another architecture, whose numbers mean something else, kill.
pub(super) fn assemble(verdicts: &BTreeMap<u32, Verdict>) -> Vec<FilterInstruction> {
    let mut program = vec![
        plain(LOAD, ARCHITECTURE),
        jump(JUMP_EQUAL, THIS_ARCHITECTURE, 1, 0),
        plain(RETURN, libc::SECCOMP_RET_KILL_PROCESS),
        plain(LOAD, NUMBER),
    ];
    program.extend(bisect(&runs(verdicts)));
    program
}

fn runs(verdicts: &BTreeMap<u32, Verdict>) -> Vec<Run> {
    let mut runs = vec![Run { first: 0, verdict: UNKNOWN }];
    let mut add = |first, verdict| match runs.last_mut() {
        Some(last) if last.verdict == verdict => {}
        Some(last) if last.first == first => last.verdict = verdict,
        _ => runs.push(Run { first, verdict }),
    };
    let mut next = 0;
    for (call, verdict) in verdicts {
        if *call > next {
            add(next, UNKNOWN);
        }
        add(*call, *verdict);
        next = call.saturating_add(1);
    }
    add(next, UNKNOWN);
    runs
}

fn bisect(runs: &[Run]) -> Vec<FilterInstruction> {
    let (lower, upper) = runs.split_at(runs.len() / 2);
    let Some(first) = upper.first() else { return Vec::new() };
    if lower.is_empty() {
        return leaf(first.verdict);
    }
    let (lower, upper) = (bisect(lower), bisect(upper));
    // Conditional jumps reach 255 instructions, plain ones everything.
    let choice = match u8::try_from(lower.len()) {
        Ok(distance) => vec![jump(JUMP_NOT_BELOW, first.first, distance, 0)],
        Err(_) => vec![jump(JUMP_NOT_BELOW, first.first, 0, 1), plain(JUMP, distance(lower.len()))],
    };
    [choice, lower, upper].concat()
}

fn leaf(verdict: Verdict) -> Vec<FilterInstruction> {
    match verdict {
        Verdict::Allow => vec![plain(RETURN, libc::SECCOMP_RET_ALLOW)],
        Verdict::Fail(error) => vec![fail(error)],
        Verdict::Check { cases, error } => {
            let mut block: Vec<_> = cases.iter().flat_map(|tests| case(tests)).collect();
            block.push(fail(error));
            block
        }
    }
}

/// Allows if all tests pass, else goes on behind.
fn case(tests: &[Test]) -> Vec<FilterInstruction> {
    let mut block = vec![plain(RETURN, libc::SECCOMP_RET_ALLOW)];
    for test in tests.iter().rev() {
        // From behind the jump past the rest of the case; cases are a few instructions long.
        let rest = u8::try_from(block.len()).unwrap_or(u8::MAX);
        let (if_equal, if_not) = if test.equal { (0, rest) } else { (rest, 0) };
        let compare = [
            plain(LOAD, ARGUMENTS + 8 * u32::from(test.argument)),
            plain(AND, test.mask),
            jump(JUMP_EQUAL, test.value, if_equal, if_not),
        ];
        block.splice(0..0, compare);
    }
    block
}

fn fail(error: i32) -> FilterInstruction {
    plain(RETURN, libc::SECCOMP_RET_ERRNO | (error.unsigned_abs() & libc::SECCOMP_RET_DATA))
}

fn plain(code: u16, value: u32) -> FilterInstruction {
    jump(code, value, 0, 0)
}

fn jump(code: u16, value: u32, if_true: u8, if_false: u8) -> FilterInstruction {
    FilterInstruction { code, jt: if_true, jf: if_false, k: value }
}

fn distance(instructions: usize) -> u32 {
    u32::try_from(instructions).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seccomp::verdicts;

    /// What the kernel would do, and after how many instructions.
    fn run(program: &[FilterInstruction], number: u32, arguments: [u32; 6]) -> (u32, usize) {
        let (mut at, mut steps, mut accumulator) = (0, 0, 0);
        loop {
            let FilterInstruction { code, jt, jf, k } = program[at];
            (at, steps) = (at + 1, steps + 1);
            let mut branch = |condition: bool| at += usize::from(if condition { jt } else { jf });
            match code {
                LOAD if k == NUMBER => accumulator = number,
                LOAD if k == ARCHITECTURE => accumulator = THIS_ARCHITECTURE,
                LOAD => accumulator = arguments[((k - ARGUMENTS) / 8) as usize],
                AND => accumulator &= k,
                JUMP => at += k as usize,
                JUMP_EQUAL => branch(accumulator == k),
                JUMP_NOT_BELOW => branch(accumulator >= k),
                RETURN => return (k, steps),
                _ => panic!("unknown instruction {code}"),
            }
        }
    }

    fn expected(number: u32, arguments: [u32; 6]) -> u32 {
        let errno = |error: i32| libc::SECCOMP_RET_ERRNO | error.unsigned_abs();
        match verdicts().get(&number).copied().unwrap_or(UNKNOWN) {
            Verdict::Allow => libc::SECCOMP_RET_ALLOW,
            Verdict::Fail(error) => errno(error),
            Verdict::Check { cases, error } => {
                let passes =
                    |test: &Test| (arguments[usize::from(test.argument)] & test.mask == test.value) == test.equal;
                let allowed = cases.iter().any(|tests| tests.iter().all(passes));
                if allowed { libc::SECCOMP_RET_ALLOW } else { errno(error) }
            }
        }
    }

    #[test]
    fn every_call_gets_its_verdict_after_few_steps() {
        let program = super::super::compile();
        assert!(program.len() < 1000, "{} instructions", program.len());
        for number in (0..1000).chain([u32::MAX, 1 << 30, (1 << 30) + 59]) {
            let (verdict, steps) = run(&program, number, [0; 6]);
            assert_eq!(verdict, expected(number, [0; 6]), "system call {number}");
            assert!(steps < 40, "{steps} steps for system call {number}");
        }
    }

    proptest! {
        #[test]
        fn arguments_are_judged_as_the_rules_say(
            number in proptest::sample::select(verdicts().into_keys().collect::<Vec<_>>()),
            arguments: [u32; 6],
            small in proptest::array::uniform6(0u32..64),
            shift in 0u32..32,
        ) {
            let program = super::super::compile();
            for arguments in [arguments, small, small.map(|value| value << shift)] {
                prop_assert_eq!(run(&program, number, arguments).0, expected(number, arguments));
            }
        }
    }
}
