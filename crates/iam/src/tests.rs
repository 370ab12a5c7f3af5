//! Identities on a real store.

use std::collections::BTreeMap;
use std::path::Path;

use hearth_store::Embedded;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}"#;
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

async fn open(dir: &Path) -> Arc<Iam> {
    Arc::new(Iam::open(Arc::new(Embedded::open(dir).unwrap())).await.unwrap())
}

fn account() -> AccountId {
    "123456789012".parse().unwrap()
}

fn role(name: &str) -> NewRole {
    NewRole {
        name: name.to_owned(),
        path: "/".to_owned(),
        trust: TRUST.to_owned(),
        description: None,
        session_s_max: 3600,
        permissions_boundary: None,
        tags: BTreeMap::new(),
    }
}

fn asked<'a>(account: &'a AccountId, role: &'a str, tags: &'a BTreeMap<String, String>) -> Assumption<'a> {
    let caller = "arn:aws:iam::123456789012:root";
    let (external_id, source_identity, token_bytes_min) = (None, None, 0);
    Assumption {
        account,
        caller,
        role,
        session: "s",
        seconds: 900,
        external_id,
        source_identity,
        tags,
        token_bytes_min,
        now: NOW,
    }
}

#[tokio::test]
async fn roles_and_sessions_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let created = iam.create_role(&account(), role("r"), NOW).await.unwrap();
    let arn = created.arn(&account());
    let tags = BTreeMap::new();
    let Assumed::Issued(session) = iam.assume_role(asked(&account(), &arn, &tags)).await.unwrap() else {
        panic!("the role trusts everybody");
    };
    drop(iam);
    let iam = open(dir.path()).await;
    assert_eq!(iam.role(&account(), "R").await.unwrap(), created);
    let SessionCredentials { access_key_id, secret_access_key, session_token } = session.credentials;
    let (claims, secret) = iam.sessions().open(&access_key_id, &session_token, NOW).unwrap();
    assert_eq!((claims.principal_arn, secret), (session.principal_arn, secret_access_key));
}

#[tokio::test]
async fn a_session_is_no_longer_than_its_role_allows_and_needs_its_trust() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let arn = iam.create_role(&account(), role("r"), NOW).await.unwrap().arn(&account());
    let (account, none) = (account(), BTreeMap::new());
    let asked = asked(&account, &arn, &none);
    let assume = async |asked: Assumption<'_>| match iam.assume_role(asked).await {
        Ok(Assumed::Issued(_)) => "issued".to_owned(),
        Ok(Assumed::Denied { action }) => action.to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(assume(asked).await, "issued");
    assert!(assume(Assumption { seconds: 3601, ..asked }).await.contains("MaxSessionDuration"));
    let session = "arn:aws:sts::123456789012:assumed-role/x/s";
    assert!(assume(Assumption { seconds: 3601, caller: session, ..asked }).await.contains("role chaining"));
    for other in [arn.replace(":role/r", ":role/x"), arn.replace(":role/r", ":role/p/r")] {
        assert_eq!(assume(Assumption { role: &other, ..asked }).await, "sts:AssumeRole");
    }
    iam.set_trust(&account, "r", &TRUST.replace("\"*\"", "\"999999999999\"")).await.unwrap();
    assert_eq!(assume(asked).await, "sts:AssumeRole");
}

#[tokio::test]
async fn session_tags_and_a_source_identity_need_the_roles_trust_and_conditions_see_them() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let (account, none) = (account(), BTreeMap::new());
    let arn = iam.create_role(&account, role("r"), NOW).await.unwrap().arn(&account);
    let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let tagged = Assumption { tags: &tags, ..asked(&account, &arn, &none) };
    let sourced = Assumption { source_identity: Some("me"), ..asked(&account, &arn, &none) };
    let denied = |action| Ok(Assumed::Denied { action });
    assert_eq!(iam.assume_role(tagged).await, denied("sts:TagSession"));
    assert_eq!(iam.assume_role(sourced).await, denied("sts:SetSourceIdentity"));
    let conditions =
        r#""Condition":{"StringEquals":{"aws:RequestTag/team":"a","sts:ExternalId":"secret"}},"Action":["sts:*"]"#;
    let trust = TRUST.replace("\"Action\":\"sts:AssumeRole\"", conditions);
    iam.set_trust(&account, "r", &trust).await.unwrap();
    assert_eq!(iam.assume_role(tagged).await, denied("sts:AssumeRole"));
    let whole = Assumption { external_id: Some("secret"), ..tagged };
    assert!(matches!(iam.assume_role(whole).await, Ok(Assumed::Issued(_))));
}

