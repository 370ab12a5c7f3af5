//! Sealing: AES-256 in Galois counter mode with a random nonce in front.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use hearth_types::Sha256;

const KEY_BYTES: usize = 32;

/// What was read is not what was written, or not under this key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("does not check")]
pub(crate) struct Broken;

/// A key to seal with. Sealed bytes are bound to what they are (`about`), so that none can stand in for another.
pub(crate) struct SealingKey(RandomizedNonceKey);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, Broken> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).map(Self).map_err(|_wrong_length| Broken)
    }

    pub(crate) fn seal(&self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut sealed = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(about), &mut sealed);
        let nonce = nonce.map_err(|_no_randomness| Broken)?;
        sealed.splice(0..0, nonce.as_ref().iter().copied());
        Ok(sealed)
    }

    pub(crate) fn open(&self, about: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, Broken> {
        let mut rest = sealed.split_off(NONCE_LEN.min(sealed.len()));
        let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_too_short| Broken)?;
        let length = self.0.open_in_place(nonce, Aad::from(about), &mut rest).map_err(|_wrong_tag| Broken)?.len();
        rest.truncate(length);
        Ok(rest)
    }
}

/// An account's keys.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) sealing: SealingKey,
    naming: hmac::Key,
}

impl Keys {
    fn from_bytes(bytes: &[u8]) -> Result<Self, Broken> {
        let (sealing, naming) = bytes.split_at_checked(KEY_BYTES).ok_or(Broken)?;
        Ok(Self { sealing: SealingKey::new(sealing)?, naming: hmac::Key::new(hmac::HMAC_SHA256, naming) })
    }

    /// A chunk's name.
    pub(crate) fn name(&self, chunk: &[u8]) -> Sha256 {
        let mut name = [0; 32];
        name.copy_from_slice(hmac::sign(&self.naming, chunk).as_ref());
        Sha256(name)
    }

    /// The keys in `file`, wrapped by `master`; new ones if there are none or they do not check.
    pub(crate) fn load(file: &Path, master: &SealingKey, account: &[u8]) -> std::io::Result<Self> {
        if let Some(wrapped) = read_if_there(file)?
            && let Ok(bytes) = master.open(account, wrapped)
            && let Ok(keys) = Self::from_bytes(&bytes)
        {
            return Ok(keys);
        }
        let bytes = random(2 * KEY_BYTES)?;
        let wrapped = master.seal(account, &bytes).map_err(std::io::Error::other)?;
        write_whole(file, &wrapped)?;
        Self::from_bytes(&bytes).map_err(std::io::Error::other)
    }
}

/// The key that wraps all others; made with the directory.
pub(crate) fn load_master(file: &Path) -> std::io::Result<SealingKey> {
    if let Some(bytes) = read_if_there(file)?
        && let Ok(key) = SealingKey::new(&bytes)
    {
        return Ok(key);
    }
    let bytes = random(KEY_BYTES)?;
    write_whole(file, &bytes)?;
    SealingKey::new(&bytes).map_err(std::io::Error::other)
}

/// What cannot be read now is not replaced: all that was sealed with it would be lost.
fn read_if_there(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match fs_err::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn random(length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Readable by the owner alone; there whole and on disk when this returns, or not there.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let dir = file.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file).map_err(|error| error.error)?;
    fs_err::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_as_what_it_is_and_as_nothing_else() {
        let key = SealingKey::new(&[7; KEY_BYTES]).unwrap();
        let sealed = key.seal(b"a", b"plain").unwrap();
        assert_eq!(key.open(b"a", sealed.clone()).unwrap(), b"plain");
        assert_eq!(key.open(b"b", sealed.clone()), Err(Broken));
        assert_eq!(SealingKey::new(&[8; KEY_BYTES]).unwrap().open(b"a", sealed.clone()), Err(Broken));
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert_eq!(key.open(b"a", flipped), Err(Broken), "{index}");
            assert_eq!(key.open(b"a", sealed[..index].to_vec()), Err(Broken), "{index}");
        }
        assert_ne!(key.seal(b"a", b"plain").unwrap(), sealed);
    }

    #[test]
    fn keys_are_kept_and_accounts_name_the_same_chunk_differently() {
        let dir = tempfile::tempdir().unwrap();
        let master = load_master(&dir.path().join("master.key")).unwrap();
        let again = load_master(&dir.path().join("master.key")).unwrap();
        let load = |master, account: &str| {
            Keys::load(&dir.path().join(account), master, account.as_bytes()).unwrap().name(b"chunk")
        };
        assert_eq!(load(&master, "a"), load(&again, "a"));
        assert_ne!(load(&master, "a"), load(&master, "b"));
    }

    #[test]
    fn a_key_that_cannot_be_read_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir(dir.path().join("master.key")).unwrap();
        load_master(&dir.path().join("master.key")).unwrap_err();
        let master = load_master(&dir.path().join("other")).unwrap();
        Keys::load(&dir.path().join("master.key"), &master, b"a").unwrap_err();
    }
}
