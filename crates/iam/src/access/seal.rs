//! Secrets at rest: AES-256 in Galois counter mode, each bound to its key's id, with the nonce in front. They cannot be hashed, as
//! whoever checks a signature has to make it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

pub(super) struct Sealing(RandomizedNonceKey);

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing")
    }
}

impl Sealing {
    pub(super) fn new(master: &[u8; 32]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, master).expect("32 bytes are a key"))
    }

    pub(super) fn seal(&self, id: &str, secret: &[u8]) -> Vec<u8> {
        let mut sealed = secret.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut sealed);
        let nonce = nonce.expect("aws-lc aborts the process before randomness fails");
        sealed.splice(0..0, nonce.as_ref().iter().copied());
        sealed
    }

    /// `None`: it was sealed otherwise, or for another id.
    pub(super) fn open(&self, id: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let mut rest = sealed.split_off(NONCE_LEN.min(sealed.len()));
        let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
        let length = self.0.open_in_place(nonce, Aad::from(id.as_bytes()), &mut rest).ok()?.len();
        rest.truncate(length);
        Some(rest)
    }
}
