//! Every operator, with keys that are there, absent, and of several values.

use super::*;

/// Of the facts below.
fn holds(condition: &str) -> bool {
    let who = principal(USER);
    let facts = [
        ("app:word", Values::One("Blue")),
        ("app:star", Values::One("a*c")),
        ("app:number", Values::One("10")),
        ("app:date", Values::One("2024-02-29T12:00:00Z")),
        ("app:truth", Values::One("true")),
        ("app:bytes", Values::One("QmluYXJ5")),
        ("aws:SourceIp", Values::One("203.0.113.7")),
        ("app:ip6", Values::One("2001:db8::7")),
        ("aws:SourceArn", Values::One("arn:aws:s3:::bucket")),
        ("app:queue", Values::One("arn:aws:sqs:eu-west-1:111122223333:a:b")),
        ("aws:TagKeys", Values::Many(&["env", "team"])),
        ("app:none", Values::Many(&[])),
    ];
    let text = document(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#));
    Policy::compile(&text).judge(&Request::new(&who, "a:b", "c", &facts)) != Verdict::Silent
}

/// Name, condition, whether it holds.
type Case = (&'static str, &'static str, bool);

#[track_caller]
fn check(cases: &[Case], at_least: usize) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(_, condition, expected)| holds(condition) != *expected)
        .map(|(name, condition, _)| format!("{name}: {condition}"))
        .collect();
    all_hold(&wrong, cases.len(), at_least);
}

