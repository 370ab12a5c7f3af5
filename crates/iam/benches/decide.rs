//! What it takes to decide whether a caller may do something: its policies are compiled and kept, so nothing is read.
//!
//! `cargo bench --package hearth-iam` prints nanoseconds per decision of a session whose role has two policies, about a function that
//! has one.

#![allow(clippy::print_stdout, reason = "a benchmark reports on its standard output")]
#![allow(clippy::unwrap_used, reason = "what is written here is well-formed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_iam::evaluator::{Decision, Fact, Policy, Values};
use hearth_iam::{Iam, NewRole};
use hearth_store::Embedded;
use hearth_types::{AccountId, Timestamp};

const BATCH: u128 = 20_000;
const BATCHES: usize = 51;
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/caller/orders";

fn allow(action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"iam:*","Resource":"*"}},
            {{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let account: AccountId = "123456789012".parse().unwrap();
    runtime.block_on(async {
        let iam = Iam::open(Arc::new(Embedded::open(dir.path()).unwrap())).await.unwrap();
        let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}}"#;
        let role = NewRole {
            name: "caller".to_owned(),
            path: "/".to_owned(),
            trust: trust.to_owned(),
            description: None,
            session_s_max: 3600,
            permissions_boundary: None,
            tags: BTreeMap::new(),
        };
        iam.create_role(&account, role, Timestamp::from_millis(0)).await.unwrap();
        iam.put_role_policy(&account, "caller", "logs", &allow("logs:*", "*")).await.unwrap();
        iam.put_role_policy(&account, "caller", "call", &allow("lambda:Invoke*", &format!("{FUNCTION}*"))).await.unwrap();
        let policy = Policy::compile(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*",
                "Principal":{"Service":"events.amazonaws.com"}}}"#,
        );
        let facts: &[Fact<'_>] = &[("aws:RequestedRegion", Values::One("eu-west-1"))];
        let mut times = Vec::new();
        for _ in 0..BATCHES {
            let began = std::time::Instant::now();
            for _ in 0..BATCH {
                let identity = iam.identity(&account, CALLER).await.unwrap();
                let asked = ("lambda:InvokeFunction", FUNCTION);
                assert_eq!(identity.decide(asked, facts, Some(&policy), &account), Decision::Allowed);
            }
            times.push(began.elapsed().as_nanos() / BATCH);
        }
        times.sort_unstable();
        println!(
            "median {} ns, fastest {} ns, slowest {} ns per decision",
            times[BATCHES / 2],
            times[0],
            times[BATCHES - 1]
        );
    });
}
