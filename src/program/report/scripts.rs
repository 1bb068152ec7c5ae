// SPDX-License-Identifier: MPL-2.0

//! Scripts as modules without imports: a page is one file.

/// Functions that scripts import from `./shared.js`.
const SHARED: &str = include_str!("shared.js");

/// Start of the line of an import.
const IMPORT: &str = "import ";

/// Start of the line of a function that can be imported.
const EXPORT: &str = "export ";

/// Returns `script` with the shared functions in place of their import, if it has one.
pub(super) fn without_imports(script: &str) -> String {
    let is_import = |line: &&str| line.starts_with(IMPORT);
    if !script.lines().any(|line| is_import(&line)) {
        return script.to_owned();
    }
    let shared = SHARED.lines();
    let shared = shared.map(|line| line.strip_prefix(EXPORT).unwrap_or(line));
    let own = script.lines().filter(|line| !is_import(line));
    let lines: Vec<&str> = shared.chain(own).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_functions_replace_their_import() {
        let script =
            "// Shows it.\n\nimport { find } from \"./shared.js\";\n\nfind(document, \"p\");\n";
        let module = without_imports(script);
        assert!(
            module.contains("\nfunction find(parent, selector) {\n"),
            "{module}"
        );
        assert!(module.ends_with("find(document, \"p\");\n"), "{module}");
        for start in [IMPORT, EXPORT] {
            assert!(
                !module.lines().any(|line| line.starts_with(start)),
                "{module}"
            );
        }
        assert_eq!(without_imports("a();\n"), "a();\n");
    }
}
