//! Who gets room, and who gives way, in virtual time.
#![expect(clippy::disallowed_methods, reason = "a part of the tests")]

use super::*;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn account(digit: char) -> Holder {
    Holder::Account(digit.to_string().repeat(12).parse().unwrap())
}

fn key(id: &str) -> Holder {
    Holder::Claimed(id.to_owned())
}

/// Proven: 16 MiB, 4 MiB per account; claimed: 8 MiB, 4 MiB per key; a quarter of each for small bodies.
fn ledger() -> Ledger {
    Ledger::of_parts(16 * MIB, 4 * MIB, 8 * MIB, 4 * MIB)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[tokio::test(start_paused = true)]
async fn an_account_gets_its_part_and_no_more_and_others_theirs() {
    let ledger = ledger();
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut share = ledger.open(account('1'), MIB);
        share.grow(MIB, soon()).await.unwrap();
        share.complete();
        held.push(share);
    }
    let mut large = ledger.open(account('1'), MIB);
    assert_eq!(large.grow(MIB, soon()).await, Err(NoRoom));
    let mut small = ledger.open(account('1'), 100 * KIB);
    small.grow(100 * KIB, soon()).await.unwrap();
    let mut other = ledger.open(account('2'), MIB);
    other.grow(MIB, soon()).await.unwrap();
    held.clear();
    large.grow(MIB, soon()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_gives_way_to_one_that_moves() {
    let ledger = ledger();
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let mut share = ledger.open(key("AKID"), MIB);
        share.grow(1000 * KIB, soon()).await.unwrap();
        share.heard(1000 * KIB);
        share.await_client();
        stalled.push(share);
    }
    let given_up = stalled.iter().map(|share| share.given_up.clone()).collect::<Vec<_>>();
    let ends = tokio::spawn(async move {
        let first = stalled.swap_remove(0);
        tokio::select! {
            () = first.given_up.cancelled() => drop(first),
            () = stalled[0].given_up.cancelled() => drop(stalled.swap_remove(0)),
            () = stalled[1].given_up.cancelled() => drop(stalled.swap_remove(1)),
        }
        stalled
    });
    let mut moving = ledger.open(key("AKID"), MIB);
    moving.grow(MIB, soon()).await.unwrap();
    drop(ends.await.unwrap());
    assert_eq!(given_up.iter().filter(|token| token.is_cancelled()).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_moves_is_never_given_up() {
    let ledger = ledger();
    let mut moving = Vec::new();
    for _ in 0..3 {
        let mut share = ledger.open(account('1'), MIB);
        share.grow(MIB, soon()).await.unwrap();
        moving.push(share);
    }
    let given_up: Vec<_> = moving.iter().map(|share| share.given_up.clone()).collect();
    let steady = tokio::spawn(async move {
        for _ in 0..200 {
            moving.iter().for_each(Share::await_client);
            tokio::time::sleep(Duration::from_millis(500)).await;
            for share in &moving {
                share.heard(64 * KIB);
            }
        }
    });
    let mut late = ledger.open(account('1'), MIB);
    assert_eq!(late.grow(MIB, soon()).await, Err(NoRoom));
    assert!(given_up.iter().all(|token| !token.is_cancelled()));
    steady.await.unwrap();
    late.grow(MIB, soon()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn unproven_bodies_never_take_what_is_for_accounts() {
    let ledger = ledger();
    let mut taken = Vec::new();
    for id in ["A", "B", "C"] {
        let mut share = ledger.open(key(id), 3 * MIB);
        let _no_room = share.grow(3 * MIB, Instant::now()).await;
        taken.push(share);
    }
    for digit in ['1', '2', '3', '4'] {
        let mut share = ledger.open(account(digit), 3 * MIB);
        share.grow(3 * MIB, Instant::now()).await.unwrap();
        taken.push(share);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_proven_moves_to_the_account_once_that_has_room() {
    let ledger = ledger();
    let mut full = ledger.open(account('1'), 3 * MIB);
    full.grow(3 * MIB, soon()).await.unwrap();
    full.complete();
    let mut unproven = ledger.open(key("AKID"), 2 * MIB);
    unproven.grow(2 * MIB, soon()).await.unwrap();
    unproven.complete();
    assert_eq!(unproven.prove(account('1'), soon()).await, Err(NoRoom));
    drop(full);
    unproven.prove(account('1'), soon()).await.unwrap();
    let mut next = ledger.open(key("AKID"), 3 * MIB);
    next.grow(3 * MIB, Instant::now()).await.unwrap();
}

/// Bodies that come in small steps, more of them than there is room for, all come to their end.
#[tokio::test(start_paused = true)]
async fn half_read_bodies_do_not_wait_for_one_another_for_ever() {
    let ledger = ledger();
    let mut bodies = tokio::task::JoinSet::new();
    for number in 0..70 {
        let ledger = ledger.clone();
        let holder = [account('1'), account('2'), key("A"), key("B")][number % 4].clone();
        bodies.spawn(async move {
            let size = 20 * KIB + number * 40 * KIB;
            let mut share = ledger.open(holder, size);
            for length in (0..=size).step_by(40 * KIB) {
                let length = (length + 40 * KIB).min(size);
                share.grow(length, soon() + Duration::from_secs(600)).await.unwrap();
                share.await_client();
                tokio::time::sleep(Duration::from_millis(3)).await;
                share.heard(40 * KIB);
            }
            share.complete();
        });
    }
    while let Some(done) = bodies.join_next().await {
        done.unwrap();
    }
    assert!(ledger.0.state().holders.is_empty() && ledger.0.state().arriving.is_empty());
}
