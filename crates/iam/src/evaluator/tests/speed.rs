//! What a decision costs. Nothing is asserted of the time: `cargo test --release -p hearth-iam -- speed --nocapture`.

use std::time::Instant;

use super::*;

const ROUNDS: u32 = 20_000;

#[test]
fn a_decision_of_a_warm_call() {
    let identity = document(
        r#"{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:*:*"},
           {"Effect":"Allow","Action":"lambda:Invoke*","Resource":"arn:aws:lambda:*:*:function:app-*"},
           {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","127.0.0.0/8"]}}}"#,
    );
    let resource = document(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"lambda:InvokeFunction",
            "Resource":"arn:aws:lambda:eu-west-1:444455556666:function:app-pay"}"#,
    );
    let (identity, resource) = ([Arc::new(Policy::compile(&identity))], Policy::compile(&resource));
    let policies = Policies {
        identity: &identity,
        session: None,
        boundary: None,
        resource: Some(&resource),
        rule: ResourceRule::Either,
    };
    let (who, function) = (principal(SESSION), "arn:aws:lambda:eu-west-1:444455556666:function:app-pay");
    let facts = [("aws:SourceIp", Values::One("127.0.0.1"))];
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let request = Request::new(&who, "lambda:InvokeFunction", function, &facts);
        assert_eq!(decide(&request, &policies, OTHER), Decision::Allowed);
    }
    println!("{} ns per decision", begun.elapsed().as_nanos() / u128::from(ROUNDS));
}
