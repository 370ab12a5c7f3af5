//! All kinds of policies together, within an account and across two.

use super::Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
use super::Source::{Boundary, Identity, Resource, Session};
use super::*;

const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";

/// Policies by a word: `yes` allows, `no` denies, `else` is about something else, `-` is not there, and a principal allows it.
#[derive(Clone, Copy)]
struct Given {
    identity: &'static str,
    session: &'static str,
    boundary: &'static str,
    resource: &'static str,
}

fn compiled(word: &str, names: bool) -> Option<Arc<Policy>> {
    let principal = |value: &str| if names { format!(r#","Principal":{{"AWS":"{value}"}}"#) } else { String::new() };
    let (effect, action, principal) = match word {
        "-" => return None,
        "yes" => ("Allow", "sqs:SendMessage", principal("*")),
        "no" => ("Deny", "sqs:*", principal("*")),
        "else" => ("Allow", "sqs:ReceiveMessage", principal("*")),
        "service" => ("Allow", "*", r#","Principal":{"Service":"sns.amazonaws.com"}"#.to_owned()),
        named => ("Allow", "*", principal(named)),
    };
    let statement = format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"*"{principal}}}"#);
    Some(Arc::new(Policy::compile(&document(&statement))))
}

fn decided(who: &str, owner: &str, given: Given, rule: ResourceRule) -> Decision {
    let who = principal(who);
    let identity: Vec<_> = compiled(given.identity, false).into_iter().collect();
    let session: Vec<_> = compiled(given.session, false).into_iter().collect();
    let (boundary, resource) = (compiled(given.boundary, false), compiled(given.resource, true));
    let policies = Policies {
        identity: &identity,
        session: (given.session != "-").then_some(&session[..]),
        boundary: boundary.as_deref(),
        resource: resource.as_deref(),
        rule,
    };
    decide(&Request::new(&who, "sqs:SendMessage", QUEUE, &[]), &policies, owner)
}

/// Name, who; identity, session, boundary and resource policies; what is decided.
type Case = (&'static str, &'static str, [&'static str; 4], Decision);

#[track_caller]
fn check(owner: &str, rule: ResourceRule, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (name, who, [identity, session, boundary, resource], expected) in cases {
        let given = Given { identity, session, boundary, resource };
        let found = decided(who, owner, given, rule);
        if found != *expected {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    all_hold(&wrong, cases.len(), 1);
}

#[test]
fn within_an_account_one_policy_is_enough() {
    check(
        ACCOUNT,
        ResourceRule::Either,
        &[
            ("no policy", USER, ["-", "-", "-", "-"], ImplicitlyDenied(Identity)),
            ("its own policy", USER, ["yes", "-", "-", "-"], Allowed),
            ("its own policy, of something else", USER, ["else", "-", "-", "-"], ImplicitlyDenied(Identity)),
            ("the resource's policy names the user", USER, ["-", "-", "-", USER], Allowed),
            ("the resource's policy names the account", USER, ["-", "-", "-", ACCOUNT], ImplicitlyDenied(Identity)),
            ("the account is named and the policy allows", USER, ["yes", "-", "-", ACCOUNT], Allowed),
            ("the resource's policy names everybody", USER, ["-", "-", "-", "yes"], Allowed),
            ("the resource's policy names another", USER, ["-", "-", "-", OTHER], ImplicitlyDenied(Identity)),
            ("its own policy denies", USER, ["no", "-", "-", "yes"], ExplicitlyDenied(Identity)),
            ("the resource's policy denies", USER, ["yes", "-", "-", "no"], ExplicitlyDenied(Resource)),
            ("both deny", USER, ["no", "-", "-", "no"], ExplicitlyDenied(Identity)),
            ("root may", ROOT, ["-", "-", "-", "-"], Allowed),
            ("root, with a resource's policy about others", ROOT, ["-", "-", "-", OTHER], Allowed),
            ("root, denied by the resource's policy", ROOT, ["-", "-", "-", "no"], ExplicitlyDenied(Resource)),
            ("a session, by its role's policy", SESSION, ["yes", "-", "-", "-"], Allowed),
            ("a session, by its role's name", SESSION, ["-", "-", "-", ROLE], Allowed),
            ("a session, by its own name", SESSION, ["-", "-", "-", SESSION], Allowed),
        ],
    );
}

#[test]
fn boundaries_and_session_policies_limit_and_never_grant() {
    check(
        ACCOUNT,
        ResourceRule::Either,
        &[
            ("a boundary alone", USER, ["-", "-", "yes", "-"], ImplicitlyDenied(Identity)),
            ("within the boundary", USER, ["yes", "-", "yes", "-"], Allowed),
            ("outside of the boundary", USER, ["yes", "-", "else", "-"], ImplicitlyDenied(Boundary)),
            ("the boundary denies", USER, ["yes", "-", "no", "-"], ExplicitlyDenied(Boundary)),
            ("the boundary denies what the resource allows", USER, ["-", "-", "no", USER], ExplicitlyDenied(Boundary)),
            ("a boundary does not limit what names the user", USER, ["-", "-", "else", USER], Allowed),
            ("a session's policy alone", SESSION, ["-", "yes", "-", "-"], ImplicitlyDenied(Identity)),
            ("within the session's policy", SESSION, ["yes", "yes", "-", "-"], Allowed),
            ("outside of the session's policy", SESSION, ["yes", "else", "-", "-"], ImplicitlyDenied(Session)),
            ("the session's policy denies", SESSION, ["yes", "no", "-", "-"], ExplicitlyDenied(Session)),
            ("session and boundary", SESSION, ["yes", "yes", "yes", "-"], Allowed),
            ("session, outside of the boundary", SESSION, ["yes", "yes", "else", "-"], ImplicitlyDenied(Boundary)),
            (
                "the role is named, outside of the session's policy",
                SESSION,
                ["-", "else", "-", ROLE],
                ImplicitlyDenied(Session),
            ),
            ("the role is named, within the session's policy", SESSION, ["-", "yes", "-", ROLE], Allowed),
            (
                "the role is named, outside of the boundary",
                SESSION,
                ["-", "-", "else", ROLE],
                ImplicitlyDenied(Boundary),
            ),
            ("the session is named, whatever else does not allow", SESSION, ["-", "else", "else", SESSION], Allowed),
            (
                "the session is named, and its policy denies",
                SESSION,
                ["-", "no", "-", SESSION],
                ExplicitlyDenied(Session),
            ),
            (
                "everybody is named, outside of the session's policy",
                SESSION,
                ["-", "else", "-", "yes"],
                ImplicitlyDenied(Session),
            ),
            ("root's session is held to its policy", ROOT, ["-", "else", "-", "-"], ImplicitlyDenied(Session)),
        ],
    );
}

#[test]
fn across_accounts_both_sides_have_to_allow() {
    check(
        OTHER,
        ResourceRule::Either,
        &[
            ("no policy", USER, ["-", "-", "-", "-"], ImplicitlyDenied(Resource)),
            ("only the caller's side", USER, ["yes", "-", "-", "-"], ImplicitlyDenied(Resource)),
            ("only the resource's side", USER, ["-", "-", "-", USER], ImplicitlyDenied(Identity)),
            ("only the resource's side, for everybody", USER, ["-", "-", "-", "yes"], ImplicitlyDenied(Identity)),
            ("both sides, by the account", USER, ["yes", "-", "-", ACCOUNT], Allowed),
            ("both sides, by the user", USER, ["yes", "-", "-", USER], Allowed),
            ("both sides, by the role", SESSION, ["yes", "-", "-", ROLE], Allowed),
            ("the resource names the owner alone", USER, ["yes", "-", "-", OTHER], ImplicitlyDenied(Resource)),
            ("the caller's side denies", USER, ["no", "-", "-", ACCOUNT], ExplicitlyDenied(Identity)),
            ("the resource's side denies", USER, ["yes", "-", "-", "no"], ExplicitlyDenied(Resource)),
            ("outside of the boundary", USER, ["yes", "-", "else", USER], ImplicitlyDenied(Boundary)),
            ("outside of the session's policy", SESSION, ["yes", "else", "-", SESSION], ImplicitlyDenied(Session)),
            (
                "the session is named, its role has no policy",
                SESSION,
                ["-", "-", "-", SESSION],
                ImplicitlyDenied(Identity),
            ),
            ("root is let in", ROOT, ["-", "-", "-", ACCOUNT], Allowed),
            ("root is not let in", ROOT, ["-", "-", "-", "-"], ImplicitlyDenied(Resource)),
            ("a service is let in", "sns.amazonaws.com", ["-", "-", "-", "service"], Allowed),
            ("another service is not", "s3.amazonaws.com", ["-", "-", "-", "service"], ImplicitlyDenied(Resource)),
            ("nobody known is let in with everybody", "*", ["-", "-", "-", "yes"], Allowed),
            ("nobody known is not let in", "*", ["-", "-", "-", ACCOUNT], ImplicitlyDenied(Resource)),
        ],
    );
}

#[test]
fn a_trust_policy_has_to_allow_whatever_the_caller_may() {
    check(
        ACCOUNT,
        ResourceRule::Required,
        &[
            ("the caller's policy alone", USER, ["yes", "-", "-", "-"], ImplicitlyDenied(Resource)),
            ("the user is named", USER, ["-", "-", "-", USER], Allowed),
            ("the account is named", USER, ["-", "-", "-", ACCOUNT], ImplicitlyDenied(Identity)),
            ("the account is named and the policy allows", USER, ["yes", "-", "-", ACCOUNT], Allowed),
            ("root is no exception", ROOT, ["-", "-", "-", OTHER], ImplicitlyDenied(Resource)),
            ("the trust denies", USER, ["yes", "-", "-", "no"], ExplicitlyDenied(Resource)),
        ],
    );
}

#[test]
fn messages_are_those_of_aws() {
    let message = |decision: Decision| decision.message(USER, "sqs:SendMessage", QUEUE).unwrap_or_default();
    let head = format!("User: {USER} is not authorized to perform: sqs:SendMessage on resource: {QUEUE} ");
    for (decision, tail) in [
        (ImplicitlyDenied(Identity), "because no identity-based policy allows the sqs:SendMessage action"),
        (ImplicitlyDenied(Resource), "because no resource-based policy allows the sqs:SendMessage action"),
        (ImplicitlyDenied(Session), "because no session policy allows the sqs:SendMessage action"),
        (ImplicitlyDenied(Boundary), "because no permissions boundary allows the sqs:SendMessage action"),
        (ExplicitlyDenied(Identity), "with an explicit deny in an identity-based policy"),
        (ExplicitlyDenied(Resource), "with an explicit deny in a resource-based policy"),
        (ExplicitlyDenied(Session), "with an explicit deny in a session policy"),
        (ExplicitlyDenied(Boundary), "with an explicit deny in a permissions boundary"),
    ] {
        assert_eq!(message(decision), format!("{head}{tail}"));
    }
    assert_eq!(message(Allowed), "");
}
