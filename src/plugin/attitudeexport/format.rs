// SPDX-License-Identifier: MPL-2.0

//! Values of the property `format`: a GLib enumeration of the record formats that are text.

use std::ffi::CString;
use std::sync::OnceLock;

use attitude::record::formats::{self, FORMATS};
use glib::gobject_ffi::{GEnumValue, g_enum_register_static};
use glib::prelude::*;
use glib::translate::{FromGlib, IntoGlib, from_glib};

/// A value of the property: an index into [`Format::all`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Format(i32);

impl Format {
    /// Returns all text formats with their caps.
    pub fn all() -> impl Iterator<Item = (&'static formats::Format, gst::Caps)> {
        let caps = |caps: &str| caps.parse().expect("a test parses all caps");
        FORMATS
            .iter()
            .filter_map(move |format| Some((*format, caps(format.caps?))))
    }

    /// Returns the format and its caps.
    pub fn get(self) -> (&'static formats::Format, gst::Caps) {
        let index = usize::try_from(self.0).unwrap_or(0);
        Self::all().nth(index).expect("GObject checked the value")
    }

    /// Returns the format as a value of a property.
    pub fn to_value(self) -> glib::Value {
        let class = glib::EnumClass::with_type(Self::static_type());
        let value = class.and_then(|class| class.to_value(self.0));
        value.expect("the type has the value")
    }

    /// Returns the format of a property's value.
    pub fn from_value(value: &glib::Value) -> Self {
        let (_, value) = glib::EnumValue::from_value(value).expect("GObject checked the type");
        Self(value.value())
    }
}

impl StaticType for Format {
    fn static_type() -> glib::Type {
        static TYPE: OnceLock<glib::Type> = OnceLock::new();
        *TYPE.get_or_init(|| {
            let text = |text: &str| {
                let text = CString::new(text).expect("a test checks all descriptions");
                text.into_raw().cast_const()
            };
            let values = Self::all().zip(0..).map(|((format, _), value)| GEnumValue {
                value,
                value_name: text(format.description),
                value_nick: text(format.name),
            });
            let end = GEnumValue {
                value: 0,
                value_name: std::ptr::null(),
                value_nick: std::ptr::null(),
            };
            let values: Vec<_> = values.chain([end]).collect();
            // SAFETY: the type lives as long as the process, and so do its name and its values,
            // which are never freed; the values end with one without a name.
            unsafe {
                from_glib(g_enum_register_static(
                    c"GstAttitudeExportFormat".as_ptr(),
                    values.leak().as_ptr(),
                ))
            }
        })
    }
}

impl IntoGlib for Format {
    type GlibType = i32;

    fn into_glib(self) -> i32 {
        self.0
    }
}

impl FromGlib<i32> for Format {
    unsafe fn from_glib(value: i32) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_format_is_a_value() {
        gst::init().unwrap();
        let class = glib::EnumClass::with_type(Format::static_type()).unwrap();
        let nicks: Vec<_> = class.values().iter().map(|value| value.nick()).collect();
        let names: Vec<_> = Format::all().map(|(format, _)| format.name).collect();
        assert_eq!(nicks, names);
        assert_eq!(nicks[..4], ["jsonl", "csv", "webvtt", "text"]);
        for (value, (format, caps)) in class.values().iter().zip(Format::all()) {
            assert_eq!(value.name(), format.description);
            assert!(caps.is_fixed(), "{caps}");
            let value = Format::from_value(&Format(value.value()).to_value());
            assert_eq!(value.get().0.name, format.name);
        }
    }
}
