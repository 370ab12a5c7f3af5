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

#[tokio::test]
async fn roles_and_sessions_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let iam = open(dir.path()).await;
    let created = iam.create_role(&account(), role("r"), NOW).await.unwrap();
    let arn = created.arn(&account());
    let caller = (&account(), "arn:aws:iam::123456789012:root");
    let session = iam.assume_role(caller, &arn, "s", (NOW, 900)).await.unwrap().unwrap();
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
    let caller = (&account(), "arn:aws:iam::123456789012:root");
    assert!(matches!(iam.assume_role(caller, &arn, "s", (NOW, 3601)).await, Err(IamError::Validation(_))));
    assert!(iam.assume_role(caller, &arn.replace(":role/r", ":role/x"), "s", (NOW, 900)).await.unwrap().is_none());
    assert!(iam.assume_role(caller, &arn.replace(":role/r", ":role/p/r"), "s", (NOW, 900)).await.unwrap().is_none());
    iam.set_trust(&account(), "r", &TRUST.replace("\"*\"", "\"999999999999\"")).await.unwrap();
    assert!(iam.assume_role(caller, &arn, "s", (NOW, 900)).await.unwrap().is_none());
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
