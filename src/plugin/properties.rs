// SPDX-License-Identifier: MPL-2.0

//! Properties of the elements: each one is a specification and a field of the element's settings.

use std::path::PathBuf;

use gst::prelude::*;

use attitude::settings::{NumberSetting, TextSetting};

/// A property of an element whose settings are `S`.
pub(crate) struct Property<S> {
    spec: glib::ParamSpec,
    get: Box<Getter<S>>,
    set: Box<Setter<S>>,
}

type Getter<S> = dyn Fn(&S) -> glib::Value + Send + Sync;
type Setter<S> = dyn Fn(&mut S, &glib::Value) + Send + Sync;

/// The field of type `T` in the settings `S`; see [`field`].
pub(crate) struct Field<S, T> {
    pub get: fn(&S) -> &T,
    pub get_mut: fn(&mut S) -> &mut T,
}

/// Returns the [`Field`] at a path, for example `field!(style.boxes)`.
macro_rules! field {
    ($($name:ident).+) => {
        $crate::properties::Field {
            get: |settings| &settings.$($name).+,
            get_mut: |settings| &mut settings.$($name).+,
        }
    };
}
pub(crate) use field;

/// Returns the texts of a property that only one element has: name, name for graphical interfaces,
/// and description.
pub(crate) const fn text(
    name: &'static str,
    nick: &'static str,
    blurb: &'static str,
) -> TextSetting {
    TextSetting { name, nick, blurb }
}

/// Source of the records that an element writes or publishes.
pub(crate) const SOURCE: TextSetting = text(
    "source",
    "Source",
    "Name of the source of the video, for the field source of records",
);

/// Tags of the records that an element writes or publishes.
pub(crate) const TAGS: TextSetting = text(
    "tags",
    "Tags",
    "Tags for the field tags of records, for example room=42,participant=alice",
);

/// Highest state in which a property can be changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mutable {
    Ready,
    Playing,
}

impl Mutable {
    fn flags(self) -> glib::ParamFlags {
        glib::ParamFlags::READWRITE
            | match self {
                Self::Ready => gst::PARAM_FLAG_MUTABLE_READY,
                Self::Playing => gst::PARAM_FLAG_MUTABLE_PLAYING,
            }
    }
}

