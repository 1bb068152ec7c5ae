// SPDX-License-Identifier: MPL-2.0

//! The columns of the tables of a study, which the codebook describes.

use attitude::data_table::DataKind::{Count, Number, Text};
use attitude::data_table::{DataColumn, TableSchema, column, value};

/// Columns that several tables have.
const PARTICIPANT: DataColumn = column("participant", Text, "participant, as in the study's file");
const CONDITION: DataColumn = column("condition", Text, "condition, as in the study's file");
const RECORDING: DataColumn = column("recording", Text, "recording, as in the study's file");
const ALIGNMENT: DataColumn = column(
    "aligned_to",
    Text,
    "start = the start of the analyzed part of recordings; else the name of events",
);
const MEASURE: DataColumn = column(
    "measure",
    Text,
    "valence = mean valence, -1 to 1; positive_share, negative_share = share of the time seen, 0 to 1; \
     valence_change = mean valence minus the own baseline, -2 to 2; around events differences from before \
     them, unless correct-baseline is false",
)
.with_labels(&[
    value("valence", "Mean valence"),
    value("positive_share", "Share of the time with a positive attitude"),
    value("negative_share", "Share of the time with a negative attitude"),
    value("valence_change", "Mean valence minus the participant's baseline"),
]);
const LOW: DataColumn = column(
    "low",
    Number,
    "lower end of the 95% interval, by the bootstrap over participants",
);
const HIGH: DataColumn = column("high", Number, "upper end of the 95% interval");
const P: DataColumn = column(
    "p",
    Number,
    "two-sided p-value of the permutation test over participants",
);
const P_HOLM: DataColumn = column(
    "p_holm",
    Number,
    "p-value corrected by Holm's method for all tests of the same measure and kind",
);

pub(super) static RECORDINGS: TableSchema = TableSchema {
    name: "recordings",
    columns: &[
        RECORDING,
        PARTICIPANT,
        column(
            "condition",
            Text,
            "condition; empty if only its events have conditions",
        ),
        column(
            "status",
            Text,
            "used, excluded (from the averages from the start) or failed",
        )
        .with_labels(&[
            value("used", "In the averages"),
            value("excluded", "Left out of the averages from the start"),
            value("failed", "Without results"),
        ]),
        column("reason", Text, "reason for the status; empty for used"),
        column("results", Text, "name of the folder with its results"),
        column(
            "person",
            Count,
            "number of the participant in the recording's report",
        ),
        column(
            "persons",
            Count,
            "number of persons in the recording's report",
        ),
        column(
            "duration_ns",
            Count,
            "duration of the recording, in nanoseconds",
        ),
        column(
            "seen_ns",
            Count,
            "time during which the participant was seen, in nanoseconds",
        ),
        column(
            "valence",
            Number,
            "mean valence over the analyzed part, -1 to 1",
        ),
        column(
            "positive_share",
            Number,
            "share of the time seen with a positive attitude, 0 to 1",
        ),
        column(
            "negative_share",
            Number,
            "share of the time seen with a negative attitude, 0 to 1",
        ),
        column(
            "valence_change",
            Number,
            "mean valence minus the participant's baseline, -2 to 2; empty without --baseline",
        ),
    ],
};

pub(super) static EVENTS: TableSchema = TableSchema {
    name: "events",
    columns: &[
        RECORDING,
        PARTICIPANT,
        CONDITION,
        column("event", Text, "name of the event"),
        column(
            "start_ns",
            Count,
            "time of the event in the recording, in nanoseconds",
        ),
        column("status", Text, "used or excluded").with_labels(&[
            value("used", "In the averages"),
            value("excluded", "Left out of the averages"),
        ]),
        column("reason", Text, "reason for the status; empty for used"),
        column(
            "seen_before",
            Number,
            "fraction of the time before the event during which the participant was seen",
        ),
        column(
            "seen_after",
            Number,
            "fraction of the time after the event during which the participant was seen",
        ),
        column(
            "valence_before",
            Number,
            "mean valence before the event, the baseline",
        ),
        column("valence_after", Number, "mean valence after the event"),
        column(
            "positive_share_before",
            Number,
            "share of the time seen before the event with a positive attitude",
        ),
        column(
            "positive_share_after",
            Number,
            "share of the time seen after the event with a positive attitude",
        ),
        column(
            "negative_share_before",
            Number,
            "share of the time seen before the event with a negative attitude",
        ),
        column(
            "negative_share_after",
            Number,
            "share of the time seen after the event with a negative attitude",
        ),
        column(
            "valence_change_before",
            Number,
            "mean valence before the event minus the participant's baseline",
        ),
        column(
            "valence_change_after",
            Number,
            "mean valence after the event minus the participant's baseline",
        ),
    ],
};

