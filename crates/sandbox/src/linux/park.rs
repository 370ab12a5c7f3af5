//! Having the agent of a blank sandbox start a runtime that waits.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use hearth_agent_proto::{FromAgent, PROTOCOL_VERSION, Park, ToAgent, read_frame};
use hearth_sys::failpoint;

use super::connect::wait_readable;

#[derive(Debug, thiserror::Error)]
pub(super) enum ParkError {
    #[error("the agent cannot be spoken with: {0}")]
    Io(#[from] io::Error),
    #[error("the agent says what no sound agent says")]
    Violation,
}

/// Asks for it and waits until it is there; false if it cannot be had. Takes the agent's greeting off the connection, too.
pub(super) fn park(connection: &OwnedFd, park: &Park, deadline: Instant) -> Result<bool, ParkError> {
    let mut stream = UnixStream::from(connection.try_clone()?);
    let mut request = Vec::new();
    ToAgent::Park(park.clone()).encode(&mut request);
    failpoint("park.ask");
    stream.write_all(&request)?;
    failpoint("park.asked");
    let (mut heard, mut taken) = (Vec::new(), 0);
    loop {
        match read_frame(&heard[taken..]).ok().ok_or(ParkError::Violation)? {
            None => hear(&mut stream, &mut heard, deadline)?,
            Some((header, payload, length)) => match FromAgent::decode(header, payload) {
                Ok(FromAgent::Hello { version: PROTOCOL_VERSION }) => taken += length,
                Ok(FromAgent::Parked { ready }) if taken + length == heard.len() => {
                    return Ok(ready);
                }
                Ok(_) | Err(_) => return Err(ParkError::Violation),
            },
        }
    }
}

fn hear(stream: &mut UnixStream, heard: &mut Vec<u8>, deadline: Instant) -> Result<(), ParkError> {
    let mut bytes = [0; 256];
    wait_readable(stream.as_fd(), deadline).map_err(io::Error::from)?;
    match stream.read(&mut bytes)? {
        0 => Err(ParkError::Io(io::ErrorKind::UnexpectedEof.into())),
        length => {
            heard.extend_from_slice(&bytes[..length]);
            Ok(())
        }
    }
}