#[tokio::test]
async fn a_role_is_trusted_by_its_arn_and_not_under_conditions_that_are_not_met() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let (account, none) = (account(), BTreeMap::new());
    let arn = iam.create_role(&account, role("r"), NOW).await.unwrap().arn(&account);
    let session = "arn:aws:sts::123456789012:assumed-role/app/s";
    let asked = Assumption { caller: session, ..asked(&account, &arn, &none) };
    for (principal, condition, trusted) in [
        (r#""arn:aws:iam::123456789012:role/path/app""#, "{}", true),
        (r#""arn:aws:iam::123456789012:role/other""#, "{}", false),
        (r#""*""#, r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/a*"}}"#, true),
        (r#""*""#, r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/b*"}}"#, false),
        (r#""*""#, r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, false),
        (r#""*""#, r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
        (r#""*""#, r#"{"DateLessThan":{"aws:CurrentTime":"1970-01-02"}}"#, true),
        (r#""*""#, r#"{"DateLessThan":{"aws:CurrentTime":"1970-01-01"}}"#, false),
    ] {
        let statement = format!(r#"{principal}}},"Condition":{condition}}}]"#);
        iam.set_trust(&account, "r", &TRUST.replace(r#""*"}}]"#, &statement)).await.unwrap();
        let issued = matches!(iam.assume_role(asked).await, Ok(Assumed::Issued(_)));
        assert_eq!(issued, trusted, "{principal} {condition}");
    }
}

#[tokio::test]
async fn a_session_passes_the_roles_that_its_own_role_may() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let (account, none) = (account(), BTreeMap::new());
    let lambda = TRUST.replace(r#""AWS":"*""#, r#""Service":"lambda.amazonaws.com""#);
    let passed = iam.create_role(&account, NewRole { trust: lambda, ..role("passed") }, NOW).await.unwrap();
    iam.create_role(&account, role("app"), NOW).await.unwrap();
    let new = NewPolicy {
        name: "limit".to_owned(),
        path: "/".to_owned(),
        document: DOCUMENT.replace(r#""Action":"*""#, r#""Action":"s3:*""#),
        description: None,
        tags: none,
    };
    let limit = iam.create_policy(&account, new, NOW).await.unwrap().arn(&account);
    let arn = passed.arn(&account);
    let passing = Passing {
        account: &account,
        caller: "arn:aws:sts::123456789012:assumed-role/app/s",
        role: &arn,
        function: "arn:aws:lambda:eu-west-1:123456789012:function:f",
    };
    let problem = async || match iam.role_problem(passing).await.unwrap() {
        Some(RoleProblem::NotPassed(message)) => message,
        other => format!("{other:?}"),
    };
    assert!(problem().await.ends_with("because no identity-based policy allows the iam:PassRole action"));
    let service = r#""Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#;
    let document = DOCUMENT.replace(r#""Resource":"*""#, service);
    iam.put_role_policy(&account, "app", "p", &document).await.unwrap();
    assert_eq!(problem().await, "None");
    let condition = r#""Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}"#;
    iam.put_role_policy(
        &account,
        "app",
        "p",
        &DOCUMENT.replace(r#""Resource":"*""#, &format!(r#""Resource":"*",{condition}"#)),
    )
    .await
    .unwrap();
    let team = |name: &str| BTreeMap::from([("team".to_owned(), name.to_owned())]);
    iam.tag_role(&account, "passed", &team("a")).await.unwrap();
    assert!(problem().await.contains("no identity-based policy"));
    iam.tag_role(&account, "app", &team("b")).await.unwrap();
    assert!(problem().await.contains("no identity-based policy"));
    iam.tag_role(&account, "app", &team("a")).await.unwrap();
    assert_eq!(problem().await, "None");
    iam.set_boundary(&account, "app", Some(&limit)).await.unwrap();
    assert!(problem().await.ends_with("because no permissions boundary allows the iam:PassRole action"));
    iam.set_boundary(&account, "app", None).await.unwrap();
    iam.put_role_policy(&account, "app", "q", &DOCUMENT.replace("Allow", "Deny")).await.unwrap();
    assert!(problem().await.ends_with("with an explicit deny in an identity-based policy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_time_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let new = NewPolicy {
        name: "p".to_owned(),
        path: "/".to_owned(),
        document: DOCUMENT.to_owned(),
        description: None,
        tags: BTreeMap::new(),
    };
    let arn = iam.create_policy(&account(), new, NOW).await.unwrap().arn(&account());
    let mut changes = tokio::task::JoinSet::new();
    for index in 0..8 {
        let (iam, arn) = (Arc::clone(&iam), arn.clone());
        changes.spawn(async move {
            let name = format!("role-{index}");
            iam.create_role(&account(), role(&name), NOW).await.unwrap();
            iam.attach_role_policy(&account(), &name, &arn).await.unwrap();
        });
    }
    changes.join_all().await;
    assert_eq!(iam.policy(&account(), &arn).await.unwrap().attachments, 8);
    assert!(matches!(iam.delete_policy(&account(), &arn).await, Err(IamError::DeleteConflict(_))));
    for index in 0..8 {
        iam.detach_role_policy(&account(), &format!("role-{index}"), &arn).await.unwrap();
    }
    iam.delete_policy(&account(), &arn).await.unwrap();
}
