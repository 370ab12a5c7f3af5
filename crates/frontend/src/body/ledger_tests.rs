//! Who gets room, and who gives way, in virtual time.
#![expect(clippy::disallowed_methods, reason = "a part of the tests")]

use super::*;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn account(digit: char) -> Holder {
    Holder::Account(digit.to_string().repeat(12).parse().unwrap())
}

fn key(id: &str) -> Holder {
    from(id, 1)
}

/// Named by one address of several.
fn from(id: &str, address: u8) -> Holder {
    Holder::Claimed(Claimant::new(id, std::net::Ipv4Addr::new(192, 0, 2, address).into()))
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
    assert!(ledger.0.state().holders.is_empty() && ledger.0.state().moving.is_empty());
}

#[tokio::test(start_paused = true)]
async fn unread_answers_count_and_hold_back_their_own_reader_alone() {
    let ledger = ledger();
    let connection = CancellationToken::new();
    let mut answers: Vec<_> = (0..5).map(|_| ledger.charge(account('1'), MIB, connection.child_token())).collect();
    // They move, so nobody is given up for them.
    answers.iter().for_each(|share| assert_eq!(share.heard(8 * MIB), Duration::ZERO));
    assert_eq!(ledger.may_ask(|| account('1'), Instant::now()).await, Err(NoRoom));
    assert_eq!(ledger.may_ask(|| account('2'), Instant::now()).await, Ok(()));
    let mut body = ledger.open(account('2'), 3 * MIB);
    body.grow(3 * MIB, Instant::now()).await.unwrap();
    answers.truncate(3);
    assert_eq!(ledger.may_ask(|| account('1'), Instant::now()).await, Ok(()));
    assert!(!connection.is_cancelled() && answers.iter().all(|share| !share.given_up.is_cancelled()));
    drop((answers, body));
    let state = ledger.0.state();
    assert!(state.holders.is_empty() && state.moving.is_empty() && !state.is_crowded());
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_is_given_up_and_who_reads_slowly_is_not() {
    let ledger = ledger();
    let charge = || {
        let share = ledger.charge(account('1'), MIB, CancellationToken::new());
        share.await_client();
        share
    };
    let (slow, mut stalled) = (charge(), vec![charge(), charge(), charge(), charge()]);
    let given_up: Vec<_> = stalled.iter().map(|share| share.given_up.clone()).collect();
    let asks = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.may_ask(|| account('1'), soon()).await }
    });
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        slow.heard(64 * KIB);
        slow.await_client();
        stalled.retain(|share| !share.given_up.is_cancelled());
    }
    assert_eq!(asks.await.unwrap(), Ok(()));
    assert!(!slow.given_up.is_cancelled() && given_up.iter().any(CancellationToken::is_cancelled));
}

#[tokio::test(start_paused = true)]
async fn who_has_more_than_its_part_of_what_all_have_too_much_of_is_held_back() {
    let ledger = ledger();
    let full: Vec<_> = (1..=5)
        .flat_map(|digit| (0..3).map(move |_| digit))
        .map(|digit| ledger.charge(account(char::from_digit(digit, 10).unwrap()), MIB, CancellationToken::new()))
        .collect();
    let small = ledger.charge(account('6'), MIB, CancellationToken::new());
    assert_eq!(ledger.may_ask(|| account('1'), Instant::now()).await, Err(NoRoom));
    for digit in ['6', '7'] {
        assert_eq!(ledger.may_ask(|| account(digit), Instant::now()).await, Ok(()));
    }
    drop((full, small));
    assert_eq!(ledger.may_ask(|| account('1'), Instant::now()).await, Ok(()));
}

/// Bodies that move and take all that is for unproven ones; and whether each was told to end.
async fn flood(ledger: &Ledger, holders: impl Iterator<Item = Holder>) -> Vec<Share> {
    let mut taken = Vec::new();
    for holder in holders {
        let mut share = ledger.open(holder, MIB);
        share.grow(MIB, Instant::now()).await.unwrap();
        share.heard(MIB);
        share.await_client();
        taken.push(share);
    }
    taken
}

/// Lets bodies end that are told to, until the other has its room.
async fn gets_room(mut flood: Vec<Share>, ledger: &Ledger, holder: Holder) -> (Vec<Share>, Share) {
    let mut late = ledger.open(holder, 2 * MIB);
    let late = tokio::spawn(async move { late.grow(2 * MIB, soon()).await.map(|()| late) });
    while !late.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        flood.iter().for_each(|share| assert!(share.heard(MIB) < Duration::from_secs(60)));
        flood.retain(|share| !share.given_up.is_cancelled());
        flood.iter().for_each(Share::await_client);
    }
    (flood, late.await.unwrap().unwrap())
}

#[tokio::test(start_paused = true)]
async fn one_key_or_address_gives_way_to_others_and_keeps_its_part() {
    for (theirs, other) in [(from("A", 1), from("B", 1)), (from("A", 1), from("A", 2)), (from("A", 1), from("B", 2))] {
        // 6 MiB for all that are large, 5 of them taken; all but the largest of a body's size is anybody's.
        let ledger = Ledger::of_parts(16 * MIB, 4 * MIB, 8 * MIB, 8 * MIB);
        let taken = flood(&ledger, std::iter::repeat_n(theirs, 5)).await;
        let (left, _late) = gets_room(taken, &ledger, other).await;
        assert!((2..5).contains(&left.len()), "{}", left.len());
    }
}

#[tokio::test(start_paused = true)]
async fn however_many_keys_one_address_names_another_gets_its_part() {
    let ledger = Ledger::of_parts(16 * MIB, 4 * MIB, 8 * MIB, 8 * MIB);
    let taken = flood(&ledger, (0..5).map(|number| from(&format!("KEY{number}"), 1))).await;
    let (left, _late) = gets_room(taken, &ledger, from("B", 2)).await;
    assert!((2..5).contains(&left.len()), "{}", left.len());
}

#[tokio::test(start_paused = true)]
async fn two_large_bodies_do_not_take_the_room_from_each_other() {
    let ledger = Ledger::of_parts(16 * MIB, 4 * MIB, 8 * MIB, 8 * MIB);
    let mut first = ledger.open(key("A"), 5 * MIB);
    first.grow(5 * MIB, soon()).await.unwrap();
    first.heard(100 * MIB);
    first.await_client();
    let mut second = ledger.open(key("B"), 5 * MIB);
    assert_eq!(second.grow(5 * MIB, Instant::now() + Duration::from_millis(900)).await, Err(NoRoom));
    assert!(!first.given_up.is_cancelled());
}

#[test]
fn addresses_of_one_network_are_one() {
    let claimant = |address: &str| Claimant::new("A", address.parse().unwrap());
    assert_eq!(claimant("2001:db8::1"), claimant("2001:db8::ffff:1"));
    assert_ne!(claimant("2001:db8::1"), claimant("2001:db8:0:1::1"));
    assert_eq!(claimant("::ffff:192.0.2.1"), claimant("192.0.2.1"));
    assert_ne!(claimant("192.0.2.1"), claimant("192.0.2.2"));
}