#[test]
fn operators_on_strings() {
    check(
        &[
            ("equal", r#"{"StringEquals":{"app:word":"Blue"}}"#, true),
            ("another case", r#"{"StringEquals":{"app:word":"blue"}}"#, false),
            ("a key's case", r#"{"StringEquals":{"APP:Word":"Blue"}}"#, true),
            ("one of several", r#"{"StringEquals":{"app:word":["Red","Blue"]}}"#, true),
            ("an empty list", r#"{"StringEquals":{"app:word":[]}}"#, false),
            ("no wildcards", r#"{"StringEquals":{"app:word":"B*"}}"#, false),
            ("an absent key", r#"{"StringEquals":{"app:absent":"x"}}"#, false),
            ("not equal", r#"{"StringNotEquals":{"app:word":"Red"}}"#, true),
            ("not equal to any", r#"{"StringNotEquals":{"app:word":["Red","Blue"]}}"#, false),
            ("not equal, absent", r#"{"StringNotEquals":{"app:absent":"x"}}"#, true),
            ("any case", r#"{"StringEqualsIgnoreCase":{"app:word":"bLUE"}}"#, true),
            ("any case, another word", r#"{"StringEqualsIgnoreCase":{"app:word":"red"}}"#, false),
            ("not, any case", r#"{"StringNotEqualsIgnoreCase":{"app:word":"BLUE"}}"#, false),
            ("not, any case, another", r#"{"StringNotEqualsIgnoreCase":{"app:word":"red"}}"#, true),
            ("like", r#"{"StringLike":{"app:word":"B?u*"}}"#, true),
            ("like minds case", r#"{"StringLike":{"app:word":"b*"}}"#, false),
            ("like the whole", r#"{"StringLike":{"app:word":"Blu"}}"#, false),
            ("a star that is meant", r#"{"StringLike":{"app:star":"a${*}c"}}"#, true),
            ("not like", r#"{"StringNotLike":{"app:word":"R*"}}"#, true),
            ("not like, but is", r#"{"StringNotLike":{"app:word":["R*","B*"]}}"#, false),
            ("not like, absent", r#"{"StringNotLike":{"app:absent":"*"}}"#, true),
            ("like anything, absent", r#"{"StringLike":{"app:absent":"*"}}"#, false),
            ("a variable", r#"{"StringEquals":{"aws:username":"${aws:username}"}}"#, true),
            ("a variable in any case", r#"{"StringEqualsIgnoreCase":{"app:word":"${aws:PrincipalTag/team}"}}"#, true),
            ("a variable without a value", r#"{"StringEquals":{"app:word":"${app:absent}"}}"#, false),
            ("a number is a text", r#"{"StringEquals":{"app:number":10}}"#, true),
            (
                "all operators have to hold",
                r#"{"StringEquals":{"app:word":"Blue"},"Bool":{"app:truth":"false"}}"#,
                false,
            ),
            ("all keys have to hold", r#"{"StringEquals":{"app:word":"Blue","app:number":"11"}}"#, false),
            ("both hold", r#"{"StringEquals":{"app:word":"Blue"},"Bool":{"app:truth":true}}"#, true),
            ("what is no operator", r#"{"StringIs":{"app:word":"Blue"}}"#, false),
            ("what is no set operator", r#"{"ForNoValues:StringEquals":{"app:word":"Red"}}"#, false),
            ("an operator's case", r#"{"stringequals":{"app:word":"Blue"}}"#, false),
            ("no condition at all", "{}", true),
            ("no object", r#"["StringEquals"]"#, false),
        ],
        34,
    );
}

#[test]
fn operators_on_numbers_dates_and_truth() {
    check(
        &[
            ("number", r#"{"NumericEquals":{"app:number":"10.0"}}"#, true),
            ("another number", r#"{"NumericEquals":{"app:number":11}}"#, false),
            ("not the number", r#"{"NumericNotEquals":{"app:number":11}}"#, true),
            ("not the number, but is", r#"{"NumericNotEquals":{"app:number":["9","10"]}}"#, false),
            ("less", r#"{"NumericLessThan":{"app:number":"11"}}"#, true),
            ("not less than itself", r#"{"NumericLessThan":{"app:number":"10"}}"#, false),
            ("less or equal", r#"{"NumericLessThanEquals":{"app:number":"10"}}"#, true),
            ("greater", r#"{"NumericGreaterThan":{"app:number":"9"}}"#, true),
            ("not greater than itself", r#"{"NumericGreaterThan":{"app:number":"10"}}"#, false),
            ("greater or equal", r#"{"NumericGreaterThanEquals":{"app:number":"10"}}"#, true),
            ("by value, not by letters", r#"{"NumericLessThan":{"app:number":"9"}}"#, false),
            ("a word is no number", r#"{"NumericEquals":{"app:word":"10"}}"#, false),
            ("a policy's word is no number", r#"{"NumericNotEquals":{"app:number":"ten"}}"#, false),
            ("an absent number", r#"{"NumericLessThan":{"app:absent":"10"}}"#, false),
            ("not the number, absent", r#"{"NumericNotEquals":{"app:absent":"10"}}"#, true),
            ("date", r#"{"DateEquals":{"app:date":"2024-02-29T13:00:00+01:00"}}"#, true),
            ("not the date", r#"{"DateNotEquals":{"app:date":"2024-02-29T12:00:00Z"}}"#, false),
            ("earlier", r#"{"DateLessThan":{"app:date":"2024-03-01"}}"#, true),
            ("not earlier", r#"{"DateLessThan":{"app:date":"2024-02-29"}}"#, false),
            ("no later", r#"{"DateLessThanEquals":{"app:date":"2024-02-29T12:00:00Z"}}"#, true),
            ("later", r#"{"DateGreaterThan":{"app:date":"2024"}}"#, true),
            ("later than a month", r#"{"DateGreaterThan":{"app:date":"2024-02"}}"#, true),
            ("no earlier", r#"{"DateGreaterThanEquals":{"app:date":"2024-02-29T12:00:01Z"}}"#, false),
            ("seconds since 1970", r#"{"DateEquals":{"app:date":"1709208000"}}"#, true),
            ("a word is no date", r#"{"DateLessThan":{"app:word":"2030-01-01"}}"#, false),
            ("true", r#"{"Bool":{"app:truth":"true"}}"#, true),
            ("true in other letters", r#"{"Bool":{"app:truth":"True"}}"#, true),
            ("false", r#"{"Bool":{"app:truth":"false"}}"#, false),
            ("an absent truth", r#"{"Bool":{"app:absent":"false"}}"#, false),
            ("bytes", r#"{"BinaryEquals":{"app:bytes":"QmluYXJ5"}}"#, true),
            ("other bytes", r#"{"BinaryEquals":{"app:bytes":"Qmlu"}}"#, false),
            ("absent, as wanted", r#"{"Null":{"app:absent":"true"}}"#, true),
            ("absent, not as wanted", r#"{"Null":{"app:absent":"false"}}"#, false),
            ("there, as wanted", r#"{"Null":{"app:word":false}}"#, true),
            ("there, not as wanted", r#"{"Null":{"app:word":"true"}}"#, false),
            ("without values is absent", r#"{"Null":{"app:none":"true"}}"#, true),
        ],
        36,
    );
}

#[test]
fn operators_on_addresses_and_arns() {
    check(
        &[
            ("in a network", r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, true),
            ("outside", r#"{"IpAddress":{"aws:SourceIp":"203.0.112.0/24"}}"#, false),
            ("one address", r#"{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}"#, true),
            ("every address", r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, true),
            ("one of several networks", r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/29"]}}"#, true),
            ("not in a network", r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, true),
            ("not in any of them", r#"{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}"#, false),
            ("in a network of version 6", r#"{"IpAddress":{"app:ip6":"2001:db8::/32"}}"#, true),
            ("outside of a network of version 6", r#"{"IpAddress":{"app:ip6":"2001:db9::/32"}}"#, false),
            ("of the other version", r#"{"IpAddress":{"app:ip6":"0.0.0.0/0"}}"#, false),
            ("a word is no address", r#"{"IpAddress":{"app:word":"0.0.0.0/0"}}"#, false),
            ("no network", r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/33"}}"#, false),
            ("an absent address", r#"{"IpAddress":{"app:absent":"0.0.0.0/0"}}"#, false),
            ("an ARN", r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::bucket"}}"#, true),
            ("equals takes wildcards too", r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::b*"}}"#, true),
            ("like an ARN", r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:buck?t"}}"#, true),
            ("a star stays in its section", r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*"}}"#, false),
            ("in the last section it takes colons", r#"{"ArnLike":{"app:queue":"arn:aws:sqs:*:*:a*"}}"#, true),
            ("another service", r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:::bucket"}}"#, false),
            ("an ARN's case", r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::Bucket"}}"#, false),
            ("not the ARN", r#"{"ArnNotEquals":{"aws:SourceArn":"arn:aws:s3:::other"}}"#, true),
            ("not like the ARN, but is", r#"{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::b*"}}"#, false),
            ("not like the ARN, absent", r#"{"ArnNotLike":{"app:absent":"arn:aws:s3:::b*"}}"#, true),
            ("like an ARN, absent", r#"{"ArnLike":{"app:absent":"*"}}"#, false),
            ("who asks", r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/dev/*"}}"#, true),
            (
                "a variable in an ARN",
                r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/dev/${aws:username}"}}"#,
                true,
            ),
        ],
        26,
    );
}

#[test]
fn keys_that_may_be_absent_or_have_several_values() {
    check(
        &[
            ("if it exists and is", r#"{"StringEqualsIfExists":{"app:word":"Blue"}}"#, true),
            ("if it exists and is not", r#"{"StringEqualsIfExists":{"app:word":"Red"}}"#, false),
            ("if it exists, absent", r#"{"StringEqualsIfExists":{"app:absent":"Red"}}"#, true),
            ("like if it exists, absent", r#"{"StringLikeIfExists":{"app:absent":"R*"}}"#, true),
            ("not, if it exists", r#"{"StringNotEqualsIfExists":{"app:word":"Blue"}}"#, false),
            ("number if it exists, absent", r#"{"NumericLessThanIfExists":{"app:absent":"1"}}"#, true),
            ("date if it exists", r#"{"DateLessThanIfExists":{"app:date":"2024-01-01"}}"#, false),
            ("truth if it exists, absent", r#"{"BoolIfExists":{"app:absent":"true"}}"#, true),
            ("address if it exists", r#"{"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
            ("ARN if it exists, absent", r#"{"ArnLikeIfExists":{"app:absent":"arn:aws:s3:::b"}}"#, true),
            ("bytes if they exist, absent", r#"{"BinaryEqualsIfExists":{"app:absent":"Qmlu"}}"#, true),
            ("Null has no IfExists", r#"{"NullIfExists":{"app:absent":"true"}}"#, false),
            ("all of them", r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["env","team","x"]}}"#, true),
            ("not all of them", r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}"#, false),
            ("all of none", r#"{"ForAllValues:StringEquals":{"app:absent":["env"]}}"#, true),
            ("all of an empty list", r#"{"ForAllValues:StringEquals":{"app:none":["env"]}}"#, true),
            ("all like", r#"{"ForAllValues:StringLike":{"aws:TagKeys":["e*","t*"]}}"#, true),
            ("all are not", r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":["x"]}}"#, true),
            ("not all are not", r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":["env"]}}"#, false),
            ("any of them", r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}"#, true),
            ("none of them", r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["x","y"]}}"#, false),
            ("any of none", r#"{"ForAnyValue:StringEquals":{"app:absent":["team"]}}"#, false),
            ("any of an empty list", r#"{"ForAnyValue:StringEquals":{"app:none":["team"]}}"#, false),
            ("any is not", r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env"]}}"#, true),
            ("not one is not", r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env","team"]}}"#, false),
            ("any is not, of none", r#"{"ForAnyValue:StringNotEquals":{"app:absent":["env"]}}"#, false),
            ("any like, if it exists, absent", r#"{"ForAnyValue:StringLikeIfExists":{"app:absent":"x"}}"#, true),
            ("a set of one value", r#"{"ForAnyValue:StringEquals":{"app:word":"Blue"}}"#, true),
            ("tags in any case", r#"{"StringEquals":{"aws:principaltag/Team":"blue"}}"#, true),
            ("an empty value is there", r#"{"Null":{"aws:PrincipalTag/empty":"false"}}"#, true),
        ],
        30,
    );
}

#[test]
fn what_aws_always_knows_and_is_not_known_here_is_not_taken_for_absent() {
    let who = Principal::of_arn(USER).unwrap();
    let judge = |effect: &str, condition: &str| {
        let statement = format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}}}"#);
        Policy::compile(&document(&statement)).judge(&Request::new(&who, "a:b", "c", &[]))
    };
    for condition in [
        r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        r#"{"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        r#"{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
        r#"{"Null":{"aws:SecureTransport":"true"}}"#,
        r#"{"StringNotEquals":{"aws:PrincipalTag/team":"blue"}}"#,
        r#"{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#,
    ] {
        assert_eq!(
            (judge("Allow", condition), judge("Deny", condition)),
            (Verdict::Silent, Verdict::Denied),
            "{condition}"
        );
    }
}
