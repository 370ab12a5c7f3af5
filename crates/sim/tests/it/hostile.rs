//! Files that are no traces are refused, with the line, and nothing worse happens.

use std::io::Write as _;

use hearth_sim::{NodeModel, PolicyName, ReadError, Sources, Trace, compare};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Trace, ReadError> {
    let directory = tempfile::tempdir().expect("a directory");
    let calls = directory.path().join("t_invocations.csv");
    std::fs::write(&calls, bytes).expect("written");
    Trace::read(&Sources { calls, ..Sources::default() })
}

fn problem(text: &str) -> String {
    read(text.as_bytes()).expect_err("no trace").to_string()
}

#[test]
fn errors_name_the_line_and_the_column() {
    let minutes = "HashOwner,HashApp,HashFunction,1,2\n";
    for (text, line, what) in [
        (String::new(), 1, "not a header"),
        ("a,b,c\n1,2,3\n".to_owned(), 1, "no column HashApp"),
        (format!("{minutes}o,a,f,1\n"), 2, "4 fields instead of 5"),
        (format!("{minutes}o,a,f,1,2,3\n"), 2, "6 fields instead of 5"),
        (format!("{minutes}o,a,f,1,1\no,a,g,1,-1\n"), 3, "\"-1\" is no count"),
        (format!("{minutes}o,a,f,1,99999999999\n"), 2, "is no count"),
        (format!("{minutes}o,a,f,4294967295,4294967295\n"), 2, "too large"),
        ("app,func,end_timestamp,duration\na,f,1,nan\n".to_owned(), 2, "\"nan\" is no number"),
        ("app,func,end_timestamp,duration\na,f,1e300,1\n".to_owned(), 2, "is no number"),
        ("app,func,end_timestamp,duration\na,f,-1,1\n".to_owned(), 2, "is no number"),
    ] {
        let problem = problem(&text);
        assert!(problem.contains(&format!("line {line}:")) && problem.contains(what), "{text:?}: {problem}");
    }
}

#[test]
fn what_is_not_text_and_what_is_cut_off_is_refused() {
    assert!(read(b"app,func,end_timestamp,duration\n\xFF,f,1,1\n").is_err());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"app,func,end_timestamp,duration\na,f,2,1\n").expect("packed");
    let packed = packed.finish().expect("packed");
    assert_eq!(read(&packed).expect("a trace").calls_total(), 1);
    for length in 2..packed.len() {
        assert!(read(&packed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_bomb_is_refused() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..1025 {
        packed.write_all(&zeros).expect("packed");
    }
    let packed = packed.finish().expect("packed");
    assert!(packed.len() < 1 << 24);
    assert!(read(&packed).expect_err("no trace").to_string().contains("larger than a gibibyte"));
}

#[test]
fn a_trace_without_calls_is_one() {
    let trace = read(b"HashOwner,HashApp,HashFunction,1,2\n").expect("a trace");
    let policies: Vec<PolicyName> = vec!["fixed:600".parse().expect("a policy"), PolicyName::Oracle];
    let rows = compare(&[trace], &policies, &NodeModel::default());
    assert_eq!(rows.iter().map(|row| row.invocations + row.cold_starts).sum::<u64>(), 0);
}

#[test]
fn side_files_are_checked_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("written");
    write("t_invocations.csv", "HashOwner,HashApp,HashFunction,1\no,a,f,1\n");
    let sources = Sources { calls: directory.path().join("t_invocations.csv"), ..Sources::default() };
    write("t_memory.csv", "HashApp,HashFunction,AverageAllocatedMb\na,f,lots\n");
    assert!(Trace::read(&sources).is_err());
    write("t_memory.csv", "HashApp,HashFunction,AverageAllocatedMb\na,f,77\n");
    assert_eq!(Trace::read(&sources).expect("a trace").functions[0].memory_mib, 77);
    let percentiles = ["0", "1", "25", "50", "75", "99", "100"].map(|p| format!("percentile_Average_{p}")).join(",");
    write("t_durations.csv", &format!("HashApp,HashFunction,{percentiles}\na,f,5,4,3,2,1,1,1\n"));
    assert!(Trace::read(&sources).expect_err("wrong").to_string().contains("out of order"));
}

proptest! {
    #[test]
    fn nothing_panics(text in "(app,func,end_timestamp,duration|HashApp,HashFunction,1,2)?\n([a0-9.,e+-]{0,12}\n){0,4}", tail in prop::collection::vec(any::<u8>(), 0..8)) {
        let mut bytes = text.into_bytes();
        bytes.extend(tail);
        if let Ok(trace) = read(&bytes) {
            prop_assume!(trace.calls_total() < 10_000);
            compare(&[trace], &["hearth".parse().expect("a policy"), PolicyName::Oracle], &NodeModel::default());
        }
    }
}
