// SPDX-License-Identifier: MPL-2.0

//! Options of an execution provider, written as `key=value,key=value`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ort::ep::ArbitrarilyConfigurableExecutionProvider;

use super::{Provider, Registration, RequestError};

/// Options of an execution provider, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProviderOptions(BTreeMap<String, String>);

impl FromStr for ProviderOptions {
    type Err = RequestError;

    /// Parses `key=value,key=value`. A part without `=` continues the value before it, as in
    /// `device_type=HETERO:GPU,CPU`.
    fn from_str(text: &str) -> Result<Self, RequestError> {
        let malformed = || RequestError::Malformed(text.to_owned());
        let mut options: Vec<(String, String)> = Vec::new();
        for part in text.split(',') {
            if part.contains('\0') {
                return Err(malformed());
            }
            match (part.split_once('='), options.last_mut()) {
                (Some((key, value)), _) if !key.trim().is_empty() => {
                    options.push((key.trim().to_owned(), value.trim().to_owned()));
                }
                (None, Some((_, value))) => {
                    value.push(',');
                    value.push_str(part.trim());
                }
                _ => return Err(malformed()),
            }
        }
        if options.iter().any(|(_, value)| value.is_empty()) {
            return Err(malformed());
        }
        let mut by_key = BTreeMap::new();
        for (key, value) in options {
            if by_key.insert(key.clone(), value).is_some() {
                return Err(RequestError::Repeated(key));
            }
        }
        Ok(Self(by_key))
    }
}

impl fmt::Display for ProviderOptions {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{key}={value}")?;
        }
        Ok(())
    }
}

impl ProviderOptions {
    /// Returns the options with their keys.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Checks that `provider` has all options. Those of a provider in a library of its own are not
    /// known; it checks them itself.
    ///
    /// # Errors
    /// Returns an error if it does not have one, or has no options.
    pub(super) fn check(&self, provider: Provider) -> Result<(), RequestError> {
        let known = match provider.registration() {
            Registration::BuiltIn(provider) => provider.option_keys,
            Registration::Plugin => return Ok(()),
            Registration::None if self.0.is_empty() => return Ok(()),
            Registration::None => return Err(RequestError::NoOptions(provider.name())),
        };
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(RequestError::UnknownOption {
                provider: provider.name(),
                key: key.clone(),
                known,
            }),
        }
    }
}

/// Returns `provider` with `options`, which replace those that it has.
pub(super) fn with_options<P: ArbitrarilyConfigurableExecutionProvider>(
    provider: P,
    options: &ProviderOptions,
) -> P {
    options.iter().fold(provider, |provider, (key, value)| {
        provider.with_arbitrary_config(key, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_parsed_and_formatted() {
        let text = "b=1,a=HETERO:GPU,CPU";
        let options: ProviderOptions = text.parse().unwrap();
        assert_eq!(options.to_string(), "a=HETERO:GPU,CPU,b=1");
        assert_eq!(" b = 1 , a = HETERO:GPU,CPU".parse(), Ok(options));
        assert_eq!(ProviderOptions::default().to_string(), "");
        for text in ["", "a", "=1", "a=", ",a=1"] {
            let error = RequestError::Malformed(text.to_owned());
            assert_eq!(text.parse::<ProviderOptions>(), Err(error));
        }
        let error = RequestError::Repeated("a".to_owned());
        assert_eq!("a=1,a=2".parse::<ProviderOptions>(), Err(error));
    }

    #[test]
    fn an_option_that_the_provider_does_not_have_is_refused() {
        let options: ProviderOptions = "use_tf32=1".parse().unwrap();
        assert_eq!(options.check(Provider::Cuda), Ok(()));
        assert_eq!(options.check(Provider::Plugin), Ok(()));
        let error = options.check(Provider::WebGpu).unwrap_err().to_string();
        for word in ["'webgpu'", "'use_tf32'", "preferredLayout, "] {
            assert!(error.contains(word), "no {word} in: {error}");
        }
        assert!(options.check(Provider::Cpu).is_err());
        assert_eq!(ProviderOptions::default().check(Provider::Cpu), Ok(()));
    }
}
