// SPDX-License-Identifier: MPL-2.0

//! Times in the file, such as `"1:02.5"`.

use std::fmt::{self, Display};

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::{self, NS_PER_MS, NS_PER_S};

/// A position in a recording, with millisecond precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    ms: u64,
}

impl Position {
    /// Creates the position next to `ns` nanoseconds.
    pub fn from_ns(ns: u64) -> Self {
        Self { ms: rounded_ms(ns) }
    }

    /// Returns the position in nanoseconds.
    pub fn ns(self) -> u64 {
        self.ms.saturating_mul(NS_PER_MS)
    }

    /// Returns the position in milliseconds.
    pub(crate) fn ms(self) -> u64 {
        self.ms
    }
}

/// Returns a time rounded to milliseconds.
pub(crate) fn rounded_ms(ns: u64) -> u64 {
    ns.saturating_add(NS_PER_MS / 2) / NS_PER_MS
}

impl Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = format!("{}.{:03}", clock::position_s(self.ns()), self.ms % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    /// Accepts text such as `"1:02:03.5"`, and seconds.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PositionVisitor)
    }
}

struct PositionVisitor;

impl PositionVisitor {
    fn position<E: Error>(self, seconds: Option<f64>, found: Unexpected) -> Result<Position, E> {
        let seconds = seconds.filter(|seconds| (0.0..clock::MAX_S).contains(seconds));
        let ns = seconds.map(|seconds| (seconds * NS_PER_S as f64).round() as u64);
        ns.map(Position::from_ns)
            .ok_or_else(|| E::invalid_value(found, &self))
    }
}

impl Visitor<'_> for PositionVisitor {
    type Value = Position;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time such as \"1:30\", \"1:02:03.5\" or 90")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Position, E> {
        self.position(clock::parse_s(text), Unexpected::Str(text))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Position, E> {
        self.position(Some(seconds), Unexpected::Float(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Position, E> {
        self.position(Some(seconds as f64), Unexpected::Signed(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Position, E> {
        self.position(Some(seconds as f64), Unexpected::Unsigned(seconds))
    }
}
