# SPDX-License-Identifier: MPL-2.0
#
# Loads tables of gst-attitude with the labels of their codebook, and writes them for SPSS.
#
#     Rscript pipelines/study/labels.R RESULTS [OUTPUT]
#
# RESULTS is an output folder of gst-attitude analyze, study or agreement. OUTPUT is the folder for one .sav file per
# table; default: RESULTS. Needs the packages readr and haven.

suppressPackageStartupMessages({
  library(readr)
  library(haven)
})

# Integers are numbers with a fraction of 0: those of R end at 2 seconds in nanoseconds.
types <- c(text = "c", integer = "d", number = "d", boolean = "l")

# Returns a table whose columns have the descriptions of the codebook as labels, and the labels of their values.
read_labelled <- function(file, codebook, value_labels) {
  name <- tools::file_path_sans_ext(basename(file))
  columns <- codebook[codebook$table == name, ]
  table <- read_csv(file, col_types = setNames(as.list(types[columns$type]), columns$column))
  for (index in seq_len(nrow(columns))) {
    column <- columns$column[index]
    values <- value_labels[value_labels$table == name & value_labels$column == column, ]
    labels <- if (nrow(values) > 0) setNames(values$value, values$label)
    cells <- table[[column]]
    if (is.logical(cells)) {
      # SPSS has no logical values.
      cells <- as.integer(cells)
      labels <- c(false = 0L, true = 1L)
    }
    table[[column]] <- labelled(cells, labels, columns$description[index])
  }
  table
}

arguments <- commandArgs(trailingOnly = TRUE)
results <- arguments[1]
output <- if (length(arguments) > 1) arguments[2] else results
codebook <- read_csv(file.path(results, "codebook.csv"), col_types = "cccc")
value_labels <- read_csv(file.path(results, "value-labels.csv"), col_types = "cccc")

dir.create(output, showWarnings = FALSE, recursive = TRUE)
files <- list.files(results, pattern = "[.]csv$", recursive = TRUE)
files <- files[tools::file_path_sans_ext(basename(files)) %in% codebook$table]
for (file in files) {
  table <- read_labelled(file.path(results, file), codebook, value_labels)
  # The table segments of the recording talk is talk-segments.sav.
  name <- sub("[.]csv$", ".sav", gsub("/", "-", file, fixed = TRUE))
  write_sav(table, file.path(output, name))
  cat(sprintf("%s: %d rows, %d columns\n", name, nrow(table), ncol(table)))
}
