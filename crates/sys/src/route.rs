//! Routes and a packet filter of the calling thread's network name space (IPv4; IPv6 goes nowhere).

use std::net::Ipv4Addr;

use rustix::net::netlink::NETFILTER;

use crate::error::SysError;
use crate::netlink::{Batch, FLAG_CREATE, LOOPBACK_INDEX};

/// IPv4 addresses with the same first bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Subnet4 {
    pub address: Ipv4Addr,
    /// At most 32.
    pub prefix_length: u8,
}

impl Subnet4 {
    pub const fn new(address: Ipv4Addr, prefix_length: u8) -> Self {
        Self { address, prefix_length }
    }

    /// All bits of the prefix.
    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix_length.min(32))).unwrap_or(0)
    }

    fn first(self) -> u32 {
        self.address.to_bits() & self.mask()
    }

    /// True if all of `other` lies within.
    pub fn contains(self, other: Self) -> bool {
        other.prefix_length >= self.prefix_length && other.address.to_bits() & self.mask() == self.first()
    }
}

/// Where packets go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// To a directly reachable neighbour.
    Via(Ipv4Addr),
    /// Nowhere: the sender gets an error at once.
    Prohibited,
}

/// Adds routes.
///
/// # Errors
/// The caller lacks the right over its network name space, the gateway is not reachable, or a route is there already.
pub fn add_routes(routes: &[(Subnet4, Route)]) -> Result<(), SysError> {
    /// Protocol 0.
    const NETLINK_ROUTE: Option<rustix::net::Protocol> = None;
    const NEW_ROUTE: u16 = 24;
    const EXCLUSIVE: u16 = 0x200;
    const DESTINATION: u16 = 1;
    const GATEWAY: u16 = 5;
    let mut batch = Batch::default();
    for (subnet, route) in routes {
        let kind = match route {
            Route::Via(_) => 1,
            Route::Prohibited => 8,
        };
        // Family, destination and source length, service, table "main", origin "static", scope, kind, flags.
        let head = [2, subnet.prefix_length, 0, 0, 254, 4, 0, kind, 0, 0, 0, 0];
        batch.message(NEW_ROUTE, FLAG_CREATE | EXCLUSIVE, true, &head, |message| {
            message.attribute(DESTINATION, &subnet.first().to_be_bytes());
            if let Route::Via(gateway) = route {
                message.attribute(GATEWAY, &gateway.octets());
            }
        });
    }
    batch.send("add routes", NETLINK_ROUTE)
}

const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;
const VERDICT_DROP: u32 = 0;
const VERDICT_ACCEPT: u32 = 1;

/// Filters what leaves this name space other than by `lo`: what goes to `accepted` may, what goes to `dropped` may not,
/// other IPv4 may, IPv6 may not. Unlike routes this also binds sockets that name their interface.
///
/// # Errors
/// The kernel lacks nf_tables, or the caller the right over its network name space.
pub fn filter_output(accepted: &[Subnet4], dropped: &[Subnet4]) -> Result<(), SysError> {
    let mut batch = Batch::default();
    let verdicts = [(accepted, VERDICT_ACCEPT), (dropped, VERDICT_DROP)];
    in_transaction(&mut batch, |batch| {
        add_chain(batch, FAMILY_IPV4, VERDICT_ACCEPT);
        add_rule(batch, FAMILY_IPV4, VERDICT_ACCEPT, match_loopback);
        for (subnets, verdict) in verdicts {
            for subnet in subnets {
                add_rule(batch, FAMILY_IPV4, verdict, |rule| match_destination(rule, *subnet));
            }
        }
        add_chain(batch, FAMILY_IPV6, VERDICT_DROP);
        add_rule(batch, FAMILY_IPV6, VERDICT_ACCEPT, match_loopback);
    });
    batch.send("filter packets with nf_tables", Some(NETFILTER))
}

const SUBSYSTEM: u16 = 10;
const TABLE: &str = "hearth";
const CHAIN: &str = "output";
/// The register through which the parts of a rule talk.
const REGISTER: u32 = 1;

/// Head of a packet filter message: family, version, resource.
fn head(family: u8, resource: u16) -> [u8; 4] {
    let resource = resource.to_be_bytes();
    [family, 0, resource[0], resource[1]]
}

