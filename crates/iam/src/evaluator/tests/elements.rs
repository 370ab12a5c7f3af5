//! Effect, Action, Resource, their `Not...`, wildcards, variables and versions.

use super::*;

const READ: &str = "s3:GetObject";
const OBJECT: &str = "arn:aws:s3:::bucket/ana/file";

fn says(document: &str, action: &str, resource: &str) -> &'static str {
    let who = principal(USER);
    let facts = [
        ("s3:prefix", Values::One("ana/")),
        ("aws:TagKeys", Values::Many(&["a", "b"])),
        ("app:stars", Values::One("*")),
    ];
    match Policy::compile(document).judge(&Request::new(&who, action, resource, &facts)) {
        Verdict::Allowed(_) => "allow",
        Verdict::Denied => "deny",
        Verdict::Silent => "-",
    }
}

#[test]
fn actions_match_in_any_case_and_with_wildcards() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("exact action", r#""Action":"s3:GetObject""#, READ, "allow"),
        ("another action", r#""Action":"s3:PutObject""#, READ, "-"),
        ("an action's case does not matter", r#""Action":"S3:gEtObJect""#, READ, "allow"),
        ("a request's case does not matter", r#""Action":"s3:GetObject""#, "S3:GETOBJECT", "allow"),
        ("one of a list", r#""Action":["sqs:*","s3:GetObject"]"#, READ, "allow"),
        ("none of a list", r#""Action":["sqs:*","s3:PutObject"]"#, READ, "-"),
        ("an empty list", r#""Action":[]"#, READ, "-"),
        ("all actions", r#""Action":"*""#, READ, "allow"),
        ("all of a service", r#""Action":"s3:*""#, READ, "allow"),
        ("all of another service", r#""Action":"sqs:*""#, READ, "-"),
        ("a prefix", r#""Action":"s3:Get*""#, READ, "allow"),
        ("a suffix", r#""Action":"s3:*Object""#, READ, "allow"),
        ("in the middle", r#""Action":"s3:G*t*ct""#, READ, "allow"),
        ("a wildcard may stand for nothing", r#""Action":"s3:GetObject*""#, READ, "allow"),
        ("one character", r#""Action":"s3:?etObject""#, READ, "allow"),
        ("one character is not none", r#""Action":"s3:GetObject?""#, READ, "-"),
        ("no part of an action", r#""Action":"s3:Get""#, READ, "-"),
        ("NotAction excepts", r#""NotAction":"s3:GetObject""#, READ, "-"),
        ("NotAction allows the rest", r#""NotAction":"iam:*""#, READ, "allow"),
        ("NotAction with a list", r#""NotAction":["iam:*","S3:GET*"]"#, READ, "-"),
        ("NotAction with wildcards", r#""NotAction":"s3:Put*""#, READ, "allow"),
        ("Action and NotAction together allow nothing", r#""Action":"*","NotAction":"iam:*""#, READ, "-"),
        ("no action at all", r#""Sid":"x""#, READ, "-"),
        ("an action that is no text", r#""Action":{"a":1}"#, READ, "-"),
        ("actions have no variables", r#""Action":"s3:${aws:username}""#, "s3:ana", "-"),
    ];
    let judge =
        |part: &str, action| says(&document(&format!(r#"{{"Effect":"Allow","Resource":"*",{part}}}"#)), action, OBJECT);
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(_, part, action, expected)| judge(part, action) != *expected)
        .map(|(name, part, ..)| format!("{name}: {part}"))
        .collect();
    all_hold(&wrong, cases.len(), 25);
}

#[test]
fn resources_match_section_by_section() {
    let queue = "arn:aws:sqs:eu-west-1:111122223333:orders";
    let alias = "arn:aws:lambda:eu-west-1:111122223333:function:pay:live";
    let cases: &[(&str, &str, &str, &str)] = &[
        ("exact resource", queue, queue, "allow"),
        ("a resource's case matters", "arn:aws:sqs:eu-west-1:111122223333:Orders", queue, "-"),
        ("all resources", "*", queue, "allow"),
        ("a prefix of the last section", "arn:aws:sqs:eu-west-1:111122223333:ord*", queue, "allow"),
        ("any region", "arn:aws:sqs:*:111122223333:orders", queue, "allow"),
        ("any region and account", "arn:aws:sqs:*:*:orders", queue, "allow"),
        ("part of a region", "arn:aws:sqs:eu-*:111122223333:orders", queue, "allow"),
        ("part of another region", "arn:aws:sqs:us-*:111122223333:orders", queue, "-"),
        ("a star that ends a section goes on over colons", "arn:aws:sqs:eu-west-1:*", queue, "allow"),
        ("a star behind two sections", "arn:aws:sqs:*", queue, "allow"),
        ("a star inside a section stays there", "arn:aws:sqs:e*3:orders", queue, "-"),
        ("a star inside a section", "arn:aws:sqs:e*-1:111122223333:orders", queue, "allow"),
        ("a question mark is no colon", "arn:aws:sqs?eu-west-1:111122223333:orders", queue, "-"),
        ("a question mark in a section", "arn:aws:sqs:eu-west-?:111122223333:orders", queue, "allow"),
        ("no part of a resource", "arn:aws:sqs:eu-west-1:111122223333:order", queue, "-"),
        ("an alias by the function's wildcard", "arn:aws:lambda:*:*:function:pay:*", alias, "allow"),
        ("a function's name is not its alias's", "arn:aws:lambda:*:*:function:pay", alias, "-"),
        ("in the last section a star crosses colons", "arn:aws:lambda:*:*:fun*live", alias, "allow"),
        ("slashes are characters", "arn:aws:s3:::bucket/*/file", "arn:aws:s3:::bucket/a/b/file", "allow"),
        ("two stars", "arn:aws:s3:::*/ana/*", OBJECT, "allow"),
        ("a bucket is not its objects", "arn:aws:s3:::bucket", OBJECT, "-"),
        ("a bucket's name as a prefix", "arn:aws:s3:::bucket*", OBJECT, "allow"),
        ("what is no ARN", "orders*", "orders-1", "allow"),
        ("an empty resource", "", queue, "-"),
        ("characters beyond ASCII", "arn:aws:s3:::b/?é*", "arn:aws:s3:::b/üé🙂", "allow"),
    ];
    let judge = |pattern: &str, resource: &str, element: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","{element}":"{pattern}"}}"#);
        says(&document(&statement), READ, resource)
    };
    let mut wrong = Vec::new();
    for (name, pattern, resource, expected) in cases {
        if judge(pattern, resource, "Resource") != *expected {
            wrong.push(format!("{name}: {pattern}"));
        }
        if judge(pattern, resource, "NotResource") == *expected {
            wrong.push(format!("NotResource, {name}: {pattern}"));
        }
    }
    all_hold(&wrong, 2 * cases.len(), 50);
}

#[test]
fn variables_stand_for_what_is_known_of_the_request() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("a user's name", "arn:aws:s3:::bucket/${aws:username}/*", OBJECT, "allow"),
        ("another user's name", "arn:aws:s3:::bucket/${aws:username}/*", "arn:aws:s3:::bucket/bob/file", "-"),
        ("a user's id", "arn:aws:s3:::b/${aws:userid}", "arn:aws:s3:::b/AIDA", "allow"),
        ("a principal's tag", "arn:aws:s3:::b/${aws:PrincipalTag/team}", "arn:aws:s3:::b/blue", "allow"),
        ("names of keys in any case", "arn:aws:s3:::b/${AWS:principaltag/TEAM}", "arn:aws:s3:::b/blue", "allow"),
        ("an absent tag matches nothing", "arn:aws:s3:::b/${aws:PrincipalTag/none}*", "arn:aws:s3:::b/x", "-"),
        ("a default", "arn:aws:s3:::b/${aws:PrincipalTag/none, 'grey'}", "arn:aws:s3:::b/grey", "allow"),
        ("a value before a default", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'grey'}", "arn:aws:s3:::b/grey", "-"),
        ("a key of the service", "arn:aws:s3:::b/${s3:prefix}", "arn:aws:s3:::b/ana/", "allow"),
        ("a key of several values has none", "arn:aws:s3:::b/${aws:TagKeys}", "arn:aws:s3:::b/a", "-"),
        ("a star by itself", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", "allow"),
        ("a star that is no wildcard", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", "-"),
        ("a question mark by itself", "arn:aws:s3:::b/${?}", "arn:aws:s3:::b/?", "allow"),
        ("a question mark that is no wildcard", "arn:aws:s3:::b/${?}", "arn:aws:s3:::b/x", "-"),
        ("a dollar by itself", "arn:aws:s3:::b/${$}{x}", "arn:aws:s3:::b/${x}", "allow"),
        ("a dollar without braces", "arn:aws:s3:::b/$x", "arn:aws:s3:::b/$x", "allow"),
        ("braces that do not close", "arn:aws:s3:::b/${aws:username", "arn:aws:s3:::b/${aws:username", "allow"),
        ("a value's star is no wildcard", "arn:aws:s3:::b/${app:stars}", "arn:aws:s3:::b/anything", "-"),
        ("a value's star is a star", "arn:aws:s3:::b/${app:stars}", "arn:aws:s3:::b/*", "allow"),
        (
            "an account's number in its section",
            "arn:aws:sqs:x:${aws:PrincipalAccount}:q",
            "arn:aws:sqs:x:111122223333:q",
            "allow",
        ),
    ];
    let judge = |pattern: &str, resource: &str, version: &str| {
        let text = format!(
            r#"{{"Version":"{version}","Statement":{{"Effect":"Allow","Action":"*","Resource":"{pattern}"}}}}"#
        );
        says(&text, READ, resource)
    };
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(_, pattern, resource, expected)| judge(pattern, resource, "2012-10-17") != *expected)
        .map(|(name, pattern, ..)| format!("{name}: {pattern}"))
        .collect();
    all_hold(&wrong, cases.len(), 20);
    let old = |resource| judge("arn:aws:s3:::b/${aws:username}", resource, "2008-10-17");
    assert_eq!((old("arn:aws:s3:::b/ana"), old("arn:aws:s3:::b/${aws:username}")), ("-", "allow"));
}

#[test]
fn effects_and_forms_of_documents() {
    let allow = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let deny = r#"{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}"#;
    let cases: &[(&str, String, &str)] = &[
        ("a deny after an allow", document(&format!("{allow},{deny}")), "deny"),
        ("a deny before an allow", document(&format!("{deny},{allow}")), "deny"),
        ("a deny of something else", document(&format!("{allow},{}", deny.replace("Get", "Put"))), "allow"),
        ("nothing", document(""), "-"),
        ("one statement without a list", document(allow).replace(['[', ']'], ""), "allow"),
        ("no version", format!(r#"{{"Statement":[{allow}]}}"#), "allow"),
        ("an effect in other letters", document(&allow.replace("Allow", "allow")), "-"),
        ("no JSON", "{".to_owned(), "-"),
        ("no object", "[]".to_owned(), "-"),
        (
            "a deny whose action is not understood denies",
            document(r#"{"Effect":"Deny","Action":1.5e1,"NotAction":"x","Resource":"*"}"#),
            "deny",
        ),
        (
            "a deny whose condition is not understood denies",
            document(&deny.replace(r#""Resource""#, r#""Condition":{"Nonsense":{"a":"b"}},"Resource""#)),
            "deny",
        ),
        (
            "an allow whose condition is not understood does not",
            document(&allow.replace(r#""Resource""#, r#""Condition":{"Nonsense":{"a":"b"}},"Resource""#)),
            "-",
        ),
        (
            "a deny with NotAction spares it",
            document(&format!("{allow},{}", deny.replace("\"Action", "\"NotAction"))),
            "allow",
        ),
        (
            "a deny with NotAction denies the rest",
            document(r#"{"Effect":"Deny","NotAction":"iam:*","Resource":"*"}"#),
            "deny",
        ),
        (
            "a deny with NotResource denies the rest",
            document(r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::other/*"}"#),
            "deny",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(_, text, expected)| says(text, READ, OBJECT) != *expected)
        .map(|(name, text, _)| format!("{name}: {text}"))
        .collect();
    all_hold(&wrong, cases.len(), 15);
}
