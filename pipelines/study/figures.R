# SPDX-License-Identifier: MPL-2.0
#
# Draws three figures of a study: averages over time, responses to events, and participants.
#
#     Rscript pipelines/study/figures.R RESULTS [OUTPUT.pdf]
#
# RESULTS is the output folder of gst-attitude study. Needs R without packages.

# The study in five lines.
arguments <- commandArgs(trailingOnly = TRUE)
read <- function(table) read.csv(file.path(arguments[1], paste0(table, ".csv")))
averages <- read("averages")
participants <- read("participants")
comparisons <- read("comparisons")

output <- if (length(arguments) > 1) arguments[2] else file.path(arguments[1], "figures.pdf")
events <- setdiff(unique(averages$aligned_to), "start")
pdf(output, width = 5 * (2 + length(events)), height = 4)
par(mfrow = c(1, 2 + length(events)))

# Draws the mean of each condition with its interval.
draw <- function(rows, xlab, ylab) {
  range <- range(rows$mean, rows$low, rows$high, na.rm = TRUE)
  plot(NULL, xlim = range(rows$time_s), ylim = range, xlab = xlab, ylab = ylab)
  conditions <- unique(rows$condition)
  for (index in seq_along(conditions)) {
    of <- rows[rows$condition == conditions[index], ]
    known <- of[!is.na(of$low), ]
    polygon(c(known$time_s, rev(known$time_s)), c(known$low, rev(known$high)),
            col = adjustcolor(index + 1, 0.2), border = NA)
    lines(of$time_s, of$mean, col = index + 1, lty = index)
  }
  legend("topleft", legend = conditions, col = seq_along(conditions) + 1, lty = seq_along(conditions))
}

# 1. The share of participants who look positive, from the start on.
draw(averages[averages$aligned_to == "start" & averages$measure == "positive_share", ],
     "time after the start (s)", "share of participants who look positive")

# 2. The change of valence after each event.
for (event in events) {
  draw(averages[averages$aligned_to == event & averages$measure == "valence", ],
       paste0("time after ", event, " (s)"), "change of valence")
}

# 3. The participants, by event and condition.
boxplot(valence ~ condition + aligned_to, data = participants, ylab = "valence, or its change", las = 2, xlab = "")
invisible(dev.off())
print(comparisons[c("aligned_to", "measure", "first", "second", "difference", "p_holm")])