fn in_transaction(batch: &mut Batch, fill: impl FnOnce(&mut Batch)) {
    const BEGIN: u16 = 0x10;
    const END: u16 = 0x11;
    batch.message(BEGIN, 0, false, &head(0, SUBSYSTEM), |_| {});
    fill(batch);
    batch.message(END, 0, false, &head(0, SUBSYSTEM), |_| {});
}

/// A table of its own with one chain at the kernel's output hook.
fn add_chain(batch: &mut Batch, family: u8, policy: u32) {
    const NEW_TABLE: u16 = SUBSYSTEM << 8;
    const NEW_CHAIN: u16 = (SUBSYSTEM << 8) | 3;
    const HOOK_OUTPUT: u32 = 3;
    batch.message(NEW_TABLE, FLAG_CREATE, true, &head(family, 0), |message| message.text(1, TABLE));
    batch.message(NEW_CHAIN, FLAG_CREATE, true, &head(family, 0), |message| {
        message.text(1, TABLE);
        message.text(3, CHAIN);
        message.group(4, |hook| {
            hook.number(1, HOOK_OUTPUT);
            hook.number(2, 0);
        });
        message.number(5, policy);
        message.text(7, "filter");
    });
}

fn add_rule(batch: &mut Batch, family: u8, verdict: u32, matches: impl FnOnce(&mut Batch)) {
    const NEW_RULE: u16 = (SUBSYSTEM << 8) | 6;
    const FLAG_APPEND: u16 = 0x800;
    const REGISTER_VERDICT: u32 = 0;
    batch.message(NEW_RULE, FLAG_CREATE | FLAG_APPEND, true, &head(family, 0), |message| {
        message.text(1, TABLE);
        message.text(2, CHAIN);
        message.group(4, |rule| {
            matches(rule);
            add_expression(rule, "immediate", |data| {
                data.number(1, REGISTER_VERDICT);
                data.group(2, |value| value.group(2, |inner| inner.number(1, verdict)));
            });
        });
    });
}

fn add_expression(rule: &mut Batch, name: &str, fill: impl FnOnce(&mut Batch)) {
    rule.group(1, |element| {
        element.text(1, name);
        element.group(2, fill);
    });
}

fn match_loopback(rule: &mut Batch) {
    const OUTPUT_INTERFACE: u32 = 5;
    add_expression(rule, "meta", |data| {
        data.number(1, REGISTER);
        data.number(2, OUTPUT_INTERFACE);
    });
    compare(rule, LOOPBACK_INDEX.to_ne_bytes());
}

fn match_destination(rule: &mut Batch, subnet: Subnet4) {
    const NETWORK_HEADER: u32 = 1;
    const DESTINATION_OFFSET: u32 = 16;
    const ADDRESS_BYTES: u32 = 4;
    add_expression(rule, "payload", |data| {
        data.number(1, REGISTER);
        data.number(2, NETWORK_HEADER);
        data.number(3, DESTINATION_OFFSET);
        data.number(4, ADDRESS_BYTES);
    });
    add_expression(rule, "bitwise", |data| {
        data.number(1, REGISTER);
        data.number(2, REGISTER);
        data.number(3, ADDRESS_BYTES);
        data.group(4, |mask| mask.attribute(1, &subnet.mask().to_be_bytes()));
        data.group(5, |xor| xor.attribute(1, &[0; 4]));
    });
    compare(rule, subnet.first().to_be_bytes());
}

fn compare(rule: &mut Batch, value: [u8; 4]) {
    const EQUAL: u32 = 0;
    add_expression(rule, "cmp", |data| {
        data.number(1, REGISTER);
        data.number(2, EQUAL);
        data.group(3, |inner| inner.attribute(1, &value));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_contain_what_shares_their_prefix() {
        let subnet = |text: &str, length| Subnet4::new(text.parse().unwrap(), length);
        assert!(subnet("10.0.0.0", 8).contains(subnet("10.1.2.3", 32)));
        assert!(subnet("10.9.9.9", 8).contains(subnet("10.0.0.0", 8)));
        assert!(!subnet("10.0.0.0", 8).contains(subnet("11.0.0.0", 32)));
        assert!(!subnet("10.0.0.0", 16).contains(subnet("10.0.0.0", 8)));
        assert!(subnet("0.0.0.0", 0).contains(subnet("255.255.255.255", 32)));
    }
}
