// SPDX-License-Identifier: MPL-2.0

//! Relative URLs of files.

use std::io;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Characters that are percent-encoded: all but the unreserved ones of RFC 3986, so that no name is
/// mistaken for a scheme, a query or a fragment.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns the URL of `file` relative to a page in `folder`.
///
/// # Errors
/// Returns an error if one of them, or one of their parent folders, does not exist.
pub(crate) fn relative(folder: &Path, file: &Path) -> io::Result<String> {
    Ok(address(relative_path(folder, file)?.components()))
}

/// Returns the path of `file` relative to `folder`.
///
/// # Errors
/// Returns an error if one of them, or one of their parent folders, does not exist.
pub(crate) fn relative_path(folder: &Path, file: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    // The file itself is not resolved: the name of a link is the one that the user knows.
    let file = resolved(file.parent())?.join(name);
    let folder = resolved(Some(folder))?;
    let (file, folder) = (file.components(), folder.components());
    let shared = folder.clone().zip(file.clone());
    let shared = shared.take_while(|(a, b)| a == b).count();
    let parents = folder.skip(shared).map(|_| Component::ParentDir);
    Ok(parents.chain(file.skip(shared)).collect())
}

fn resolved(folder: Option<&Path>) -> io::Result<PathBuf> {
    match folder {
        Some(folder) if folder != Path::new("") => folder.canonicalize(),
        _ => Path::new(".").canonicalize(),
    }
}

fn address<'a>(components: impl Iterator<Item = Component<'a>>) -> String {
    let parts = components.map(|component| {
        let bytes = component.as_os_str().as_encoded_bytes();
        percent_encode(bytes, RESERVED).to_string()
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_from_the_page_to_the_file() {
        let temporary = tempfile::tempdir().unwrap();
        let of = |path: &str| temporary.path().join(path);
        std::fs::create_dir_all(of("a/b")).unwrap();
        std::fs::create_dir_all(of("a/c d")).unwrap();
        for (folder, file, expected) in [
            ("a/b", "a/b/x.mp4", "x.mp4"),
            ("a/b", "a/c d/x.mp4", "../c%20d/x.mp4"),
            ("a", "a/c d/x.mp4", "c%20d/x.mp4"),
            ("a/b/../c d", "x.mp4", "../../x.mp4"),
        ] {
            assert_eq!(relative(&of(folder), &of(file)).unwrap(), expected);
        }
        assert!(relative(&of("nowhere"), &of("a/x.mp4")).is_err());
        assert!(relative(&of("a"), Path::new("/")).is_err());
        assert_eq!(
            relative(Path::new(""), Path::new("x.mp4")).unwrap(),
            "x.mp4"
        );
    }

    #[test]
    fn special_characters_of_names_are_encoded() {
        let address = |name: &str| address(Path::new(name).components());
        assert_eq!(address("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(
            address("a?b#c%20&\"'<d>.mp4"),
            "a%3Fb%23c%2520%26%22%27%3Cd%3E.mp4"
        );
        assert_eq!(address("grün.mp4"), "gr%C3%BCn.mp4");
    }
}
