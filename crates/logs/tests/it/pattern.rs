//! Filter patterns as CloudWatch documents them.

use hearth_logs::FilterPattern;
use proptest::prelude::*;

fn matches(pattern: &str, message: &str) -> bool {
    FilterPattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).matches(message.as_bytes())
}

fn check(pattern: &str, wanted: &[&str], unwanted: &[&str]) {
    for message in wanted {
        assert!(matches(pattern, message), "{pattern} should match {message}");
    }
    for message in unwanted {
        assert!(!matches(pattern, message), "{pattern} should not match {message}");
    }
}

#[test]
fn words_are_all_needed_in_any_order() {
    check("", &["", "anything"], &[]);
    check("   ", &["anything"], &[]);
    check("ERROR", &["[ERROR] 42", "an ERROR"], &["error", ""]);
    check("ERROR ARGUMENTS", &["ERROR 401 UNAUTHORIZED ARGUMENTS", "ARGUMENTS ERROR"], &["ERROR"]);
    check("\"INTERNAL SERVER\"", &["500 INTERNAL SERVER ERROR"], &["INTERNAL", "SERVER INTERNAL"]);
    check(r#""say \"hi\" \\""#, &[r#"he can say "hi" \ now"#], &["say hi"]);
}

#[test]
fn words_can_be_optional_or_excluded() {
    check("?ERROR ?WARN", &["ERROR", "a WARN"], &["INFO"]);
    check("?\"a b\" ?c", &["x a b", "c"], &["a", "b"]);
    check("ERROR -ARGUMENTS", &["ERROR 1"], &["ERROR ARGUMENTS", "INFO"]);
    check("-DEBUG", &["INFO"], &["DEBUG"]);
    check("-\"two words\" x", &["x two", "x"], &["x two words"]);
    check("?ERROR ?WARN REQUEST", &["REQUEST"], &["ERROR", "WARN"]);
}

#[test]
fn regular_expressions_match_in_linear_time_only() {
    check("%AUTHORIZED%", &["UNAUTHORIZED 401", "AUTHORIZED"], &["x"]);
    check("%^ERR-[0-9]+$%", &["ERR-12"], &["an ERR-12", "ERR-"]);
    check(r"%100\%%", &["at 100%"], &["at 100"]);
    for pattern in ["%(%", "%a", r"%(a)\1%", "%(?=a)%", "%(?<!a)b%", "%a{1000000}%"] {
        assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn json_is_selected_and_compared() {
    let event = r#"{"level":"ERROR","ms":12.5,"n":-3,"user":{"id":1,"email":"jo@x.com"},"tags":["a","b"],
        "list":[{"kind":"x"},{"kind":"y"}],"gone":null,"ok":true,"bad":false,"a.b":1,"big":1e3}"#;
    for pattern in [
        r#"{ $.level = "ERROR" }"#,
        r#"{$.level="ERR*"}"#,
        r#"{ $.level = ERROR }"#,
        r#"{ $.level = %^E% }"#,
        r#"{ $.level != "WARN" }"#,
        r#"{ $.user.email = "*@x.com" }"#,
        r#"{ $.ms > 12 && $.ms < 13 }"#,
        r#"{ $.n = -3 }"#,
        r#"{ $.big >= 1000 && $.big <= 1.0e3 }"#,
        r#"{ $.tags[0] = "a" }"#,
        r#"{ $.tags[*] = "b" }"#,
        r#"{ $.list[1].kind = "y" }"#,
        r#"{ $.gone IS NULL }"#,
        r#"{ $.ok IS TRUE && $.bad is false }"#,
        r#"{ $.none NOT EXISTS }"#,
        r#"{ $['a.b'] = 1 && $["level"] = "ERROR" }"#,
        r#"{ $.none = 1 || ($.level = "ERROR" && $.n < 0) }"#,
        r#"{ ($.user.id = 1) && ($.ms > 100 || $.ms = 12.5) }"#,
    ] {
        check(pattern, &[event], &[]);
    }
    for pattern in [
        r#"{ $.level = "error" }"#,
        r#"{ $.none = "x" }"#,
        r#"{ $.none != "x" }"#,
        r#"{ $.tags[7] = "a" }"#,
        r#"{ $.user = "x" }"#,
        r#"{ $.level IS NULL }"#,
        r#"{ $.ok IS FALSE }"#,
        r#"{ $.level NOT EXISTS }"#,
        r#"{ $.ms > 100 }"#,
    ] {
        check(pattern, &[], &[event, "not json", "", "{", "17"]);
    }
    check("{ $.level = \"a\" && $.n NOT EXISTS }", &[r#" {"level":"a"} "#], &[r#"{"level":"a","n":1}"#]);
}

#[test]
fn fields_between_blanks_are_compared() {
    let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for pattern in [
        "[ip, id, user, timestamp, request, status_code, size]",
        "[ip, id, user, timestamp, request, status_code = 4*, size]",
        "[ip, ..., status = 404, size > 1000]",
        "[..., size=1534]",
        "[ip = 127.*, ...]",
        "[ip, id, user, timestamp, request = \"GET *\", status_code = 5* || status_code = 4*, size]",
        "[ip, id, user, timestamp, request, status_code, size > 1000 && size <= 1534]",
        "[w1, w2, w3 != bob, w4, w5=%index\\.html%, w6, w7]",
    ] {
        check(pattern, &[line], &["", "one"]);
    }
    check("[...]", &[line, "one"], &[]);
    for pattern in ["[ip, user]", "[ip, id, user, t, r, s, size, more]", "[..., size < 1000]", "[ip = 10.*, ...]"] {
        check(pattern, &[], &[line]);
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for pattern in [
        "{",
        "{}",
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ $.a = 1",
        "{ $.a = 1 } x",
        "{ $.a > \"x\" }",
        "{ $. = 1 }",
        "{ $.a[x] = 1 }",
        "{ $.a IS }",
        "{ $.a IS 5 }",
        "{ $.a NOT }",
        "{ ($.a = 1 }",
        "{ $.a = 1 && }",
        "[",
        "[a",
        "[a b]",
        "[a, ..., ...]",
        "[a = 1 && b = 2]",
        "[a] x",
        "\"open",
        "%open",
        "\"\"",
        "?",
        "-",
        "{ $.a = \"x }",
    ] {
        assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
    }
    assert!(FilterPattern::parse(&"x".repeat(5000)).is_err());
    assert!(FilterPattern::parse(&format!("{{{}", "(".repeat(2000))).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn parsing_and_matching_never_panic(
        pattern in prop_oneof![".{0,60}", r#"[{\[]?[$.a\[\]*= !<>|&()"'%?\-,0-9 {}\\é]{0,60}[}\]]?"#],
        message in prop_oneof![".{0,60}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..60)],
    ) {
        if let Ok(pattern) = FilterPattern::parse(&pattern) {
            pattern.matches(&message);
            pattern.matches(br#"{"a":[1,"x",{"a":null}]}"#);
        }
    }

    #[test]
    fn a_plain_word_matches_as_a_part_of_the_text(word in "[a-zA-Z0-9]{1,5}", text in "[a-zA-Z0-9 ]{0,30}") {
        prop_assert_eq!(matches(&word, &text), text.contains(&word));
    }
}
