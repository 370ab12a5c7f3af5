use std::borrow::Cow;

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    ErrorHead, ExitStatus, Init, InvokeHead, LogHead, LogSource, PAYLOAD_BYTES_MAX, Park, Renewal, ResponseHead,
    Rlimits, StreamEnd, read_frame,
};

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    "\\PC{0,40}".prop_map(Cow::Owned)
}

fn body() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..300).prop_map(|bytes| &*bytes.leak())
}

fn init() -> impl Strategy<Value = Init> {
    let strings = || vec("\\PC{0,20}", 0..4);
    let rlimits =
        any::<(u64, u64, u64)>().prop_map(|(files, processes, core_bytes)| Rlimits { files, processes, core_bytes });
    let environment = vec(("[A-Z_]{1,9}", "\\PC{0,20}"), 0..4);
    let limits = any::<(u64, u64, bool, bool)>();
    (vec(strings(), 0..4), environment, "\\PC{0,9}", any::<Option<(u32, u32)>>(), "\\PC{0,9}", rlimits, limits)
        .prop_map(|(commands, environment, cwd, uid_gid, hostname, rlimits, limits)| {
            let (response_bytes_max, stream_bytes_max, parked, telemetry) = limits;
            Init {
                commands,
                environment,
                cwd,
                parked,
                telemetry,
                uid_gid,
                hostname,
                rlimits,
                response_bytes_max,
                stream_bytes_max,
            }
        })
}

fn invoke_head() -> impl Strategy<Value = InvokeHead<'static>> {
    (text(), text(), any::<u64>(), text(), option::of(text()), option::of(text()), option::of(text())).prop_map(
        |(request_id, invocation_id, deadline_ms, function_arn, trace_id, client_context, cognito_identity)| {
            InvokeHead {
                request_id,
                invocation_id,
                deadline_ms,
                function_arn,
                trace_id,
                client_context,
                cognito_identity,
            }
        },
    )
}

fn to_agent() -> impl Strategy<Value = ToAgent<'static>> {
    let id = any::<u32>;
    prop_oneof![
        init().prop_map(ToAgent::Init),
        init().prop_map(|init| ToAgent::Park(Park {
            command: init.commands.into_iter().flatten().collect(),
            environment: init.environment,
            uid_gid: init.uid_gid,
            rlimits: init.rlimits,
        })),
        (id(), invoke_head(), body()).prop_map(|(id, head, body)| ToAgent::Invoke { id, head, body }),
        id().prop_map(|id| ToAgent::Withdraw { id }),
        (id(), any::<bool>(), id()).prop_map(|(id, tunnel, bytes)| ToAgent::Credit { id, tunnel, bytes }),
        (id(), body()).prop_map(|(id, data)| ToAgent::TunnelData { id, data }),
        id().prop_map(|id| ToAgent::TunnelClose { id }),
        (text(), text(), text()).prop_map(|(secret, credentials, variables)| ToAgent::Renew(Renewal {
            secret,
            credentials,
            variables
        })),
        id().prop_map(|grace_ms| ToAgent::Shutdown { grace_ms }),
    ]
}

fn from_agent() -> impl Strategy<Value = FromAgent<'static>> {
    let id = any::<u32>;
    let response = || text().prop_map(|content_type| ResponseHead { content_type });
    let error = || text().prop_map(|error_type| ErrorHead { error_type });
    let end = (option::of((text(), body().prop_map(Cow::Borrowed))), any::<bool>())
        .prop_map(|(error, truncated)| StreamEnd { error, truncated });
    let status = prop_oneof![
        any::<i32>().prop_map(ExitStatus::Code),
        any::<i32>().prop_map(ExitStatus::Signal),
        Just(ExitStatus::NotFound),
        any::<(u32, i32)>().prop_map(|(command, errno)| ExitStatus::NotStarted { command, errno }),
    ];
    let source = prop_oneof![
        Just(LogSource::Output),
        any::<(bool, u8)>().prop_map(|(json, level)| LogSource::Framed { json, level })
    ];
    let log = (source, any::<u64>()).prop_map(|(source, time_us)| LogHead { source, time_us });
    prop_oneof![
        any::<u16>().prop_map(|version| FromAgent::Hello { version }),
        Just(FromAgent::Ready),
        any::<bool>().prop_map(|ready| FromAgent::Parked { ready }),
        id().prop_map(|id| FromAgent::Idle { id }),
        id().prop_map(|id| FromAgent::Withdrawn { id }),
        id().prop_map(|id| FromAgent::Started { id }),
        (id(), response(), body()).prop_map(|(id, head, body)| FromAgent::Response { id, head, body }),
        (id(), response()).prop_map(|(id, head)| FromAgent::StreamStart { id, head }),
        (id(), body()).prop_map(|(id, data)| FromAgent::StreamChunk { id, data }),
        (id(), end).prop_map(|(id, end)| FromAgent::StreamEnd { id, end }),
        (id(), error(), body()).prop_map(|(id, head, body)| FromAgent::InvocationError { id, head, body }),
        (error(), body()).prop_map(|(head, body)| FromAgent::InitError { head, body }),
        status.prop_map(FromAgent::Exit),
        (log, body()).prop_map(|(head, data)| FromAgent::Log { head, data }),
        id().prop_map(|id| FromAgent::TunnelOpen { id }),
        (id(), body()).prop_map(|(id, data)| FromAgent::TunnelData { id, data }),
        id().prop_map(|id| FromAgent::TunnelClose { id }),
        (id(), id()).prop_map(|(id, bytes)| FromAgent::TunnelCredit { id, bytes }),
        id().prop_map(|records| FromAgent::LogsDropped { records }),
    ]
}