pub(super) static PARTICIPANTS: TableSchema = TableSchema {
    name: "participants",
    columns: &[
        ALIGNMENT,
        CONDITION,
        PARTICIPANT,
        column(
            "recordings",
            Count,
            "number of recordings that are averaged",
        ),
        column(
            "epochs",
            Count,
            "number of events, or of recordings, that are averaged",
        ),
        column(
            "valence",
            Number,
            "mean valence over epochs, then recordings; around events its change from before them, unless correct-baseline is false",
        ),
        column(
            "positive_share",
            Number,
            "mean share of the time with a positive attitude over epochs, then recordings; around events its change \
             from before them, unless correct-baseline is false",
        ),
        column(
            "negative_share",
            Number,
            "mean share of the time with a negative attitude over epochs, then recordings; around events its change \
             from before them, unless correct-baseline is false",
        ),
        column(
            "valence_change",
            Number,
            "mean valence minus the participant's baseline, over epochs, then recordings; around events its change \
             from before them, unless correct-baseline is false; empty without --baseline",
        ),
    ],
};

pub(super) static AVERAGES: TableSchema = TableSchema {
    name: "averages",
    columns: &[
        ALIGNMENT,
        CONDITION,
        MEASURE,
        column(
            "time_s",
            Number,
            "start of the bin after the event or the start, in seconds; negative before",
        ),
        column(
            "participants",
            Count,
            "number of participants with data in the bin",
        ),
        column("mean", Number, "mean over participants"),
        LOW,
        HIGH,
    ],
};

pub(super) static CONDITIONS: TableSchema = TableSchema {
    name: "conditions",
    columns: &[
        ALIGNMENT,
        CONDITION,
        MEASURE,
        column("participants", Count, "number of participants with data"),
        column("recordings", Count, "number of recordings"),
        column("epochs", Count, "number of events, or of recordings"),
        column("mean", Number, "mean over participants"),
        column(
            "standard_deviation",
            Number,
            "standard deviation between participants",
        ),
        LOW,
        HIGH,
        column(
            "d_z",
            Number,
            "mean change divided by its standard deviation; empty without a baseline",
        ),
        P,
        P_HOLM,
    ],
};

pub(super) static COMPARISONS: TableSchema = TableSchema {
    name: "comparisons",
    columns: &[
        ALIGNMENT,
        MEASURE,
        column("first", Text, "first condition"),
        column("second", Text, "second condition"),
        column(
            "design",
            Text,
            "between = different participants; within = the same participants",
        )
        .with_labels(&[
            value("between", "Different participants"),
            value("within", "The same participants"),
        ]),
        column(
            "first_participants",
            Count,
            "number of participants of the first condition",
        ),
        column(
            "second_participants",
            Count,
            "number of participants of the second condition",
        ),
        column(
            "left_out",
            Count,
            "participants who are left out: of one condition (within), or of both (between)",
        ),
        column(
            "difference",
            Number,
            "mean of the first condition minus that of the second",
        ),
        LOW,
        HIGH,
        column(
            "cohens_d",
            Number,
            "difference divided by the pooled standard deviation; between only",
        ),
        column(
            "hedges_g",
            Number,
            "cohens_d corrected for small groups; between only",
        ),
        column(
            "d_z",
            Number,
            "difference divided by the standard deviation of differences; within only",
        ),
        column(
            "cliffs_delta",
            Number,
            "probability that the first is larger minus that it is smaller, -1 to 1; within: of pairs",
        ),
        P,
        P_HOLM,
    ],
};
