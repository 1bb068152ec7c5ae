// SPDX-License-Identifier: MPL-2.0

//! The codebook, which describes every column of the tables of `analyze`, `study` and `agreement`. Each
//! of them writes the whole codebook, because they may write to the same folder.

use attitude::data_table::{DataTable, TableSchema, codebook, value_labels};

use crate::{agreement, analyze, study};

/// Returns the codebook, and the labels of values.
pub(crate) fn tables() -> [DataTable; 2] {
    let schemas = analyze::TABLES.iter().chain(&study::TABLES);
    let schemas: Vec<&TableSchema> = schemas.chain(&agreement::TABLES).copied().collect();
    [codebook(&schemas), value_labels(&schemas)]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use attitude::data_table::DataValue;

    /// Maximum length of a label in SPSS, which R's package haven cuts off.
    const MAX_LABEL_BYTES: usize = 256;

    /// A label in SPSS stands alone, without that of the column before.
    #[test]
    fn each_description_stands_alone_and_has_the_unit_of_times() {
        let [codebook, _] = super::tables();
        for row in codebook.rows() {
            let (DataValue::Text(column), DataValue::Text(description)) = (&row[1], &row[3]) else {
                panic!("{row:?}");
            };
            assert!(!description.contains("the same of"), "{row:?}");
            let units = [("_ns", "nanoseconds"), ("_s", "in seconds")];
            let unit = units.iter().find(|(suffix, _)| column.ends_with(suffix));
            assert!(
                unit.is_none_or(|(_, unit)| description.contains(unit)),
                "{row:?}"
            );
        }
    }

    #[test]
    fn each_column_has_one_row_with_a_description() {
        let [codebook, labels] = super::tables();
        let text = |value: &DataValue| match value {
            DataValue::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let mut columns = HashSet::new();
        for row in codebook.rows() {
            let column = (text(&row[0]), text(&row[1]));
            let description = text(&row[3]).len();
            assert!((6..=MAX_LABEL_BYTES).contains(&description), "{column:?}");
            assert!(columns.insert(column), "{row:?}");
        }
        for row in labels.rows() {
            assert!(columns.contains(&(text(&row[0]), text(&row[1]))), "{row:?}");
        }
    }
}
