// SPDX-License-Identifier: MPL-2.0

//! SDP fragments, by which a WHIP client sends candidates after its offer (RFC 8840).

use crate::webrtc::candidate;

/// Maximum number of candidates in a fragment.
const MAX_CANDIDATES: usize = 32;

/// The fragment cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FragmentError {
    #[error("this is not an SDP fragment with candidates")]
    NotAFragment,
    #[error("the server does not restart ICE; end this session and open another one")]
    Restart,
}

/// Returns the usable candidates in a fragment of the ICE session `ice_ufrag`.
pub(crate) fn candidates(text: &str, ice_ufrag: &str) -> Result<Vec<String>, FragmentError> {
    let mut candidates = Vec::new();
    let mut has_candidates = false;
    for line in text.lines() {
        let Some((_, value)) = line.split_once('=') else {
            return Err(FragmentError::NotAFragment);
        };
        match value.split_once(':') {
            Some(("ice-ufrag", ufrag)) if ufrag != ice_ufrag => {
                return Err(FragmentError::Restart);
            }
            Some(("candidate", text)) => {
                has_candidates = true;
                candidates.extend(candidate(text).filter(|_| candidates.len() < MAX_CANDIDATES));
            }
            None if value == "end-of-candidates" => has_candidates = true,
            _ => {}
        }
    }
    match has_candidates {
        true => Ok(candidates),
        false => Err(FragmentError::NotAFragment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAGMENT: &str = "a=ice-ufrag:LS1N\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2122194687 192.0.2.2 47353 typ host\r\na=candidate:2 1 udp 1 a.local 9 typ host\r\n\
        a=end-of-candidates\r\n";

    #[test]
    fn candidates_are_sanitized() {
        let candidates = candidates(FRAGMENT, "LS1N").unwrap();
        assert_eq!(candidates, ["1 1 UDP 2122194687 192.0.2.2 47353 typ host"]);
    }

    #[test]
    fn restarts_and_other_texts_are_refused() {
        assert_eq!(candidates(FRAGMENT, "AAAA"), Err(FragmentError::Restart));
        for text in ["", "hello", "a=mid:0\r\n"] {
            assert_eq!(candidates(text, "LS1N"), Err(FragmentError::NotAFragment));
        }
    }
}
