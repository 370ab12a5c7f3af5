//! The address of a sandbox, which is its host's name too.

use std::net::Ipv4Addr;

use hearth_types::SandboxId;

/// As on Lambda the host is called by an address of the link's own range (RFC 3927). So the name resolves in every program
/// without being looked up anywhere, and since the loopback device has the address, programs can listen there. Among sandboxes
/// that are alive it is seldom the same: there are 63 times 256.
pub(crate) fn address_of(id: SandboxId) -> Ipv4Addr {
    // Not those that the RFC reserves, nor those above, where AWS has services.
    const FIRST: u64 = 1 << 8;
    const COUNT: u64 = 63 << 8;
    let [third, fourth] = u16::try_from(FIRST + id.0 % COUNT).unwrap_or_default().to_be_bytes();
    Ipv4Addr::new(169, 254, third, fourth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_in_their_range() {
        for (id, address) in [(0, [1, 0]), (255, [1, 255]), (256, [2, 0]), (16_127, [63, 255]), (16_128, [1, 0])] {
            assert_eq!(address_of(SandboxId(id)), Ipv4Addr::new(169, 254, address[0], address[1]));
        }
        assert!(address_of(SandboxId(u64::MAX)).octets()[2] < 64);
    }
}