impl<S: Default + 'static> Property<S> {
    /// Returns the specification for `ObjectImpl::properties()`.
    pub fn spec(&self) -> &glib::ParamSpec {
        &self.spec
    }

    /// Returns the property's value in `settings`.
    pub fn value(&self, settings: &S) -> glib::Value {
        (self.get)(settings)
    }

    /// Sets the property in `settings`.
    ///
    /// # Panics
    /// Panics if `value` has another type; GObject checks it first.
    pub fn set(&self, settings: &mut S, value: &glib::Value) {
        (self.set)(settings, value);
    }

    fn new<T>(spec: glib::ParamSpec, field: Field<S, T>) -> Self
    where
        T: ToValue + for<'v> glib::value::FromValue<'v> + 'static,
    {
        let Field { get, get_mut } = field;
        Self {
            spec,
            get: Box::new(move |settings| get(settings).to_value()),
            set: Box::new(move |settings, value| *get_mut(settings) = from_value(value)),
        }
    }

    /// Returns a property that is `true` or `false`.
    pub fn flag(text: &TextSetting, mutable: Mutable, field: Field<S, bool>) -> Self {
        let spec = glib::ParamSpecBoolean::builder(text.name)
            .nick(text.nick)
            .blurb(text.blurb)
            .default_value(*(field.get)(&S::default()))
            .flags(mutable.flags())
            .build();
        Self::new(spec, field)
    }

    /// Returns a property that is a value of an enumeration.
    pub fn choice<T>(text: &TextSetting, mutable: Mutable, field: Field<S, T>) -> Self
    where
        T: StaticType + glib::translate::FromGlib<i32>,
        T: Copy + ToValue + for<'v> glib::value::FromValue<'v> + 'static,
        T: glib::translate::IntoGlib<GlibType = i32>,
    {
        let default = *(field.get)(&S::default());
        let spec = glib::ParamSpecEnum::builder_with_default(text.name, default)
            .nick(text.nick)
            .blurb(text.blurb)
            .flags(mutable.flags())
            .build();
        Self::new(spec, field)
    }

    /// Returns a property that is a number.
    pub fn number<T>(number: &NumberSetting<T>, mutable: Mutable, field: Field<S, T>) -> Self
    where
        T: NumberSpec + ToValue + for<'v> glib::value::FromValue<'v> + 'static,
    {
        let spec = T::spec(number, number.blurb, mutable.flags());
        Self::new(spec, field)
    }

    /// Returns a property that is a time in nanoseconds.
    pub fn time(number: &NumberSetting<u64>, mutable: Mutable, field: Field<S, u64>) -> Self {
        let NumberSetting { blurb, default, .. } = number;
        let default_ms = default / gst::ClockTime::MSECOND.nseconds();
        let blurb = format!("{blurb} (in nanoseconds; {default} = {default_ms} ms)");
        let spec = u64::spec(number, &blurb, mutable.flags());
        Self::new(spec, field)
    }

    /// Returns a property that is a color, as 0xAARRGGBB.
    pub fn color(text: &TextSetting, mutable: Mutable, field: Field<S, u32>) -> Self {
        let default = *(field.get)(&S::default());
        let spec = glib::ParamSpecUInt::builder(text.name)
            .nick(text.nick)
            .blurb(&format!("{} (default: 0x{default:08X})", text.blurb))
            .default_value(default)
            .flags(mutable.flags())
            .build();
        Self::new(spec, field)
    }

    /// Returns a property that is a text; an empty one counts as unset.
    pub fn text(text: &TextSetting, mutable: Mutable, field: Field<S, Option<String>>) -> Self {
        let Field { get, get_mut } = field;
        Self {
            spec: string_spec(text, None, mutable),
            get: Box::new(move |settings| get(settings).to_value()),
            set: Box::new(move |settings, value| *get_mut(settings) = text_from_value(value)),
        }
    }

    /// Returns a property that is a text; an empty one counts as the default.
    pub fn text_with_default(
        text: &TextSetting,
        mutable: Mutable,
        field: Field<S, String>,
    ) -> Self {
        let Field { get, get_mut } = field;
        let default = get(&S::default()).clone();
        Self {
            spec: string_spec(text, Some(&default), mutable),
            get: Box::new(move |settings| get(settings).to_value()),
            set: Box::new(move |settings, value| {
                *get_mut(settings) = text_from_value(value).unwrap_or_else(|| default.clone());
            }),
        }
    }

    /// Returns a property that is a path; an empty one counts as unset.
    pub fn path(text: &TextSetting, mutable: Mutable, field: Field<S, Option<PathBuf>>) -> Self {
        let Field { get, get_mut } = field;
        Self {
            spec: string_spec(text, None, mutable),
            get: Box::new(move |settings| {
                let path = get(settings).as_deref();
                path.map(|path| path.to_string_lossy().into_owned())
                    .to_value()
            }),
            set: Box::new(move |settings, value| {
                let path: Option<PathBuf> = from_value(value);
                *get_mut(settings) = path.filter(|path| !path.as_os_str().is_empty());
            }),
        }
    }
}

fn string_spec(text: &TextSetting, default: Option<&str>, mutable: Mutable) -> glib::ParamSpec {
    glib::ParamSpecString::builder(text.name)
        .nick(text.nick)
        .blurb(text.blurb)
        .default_value(default)
        .flags(mutable.flags())
        .build()
}

fn from_value<'v, T: glib::value::FromValue<'v>>(value: &'v glib::Value) -> T {
    value.get().expect("GObject checked the type")
}

/// Returns the text of a value; `None` for an empty one, which graphical tools pass for an empty
/// input field.
pub(crate) fn text_from_value(value: &glib::Value) -> Option<String> {
    from_value::<Option<String>>(value).filter(|text| !text.is_empty())
}

/// A type of numbers that GObject has a specification for.
pub(crate) trait NumberSpec: Sized {
    /// Returns the specification of a property with the name, default and range of `number`.
    fn spec(number: &NumberSetting<Self>, blurb: &str, flags: glib::ParamFlags) -> glib::ParamSpec;
}

macro_rules! impl_number_spec {
    ($($number:ty: $spec:ident),*) => {
        $(
            impl NumberSpec for $number {
                fn spec(
                    number: &NumberSetting<Self>,
                    blurb: &str,
                    flags: glib::ParamFlags,
                ) -> glib::ParamSpec {
                    glib::$spec::builder(number.name)
                        .nick(number.nick)
                        .blurb(blurb)
                        .minimum(number.min)
                        .maximum(number.max)
                        .default_value(number.default)
                        .flags(flags)
                        .build()
                }
            }
        )*
    };
}

impl_number_spec!(i32: ParamSpecInt, u32: ParamSpecUInt, u64: ParamSpecUInt64, f32: ParamSpecFloat);
