// SPDX-License-Identifier: MPL-2.0

//! Mappings, as users write them in a property or an option.

use attitude::mapping::Mapping;

/// Parses the text of a mapping. A mapping keeps its meaning if it is formatted and parsed.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match text.parse::<Mapping>() {
        Ok(mapping) => {
            let formatted = mapping.to_string();
            assert_eq!(formatted.parse::<Mapping>().as_ref(), Ok(&mapping));
            for name in mapping.names() {
                assert!(mapping.lists(name), "{name:?} is not listed");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
