//! What of a saved tree is another at each restore: its range of user ids and its host name.
//!
//! A restored process reads images by itself, with the rights of its own user, when it sees the sandbox's mounts already. So they
//! are files in one directory, which anybody may read who has come that far; what leads to it is nobody's but the daemon's.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fs_err as fs;

use super::wire::{Encoder, Malformed, fields};

/// Two numbers that tell the kind of file.
const MAGIC_BYTES: usize = 8;

/// Makes the directory `own`, on the same file system as `shared`, of the images there and of images of its own for what has to
/// differ.
pub(crate) fn rewrite_identity(shared: &Path, own: &Path, first_id: u32, ids: u32, hostname: &str) -> io::Result<()> {
    fs::create_dir(own)?;
    fs::set_permissions(own, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(shared)? {
        let entry = entry?;
        let name = entry.file_name();
        let to = own.join(&name);
        if starts_with(&name, "userns-") {
            fs::write(&to, with_ids(&fs::read(entry.path())?, first_id, ids)?)?;
        } else if starts_with(&name, "utsns-") {
            fs::write(&to, with_hostname(&fs::read(entry.path())?, hostname)?)?;
        } else {
            fs::hard_link(entry.path(), &to)?;
        }
        fs::set_permissions(&to, Permissions::from_mode(0o644))?;
    }
    Ok(())
}

fn starts_with(name: &OsStr, start: &str) -> bool {
    name.as_encoded_bytes().starts_with(start.as_bytes())
}

/// The one message of an image file.
fn message_of(image: &[u8]) -> Result<&[u8], Malformed> {
    let (length, rest) = image.get(MAGIC_BYTES..).and_then(<[u8]>::split_first_chunk::<4>).ok_or(Malformed)?;
    rest.get(..u32::from_le_bytes(*length) as usize).ok_or(Malformed)
}

fn image_of(like: &[u8], message: &[u8]) -> Result<Vec<u8>, Malformed> {
    let length = u32::try_from(message.len()).ok().ok_or(Malformed)?;
    Ok([&like[..MAGIC_BYTES], &length.to_le_bytes(), message].concat())
}

fn with_ids(image: &[u8], first_id: u32, ids: u32) -> io::Result<Vec<u8>> {
    let saved = message_of(image).map_err(io::Error::other)?;
    // A sandbox of one range: else it is not one of ours.
    if fields(saved).map_err(io::Error::other)?.len() != 2 {
        return Err(io::Error::other("not one range of user ids"));
    }
    let mut message = Encoder::default();
    for field in [1, 2] {
        message.group(field, |extent| {
            extent.number(1, 0);
            extent.number(2, first_id.into());
            extent.number(3, ids.into());
        });
    }
    image_of(image, &message.bytes).map_err(io::Error::other)
}

fn with_hostname(image: &[u8], hostname: &str) -> io::Result<Vec<u8>> {
    let mut message = Encoder::default();
    for (field, value) in fields(message_of(image).map_err(io::Error::other)?).map_err(io::Error::other)? {
        message.text(field, if field == 1 { hostname.as_bytes() } else { value.bytes() });
    }
    image_of(image, &message.bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::super::wire::Value;
    use super::*;

    fn image(fill: impl FnOnce(&mut Encoder)) -> Vec<u8> {
        let mut message = Encoder::default();
        fill(&mut message);
        image_of(b"magicnum", &message.bytes).unwrap()
    }

    #[test]
    fn a_host_name_is_replaced_and_the_rest_stays() {
        let saved = image(|message| {
            message.text(1, b"sb-000001");
            message.text(2, b"(none)");
        });
        let own = with_hostname(&saved, "sb-000077").unwrap();
        let expected = vec![(1, Value::Bytes(b"sb-000077")), (2, Value::Bytes(b"(none)"))];
        assert_eq!(fields(message_of(&own).unwrap()), Ok(expected));
    }

    #[test]
    fn a_range_of_ids_is_replaced_and_a_cut_image_refused() {
        let extent = |extent: &mut Encoder| extent.number(2, 1000);
        let saved = image(|message| {
            message.group(1, extent);
            message.group(2, extent);
        });
        let own = with_ids(&saved, 5000, 65_536).unwrap();
        assert_eq!(fields(message_of(&own).unwrap()).unwrap().len(), 2);
        for length in 0..saved.len() {
            assert!(with_ids(&saved[..length], 5000, 65_536).is_err());
        }
    }
}
