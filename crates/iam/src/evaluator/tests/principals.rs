//! `Principal` and `NotPrincipal`.

use super::*;

const NAMESAKE: &str = "arn:aws:sts::444455556666:assumed-role/app/run";

fn judge(effect: &str, element: &str, value: &str, who: &str) -> Verdict {
    let statement = format!(r#"{{"Effect":"{effect}","Action":"*","{element}":{value}}}"#);
    let who = principal(who);
    Policy::compile(&document(&statement)).judge_principal(&Request::new(&who, "sts:AssumeRole", ROLE, &[]))
}

#[test]
fn principals_are_named_by_account_arn_role_session_or_as_everybody() {
    let cases: &[(&str, &str, &str, Option<Named>)] = &[
        ("an account's number", r#"{"AWS":"111122223333"}"#, USER, Some(Named::Account)),
        ("an account's root", r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, USER, Some(Named::Account)),
        ("an account's root, a session", r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, SESSION, Some(Named::Account)),
        ("root is its account", r#"{"AWS":"111122223333"}"#, ROOT, Some(Named::Itself)),
        ("another account", r#"{"AWS":"444455556666"}"#, USER, None),
        ("one of several accounts", r#"{"AWS":["444455556666","111122223333"]}"#, USER, Some(Named::Account)),
        ("everybody", r#""*""#, USER, Some(Named::Everyone)),
        ("everybody of AWS", r#"{"AWS":"*"}"#, SESSION, Some(Named::Everyone)),
        ("everybody, anonymous too", r#""*""#, "*", Some(Named::Everyone)),
        ("everybody, a service too", r#""*""#, "lambda.amazonaws.com", Some(Named::Everyone)),
        ("a user", r#"{"AWS":"arn:aws:iam::111122223333:user/dev/ana"}"#, USER, Some(Named::Itself)),
        ("a user without its path", r#"{"AWS":"arn:aws:iam::111122223333:user/ana"}"#, USER, None),
        ("a user does not stand for others", r#"{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, USER, None),
        ("no wildcards in ARNs", r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, USER, None),
        ("a role", r#"{"AWS":"arn:aws:iam::111122223333:role/path/app"}"#, SESSION, Some(Named::Role)),
        ("another role", r#"{"AWS":"arn:aws:iam::111122223333:role/path/apps"}"#, SESSION, None),
        ("a role of that name elsewhere", r#"{"AWS":"arn:aws:iam::111122223333:role/path/app"}"#, NAMESAKE, None),
        ("a session", r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/run"}"#, SESSION, Some(Named::Itself)),
        ("another session", r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/x"}"#, SESSION, None),
        ("the closest counts", r#"{"AWS":["*","arn:aws:iam::111122223333:role/app"]}"#, SESSION, Some(Named::Role)),
        ("a service", r#"{"Service":"lambda.amazonaws.com"}"#, "lambda.amazonaws.com", Some(Named::Itself)),
        (
            "one of several services",
            r#"{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}"#,
            "lambda.amazonaws.com",
            Some(Named::Itself),
        ),
        ("another service", r#"{"Service":"ec2.amazonaws.com"}"#, "lambda.amazonaws.com", None),
        ("a service is no account", r#"{"AWS":"111122223333"}"#, "lambda.amazonaws.com", None),
        ("a canonical user is nobody here", r#"{"CanonicalUser":"79a5"}"#, USER, None),
        (
            "a canonical user beside others",
            r#"{"CanonicalUser":"79a5","AWS":"111122223333"}"#,
            USER,
            Some(Named::Account),
        ),
        ("an unknown kind", r#"{"Robot":"x","AWS":"*"}"#, USER, None),
        ("a text that is not a star", r#""111122223333""#, USER, None),
        ("nobody known is no account", r#"{"AWS":"111122223333"}"#, "*", None),
        (
            "a federated user",
            r#"{"AWS":"arn:aws:sts::111122223333:federated-user/f"}"#,
            "arn:aws:sts::111122223333:federated-user/f",
            Some(Named::Itself),
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .map(|(name, value, who, named)| {
            (name, judge("Allow", "Principal", value, who), named.map_or(Verdict::Silent, Verdict::Allowed))
        })
        .filter(|(_, found, expected)| found != expected)
        .map(|(name, found, _)| format!("{name}: {found:?}"))
        .collect();
    all_hold(&wrong, cases.len(), 30);
}

#[test]
fn providers_vouch_for_the_federated() {
    let who = Principal::federated("cognito-identity.amazonaws.com");
    let judge = |value: &str| {
        let text = document(&format!(r#"{{"Effect":"Allow","Action":"*","Principal":{value}}}"#));
        Policy::compile(&text).judge_principal(&Request::new(&who, "sts:AssumeRoleWithWebIdentity", ROLE, &[]))
    };
    assert_eq!(judge(r#"{"Federated":"cognito-identity.amazonaws.com"}"#), Verdict::Allowed(Named::Itself));
    assert_eq!(judge(r#"{"Federated":"accounts.google.com"}"#), Verdict::Silent);
    assert_eq!(judge(r#"{"Service":"cognito-identity.amazonaws.com"}"#), Verdict::Silent);
}

#[test]
fn not_principal_spares_those_who_are_named_with_their_role_and_account() {
    let both = format!(r#"{{"AWS":["{USER}","{ACCOUNT}"]}}"#);
    let session = format!(r#"{{"AWS":["{SESSION}","{ROLE}","{ROOT}"]}}"#);
    let without_role = format!(r#"{{"AWS":["{SESSION}","{ROOT}"]}}"#);
    let cases: &[(&str, &str, &str, &str, bool)] = &[
        ("user and account", "Deny", &both, USER, false),
        ("another user of the account", "Deny", &both, "arn:aws:iam::111122223333:user/bob", true),
        ("a user without its account", "Deny", &both.replace(r#","111122223333""#, ""), USER, true),
        ("session, role and account", "Deny", &session, SESSION, false),
        ("a session without its role", "Deny", &without_role, SESSION, true),
        ("a service", "Deny", r#"{"Service":"lambda.amazonaws.com"}"#, "lambda.amazonaws.com", false),
        ("another service", "Deny", r#"{"Service":"lambda.amazonaws.com"}"#, "ec2.amazonaws.com", true),
        ("allowing all others", "Allow", &both, NAMESAKE, true),
        ("allowing not those named", "Allow", &both, USER, false),
    ];
    for (name, effect, value, who, applies) in cases {
        assert_eq!(judge(effect, "NotPrincipal", value, who) != Verdict::Silent, *applies, "{name}");
    }
}

#[test]
fn conditions_see_who_asks() {
    let session = principal(SESSION);
    for (key, value) in [
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalAccount", ACCOUNT),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:userid", "AROA:run"),
        ("aws:PrincipalIsAWSService", "false"),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        );
        let policy = Policy::compile(&document(&statement));
        assert_ne!(policy.judge(&Request::new(&session, "a:b", "c", &[])), Verdict::Silent, "{key}");
    }
    for malformed in
        ["", "arn", "arn:aws:iam::1:user", "arn:aws:sts::1:assumed-role/x", "arn:aws:s3:::b", "arn:aws:iam:r:1:root"]
    {
        assert_eq!(Principal::of_arn(malformed), None, "{malformed}");
    }
}
