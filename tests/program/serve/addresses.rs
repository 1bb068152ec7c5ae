// SPDX-License-Identifier: MPL-2.0

//! The addresses at which sessions are offered.

use std::collections::BTreeSet;
use std::net::{IpAddr, TcpListener};

use super::*;

/// Returns the addresses of the candidates in an offer.
fn candidates(offer: &str) -> BTreeSet<IpAddr> {
    let lines = offer.lines();
    let candidates = lines.filter_map(|line| line.strip_prefix("a=candidate:"));
    candidates
        .map(|candidate| candidate.split(' ').nth(4).unwrap().parse().unwrap())
        .collect()
}

#[test]
fn a_session_is_offered_at_the_address_that_the_server_listens_on() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&[]);
    let (_, offer) = server.open();
    let loopback = "127.0.0.1".parse().unwrap();
    assert_eq!(candidates(&offer), BTreeSet::from([loopback]));
}

#[test]
fn a_session_of_a_server_on_all_addresses_is_offered_at_all_of_them() {
    if !has_webrtc() {
        return;
    }
    let server = Server::listen("0.0.0.0:0", &["--token", "a-long-enough-token"]);
    let request = Request::new("POST", "/sessions?token=a-long-enough-token");
    let response = server.send(&request).json();
    let offered = candidates(response["offer"].as_str().unwrap());
    assert!(
        offered.contains(&"127.0.0.1".parse().unwrap()),
        "{offered:?}"
    );
    assert!(offered.iter().all(IpAddr::is_ipv4), "{offered:?}");
    // Any other address is the machine's own: a socket can be bound to it.
    for address in &offered {
        assert!(TcpListener::bind((*address, 0)).is_ok(), "{address}");
    }
}
