use hearth_store::Embedded;

use super::*;

const MASTER: [u8; 32] = [5; 32];

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn operator() -> AccessKey {
    AccessKey::configured("ROOT".to_owned(), "secret".to_owned(), Owner::Operator)
}

async fn open(dir: &tempfile::TempDir, configured: Vec<AccessKey>, master: &[u8; 32]) -> Access {
    let store = Arc::new(Embedded::open(&dir.path().join("store")).unwrap());
    Access::open(store, master, configured).await.unwrap()
}

#[tokio::test]
async fn keys_outlive_the_daemon_and_their_secrets_are_not_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, vec![operator()], &MASTER).await;
    access.create_account(Some(account()), Some("shop".to_owned()), at(1)).await.unwrap();
    let key = access.create_key(Owner::Account(account()), None, at(1)).await.unwrap();
    assert!(key.id.starts_with("AKIA") && key.secret.len() == 40);
    let entry = access.store.get(PARTITION, &key_key(&key.id)).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&entry.value).contains(&key.secret));
    drop(access);
    let again = open(&dir, Vec::new(), &MASTER).await;
    assert_eq!(again.key(&key.id, at(2)).unwrap().secret, key.secret);
    assert!(again.is_guarded());
    drop(again);
    let other = open(&dir, Vec::new(), &[6; 32]).await;
    assert_eq!(other.key(&key.id, at(2)), None);
}

#[tokio::test]
async fn a_rotated_key_goes_on_for_as_long_as_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, vec![operator()], &MASTER).await;
    let first = access.create_key(Owner::Operator, None, at(0)).await.unwrap();
    assert!(first.id.starts_with("OPER"));
    let (second, _) = access.rotate_key(&first.id, Duration::from_secs(60), at(0)).await.unwrap();
    assert_eq!(second.owner, Owner::Operator);
    assert!(access.key(&first.id, at(59)).is_some() && access.key(&second.id, at(59)).is_some());
    assert!(access.key(&first.id, at(60)).is_none() && access.key(&second.id, at(60)).is_some());
    assert!(matches!(access.rotate_key(&first.id, Duration::ZERO, at(1)).await, Err(AccessError::Conflict(_))));
    assert!(matches!(access.rotate_key("NONE", Duration::ZERO, at(1)).await, Err(AccessError::NotFound { .. })));
}

#[tokio::test]
async fn what_would_lock_everybody_out_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, vec![operator()], &MASTER).await;
    let conflict = |result: Result<(), AccessError>| assert!(matches!(result, Err(AccessError::Conflict(_))));
    conflict(access.delete_key("ROOT", at(0)).await);
    let stored = access.create_key(Owner::Operator, None, at(0)).await.unwrap();
    drop(access);
    let access = open(&dir, Vec::new(), &MASTER).await;
    conflict(access.delete_key(&stored.id, at(0)).await);
    let another = access.create_key(Owner::Operator, None, at(0)).await.unwrap();
    access.delete_key(&stored.id, at(0)).await.unwrap();
    assert!(!access.holds(&stored, at(0)) && access.holds(&another, at(0)));
    drop(access);
    let open_to_all = open(&tempfile::tempdir().unwrap(), Vec::new(), &MASTER).await;
    conflict(open_to_all.create_key(Owner::Operator, None, at(0)).await.map(drop));
}

#[tokio::test]
async fn accounts_are_made_listed_and_disabled() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, vec![operator()], &MASTER).await;
    let unknown = access.create_key(Owner::Account(account()), None, at(0)).await;
    assert!(matches!(unknown, Err(AccessError::Invalid(text)) if text.contains("hearth account create")));
    let made = access.create_account(None, None, at(0)).await.unwrap();
    access.create_key(Owner::Account(made.account.clone()), None, at(0)).await.unwrap();
    assert_eq!(access.accounts(), [AccountEntry { keys: 1, ..made.clone() }]);
    assert!(access.set_disabled(made.account.as_str(), true, at(0)).await.unwrap().disabled);
    assert!(access.is_disabled(&made.account));
    drop(access);
    let access = open(&dir, vec![operator()], &MASTER).await;
    assert!(access.is_disabled(&made.account));
    access.set_disabled(made.account.as_str(), false, at(0)).await.unwrap();
    assert!(!access.is_disabled(&made.account));
    assert!(matches!(access.set_disabled("999999999999", true, at(0)).await, Err(AccessError::NotFound { .. })));
}
