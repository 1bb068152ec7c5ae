// SPDX-License-Identifier: MPL-2.0

//! Times in a study's file: numbers of seconds, or texts.

use std::fmt;
use std::marker::PhantomData;

use attitude::timeline::Span;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::parsing::{ValueError, parse_time_ns};

/// A position in a recording, such as `90` or `"1:30"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeValue(pub u64);

/// A duration, such as `5` or `"500ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DurationValue(pub u64);

/// A part of a recording, such as `"0:30-0:45"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RangeValue(pub Span);

/// A name, which may be written as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NameValue(pub String);

/// A value that is parsed from text; numbers are converted to text first.
trait FromText: Sized {
    const EXPECTED: &'static str;

    fn from_text(text: &str) -> Result<Self, ValueError>;
}

impl FromText for TimeValue {
    const EXPECTED: &'static str = "a time in seconds, MM:SS or HH:MM:SS";

    fn from_text(text: &str) -> Result<Self, ValueError> {
        parse_time_ns(text).map(Self)
    }
}

impl FromText for DurationValue {
    const EXPECTED: &'static str = "a duration, such as 5 (seconds) or \"500ms\"";

    fn from_text(text: &str) -> Result<Self, ValueError> {
        if let Ok(ns) = parse_time_ns(text) {
            return Ok(Self(ns));
        }
        let duration = humantime::parse_duration(text).map_err(|_| ValueError(Self::EXPECTED))?;
        let ns = u64::try_from(duration.as_nanos()).map_err(|_| ValueError(Self::EXPECTED))?;
        Ok(Self(ns))
    }
}

impl FromText for RangeValue {
    const EXPECTED: &'static str = "a part of the recording, such as \"0:30-0:45\"";

    fn from_text(text: &str) -> Result<Self, ValueError> {
        let wrong = ValueError(Self::EXPECTED);
        let (start, end) = text.split_once('-').ok_or(wrong.clone())?;
        let span = Span {
            start_ns: parse_time_ns(start.trim())?,
            end_ns: parse_time_ns(end.trim())?,
        };
        (span.end_ns > span.start_ns)
            .then_some(Self(span))
            .ok_or(wrong)
    }
}

impl FromText for NameValue {
    const EXPECTED: &'static str = "a text or a number";

    fn from_text(text: &str) -> Result<Self, ValueError> {
        Ok(Self(text.to_owned()))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(|error| E::custom(format_args!("'{text}': {error}")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! deserialize {
    ($($value:ty),*) => {$(
        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextVisitor(PhantomData))
            }
        }
    )*};
}
deserialize!(TimeValue, DurationValue, RangeValue, NameValue);
