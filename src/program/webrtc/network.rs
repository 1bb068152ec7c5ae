// SPDX-License-Identifier: MPL-2.0

//! The IP addresses at which this side of a connection is offered.

use std::io;
use std::net::IpAddr;

/// Returns the addresses of this machine at which a server that listens on `listening` can be
/// reached: that address, or the addresses of all network interfaces if it is unspecified.
///
/// # Errors
///
/// Returns an error if the interfaces cannot be listed.
pub(crate) fn addresses(listening: IpAddr) -> io::Result<Vec<IpAddr>> {
    if !listening.is_unspecified() {
        return Ok(vec![listening.to_canonical()]);
    }
    let interfaces = if_addrs::get_if_addrs()?.into_iter();
    let mut addresses: Vec<_> = interfaces
        .map(|interface| interface.ip())
        .filter(|&address| is_reached_by(address, listening))
        .collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// Returns true if connections to `address` reach a server on the unspecified address
/// `listening`. Those of IPv6 are received for IPv4 too, but not for link-local addresses, which
/// are valid for one interface only.
fn is_reached_by(address: IpAddr, listening: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => listening.is_ipv6() && !address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    #[test]
    fn a_specified_address_is_the_only_one() {
        assert_eq!(addresses(V4).unwrap(), [V4]);
        assert_eq!(addresses(V6).unwrap(), [V6]);
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        assert_eq!(addresses(mapped.into()).unwrap(), [V4]);
    }

    #[test]
    fn an_unspecified_address_includes_the_loopback_interface() {
        for listening in [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()] {
            assert!(addresses(listening).unwrap().contains(&V4), "{listening}");
        }
    }

    #[test]
    fn only_an_ipv6_address_includes_ipv6_interfaces() {
        let all = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let link_local: IpAddr = "fe80::1".parse().unwrap();
        assert_eq!(
            all.map(|listening| is_reached_by(V6, listening)),
            [false, true]
        );
        assert_eq!(
            all.map(|listening| is_reached_by(link_local, listening)),
            [false, false]
        );
    }
}
