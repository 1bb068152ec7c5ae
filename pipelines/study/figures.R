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

# Points stand in the middles of their bins: the first one after an event is the mean of what follows it.
averages$middle_s <- averages$time_s + min(diff(sort(unique(averages$time_s)))) / 2
# The color of each condition in all figures: those of Okabe and Ito, which people with color blindness can tell apart.
conditions <- unique(participants$condition)
colors <- rep_len(c("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"), length(conditions))

output <- if (length(arguments) > 1) arguments[2] else file.path(arguments[1], "figures.pdf")
events <- setdiff(unique(averages$aligned_to), "start")
pdf(output, width = 5 * (2 + length(events)), height = 4)
par(mfrow = c(1, 2 + length(events)))

# Draws the mean of each condition with its interval.
draw <- function(rows, xlab, ylab) {
  range <- range(rows$mean, rows$low, rows$high, na.rm = TRUE)
  plot(NULL, xlim = range(rows$middle_s), ylim = range, xlab = xlab, ylab = ylab)
  for (index in seq_along(conditions)) {
    of <- rows[rows$condition == conditions[index], ]
    known <- of[!is.na(of$low), ]
    polygon(c(known$middle_s, rev(known$middle_s)), c(known$low, rev(known$high)),
            col = adjustcolor(colors[index], 0.2), border = NA)
    lines(of$middle_s, of$mean, col = colors[index], lty = index)
  }
  legend("topleft", legend = conditions, col = colors, lty = seq_along(conditions))
}

# 1. The share of participants who look positive, from the start on.
draw(averages[averages$aligned_to == "start" & averages$measure == "positive_share", ],
     "time after the start (s)", "share of participants who look positive")

# 2. The change of valence after each event.
for (event in events) {
  draw(averages[averages$aligned_to == event & averages$measure == "valence", ],
       paste0("time after ", event, " (s)"), "change of valence")
  abline(v = 0, lty = "dotted")
}

# 3. The participants, by event and condition. Below, there has to be room for the names.
groups <- unique(participants[c("aligned_to", "condition")])
names <- paste(groups$aligned_to, groups$condition, sep = ", ")
group <- factor(paste(participants$aligned_to, participants$condition, sep = ", "), levels = names)
par(mai = c(0.2 + max(strwidth(names, units = "inches")), 0.8, 0.8, 0.4))
boxplot(participants$valence ~ group, ylab = "valence, or its change", las = 2, xlab = "",
        col = adjustcolor(colors[match(groups$condition, conditions)], 0.4))
invisible(dev.off())
print(comparisons[c("aligned_to", "measure", "first", "second", "difference", "p_holm")])
