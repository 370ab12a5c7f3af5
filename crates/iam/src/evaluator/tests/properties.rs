//! What holds for any document.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        Just("s3:Get*".to_owned()),
        Just("${aws:username}".to_owned()),
        Just("2012-10-17".to_owned()),
        Just("arn:aws:s3:::*/${aws:PrincipalTag/team, 'x'}?".to_owned()),
        Just("Allow".to_owned()),
        Just("Deny".to_owned()),
        "[a-z:*?${},é/']{0,12}",
        any::<String>(),
    ]
}

/// Any JSON, with the names that policies use more often than chance has it.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "Version",
        "Statement",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
        "AWS",
        "Service",
        "StringLike",
        "ForAllValues:ArnLike",
        "DateLessThan",
        "NumericEquals",
        "NotIpAddress",
        "Null",
        "aws:username",
        "aws:SourceIp",
    ]);
    let name = prop_oneof![names.prop_map(str::to_owned), word()];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A statement that is understood.
fn statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let actions = prop::sample::select(vec!["*", "s3:*", "s3:Get*", "s3:PutObject", "sqs:*"]);
    let resources = prop::sample::select(vec!["*", "arn:aws:s3:::a/*", "arn:aws:s3:::b/${aws:username}"]);
    let conditions =
        prop::sample::select(vec!["{}", r#"{"StringEquals":{"aws:username":"ana"}}"#, r#"{"Bool":{"x:y":"true"}}"#]);
    (actions, resources, conditions).prop_map(move |(action, resource, condition)| {
        let condition: Value = serde_json::from_str(condition).unwrap();
        json!({"Effect": effect, "Action": action, "Resource": resource, "Condition": condition})
    })
}

fn judged(statements: &[Value]) -> Verdict {
    let who = principal(USER);
    let policy = Policy::compile(&json!({"Version": "2012-10-17", "Statement": statements}).to_string());
    policy.judge(&Request::new(&who, "s3:GetObject", "arn:aws:s3:::a/file", &[]))
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(prop_oneof![statement("Allow"), statement("Deny")], 0..5)
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(document in value(), statement in value(), text in word()) {
        let wrapped = json!({"Version": "2012-10-17", "Statement": [statement]});
        for document in [document.to_string(), wrapped.to_string(), text.clone()] {
            let policy = Policy::compile(&document);
            for who in [USER, SESSION, ROOT, "lambda.amazonaws.com", "*"] {
                let who = principal(who);
                let request = Request::new(&who, &text, &text, &[]);
                let (_, _) = (policy.judge(&request), policy.judge_principal(&request));
            }
        }
        let _ = Principal::of_arn(&text);
    }

    #[test]
    fn a_deny_wins_wherever_it_stands(mut given in statements(), at in 0usize..6) {
        given.insert(at.min(given.len()), json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
        prop_assert_eq!(judged(&given), Verdict::Denied);
    }

    #[test]
    fn an_allow_more_takes_nothing_away(given in statements(), more in statement("Allow")) {
        let before = judged(&given);
        let after = judged(&[&given[..], &[more]].concat());
        let kept = if before == Verdict::Silent { after != Verdict::Denied } else { after == before };
        prop_assert!(kept);
    }

    #[test]
    fn a_deny_more_gives_nothing(given in statements(), more in statement("Deny")) {
        let (before, after) = (judged(&given), judged(&[&given[..], &[more]].concat()));
        prop_assert!(after == before || after == Verdict::Denied);
    }

    #[test]
    fn what_is_plain_matches_itself_alone(text in "[a-zA-Z0-9:/._-]{1,40}", other in "[a-zA-Z0-9:/._-]{1,40}") {
        let document = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": text}}).to_string();
        let who = principal(USER);
        let matches = |resource: &str| Policy::compile(&document).judge(&Request::new(&who, "a:b", resource, &[])) != Verdict::Silent;
        prop_assert!(matches(&text));
        prop_assert_eq!(matches(&other), text == other);
    }

    /// Against the plainest matcher there is.
    #[test]
    fn wildcards_match_as_their_definition_says(pattern in "[ab*?]{0,10}", text in "[ab]{0,12}") {
        fn plain(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => plain(rest, text) || text.split_first().is_some_and(|(_, text)| plain(pattern, text)),
                (Some((b'?', rest)), Some((_, text))) => plain(rest, text),
                (Some((one, rest)), Some((other, text))) => one == other && plain(rest, text),
                _ => false,
            }
        }
        let document = json!({"Statement": {"Effect": "Allow", "Action": pattern, "Resource": "*"}}).to_string();
        let who = principal(USER);
        let found = Policy::compile(&document).judge(&Request::new(&who, &text, "c", &[])) != Verdict::Silent;
        prop_assert_eq!(found, plain(pattern.as_bytes(), text.as_bytes()));
    }
}
