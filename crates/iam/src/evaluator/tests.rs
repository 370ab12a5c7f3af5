//! The evaluator's suite. Cases follow AWS's documentation of policy elements, operators and evaluation logic.

mod conditions;
mod decisions;
mod elements;
mod principals;
mod properties;
mod speed;

use std::sync::Arc;

use super::*;

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const USER: &str = "arn:aws:iam::111122223333:user/dev/ana";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/run";
const ROLE: &str = "arn:aws:iam::111122223333:role/path/app";

/// Anyone by ARN, a service by name, `*` for nobody known.
fn principal(text: &str) -> Principal {
    match text {
        "*" => Principal::anonymous(),
        SESSION => Principal::of_arn(SESSION).unwrap().with_role_arn(ROLE).with_user_id("AROA:run"),
        service if service.ends_with(".amazonaws.com") => Principal::service(service),
        arn => Principal::of_arn(arn).unwrap().with_user_id("AIDA").with_tags([("team", "blue"), ("empty", "")]),
    }
}

/// A document of these statements.
fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// Fails with the names of all cases that are not as expected.
#[track_caller]
fn all_hold(wrong: &[String], cases: usize, at_least: usize) {
    assert!(wrong.is_empty(), "{} of {cases} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= at_least, "{cases}");
}