proptest! {
    #[test]
    fn what_the_daemon_says_arrives(messages in vec(to_agent(), 1..5)) {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| message.encode(&mut bytes));
        let mut rest = &bytes[..];
        for message in &messages {
            let (header, payload, taken) = read_frame(rest).unwrap().unwrap();
            prop_assert_eq!(&ToAgent::decode(header, payload).unwrap(), message);
            rest = &rest[taken..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn what_the_agent_says_arrives(messages in vec(from_agent(), 1..5)) {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| message.encode(&mut bytes));
        let mut rest = &bytes[..];
        for message in &messages {
            let (header, payload, taken) = read_frame(rest).unwrap().unwrap();
            prop_assert_eq!(&FromAgent::decode(header, payload).unwrap(), message);
            rest = &rest[taken..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn part_of_a_frame_is_not_a_frame(message in from_agent(), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        let cut = cut.index(bytes.len());
        prop_assert_eq!(read_frame(&bytes[..cut]), Ok(None));
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in vec(any::<u8>(), 0..400), kind in 0_u8..90) {
        let header = FrameHeader { length: u32::try_from(bytes.len()).unwrap(), kind, flags: 0, id: 1 };
        let _any = (ToAgent::decode(header, &bytes), FromAgent::decode(header, &bytes));
        let _either = read_frame(&bytes);
    }

    /// A flipped bit gives another message or an error: never a panic, and never more than the frame holds.
    #[test]
    fn a_damaged_frame_stays_within_its_bounds(
        message in from_agent(), at in any::<prop::sample::Index>(), bit in 0_u8..8,
    ) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(Some((header, payload, taken))) = read_frame(&bytes) {
            prop_assert!(taken <= bytes.len());
            let _either = FromAgent::decode(header, payload);
        }
    }
}

#[test]
fn a_frame_beyond_the_limit_is_refused_by_its_header_alone() {
    let length = u32::try_from(PAYLOAD_BYTES_MAX).unwrap() + 1;
    let header = FrameHeader { length, kind: 68, flags: 0, id: 1 }.encode();
    assert_eq!(read_frame(&header), Err(FrameError::TooLong { length }));
}

#[test]
fn the_largest_response_fits_a_frame() {
    let body = vec![b'x'; 6 * 1024 * 1024 + 100];
    let head = ResponseHead { content_type: "x".repeat(16 * 1024).into() };
    let mut bytes = Vec::new();
    let message = FromAgent::Response { id: 1, head, body: &body };
    message.encode(&mut bytes);
    let (header, payload, _) = read_frame(&bytes).unwrap().unwrap();
    assert_eq!(FromAgent::decode(header, payload).unwrap(), message);
}

#[test]
fn a_message_without_content_is_refused_with_some() {
    let mut bytes = Vec::new();
    crate::write_frame(&mut bytes, FromAgentKind::Ready as u8, 0, 0, &[b"x"]);
    let (header, payload, _) = read_frame(&bytes).unwrap().unwrap();
    assert_eq!(FromAgent::decode(header, payload), Err(FrameError::Malformed { message: "Ready" }));
}

#[test]
fn a_head_longer_than_its_payload_is_refused() {
    let header = FrameHeader { length: 4, kind: FromAgentKind::Log as u8, flags: 0, id: 0 };
    let payload = u32::MAX.to_le_bytes();
    assert_eq!(FromAgent::decode(header, &payload), Err(FrameError::Malformed { message: "Log" }));
}

/// The bytes of the header are a promise between versions of daemon and agent.
#[test]
fn a_chunk_has_this_form() {
    let mut bytes = Vec::new();
    FromAgent::StreamChunk { id: 7, data: b"abc" }.encode(&mut bytes);
    assert_eq!(bytes, *b"\x03\0\0\0\x46\0\0\0\x07\0\0\0abc");
}
