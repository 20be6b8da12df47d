# MRQAP of later acts on earlier ones: double semi-partialling, 1,000 permutations of t.
suppressPackageStartupMessages(library(sna))

args <- commandArgs(trailingOnly = TRUE)
rows_folder <- args[1]
output_folder <- args[2]
set.seed(1)

fit_one <- function(accounts) {
  rows <- read.csv(file.path(rows_folder, paste0("collegemsg.dyads.", accounts, ".csv")))
  matrices <- lapply(rows, matrix, nrow = accounts)
  names_x <- setdiff(names(rows), "later")
  x <- aperm(simplify2array(matrices[names_x]), c(3, 1, 2))
  fit <- netlm(
    matrices$later, x, nullhyp = "qapspp", test.statistic = "t-value", reps = 1000
  )
  data.frame(
    dataset = "collegemsg", n_accounts = accounts, term = c("intercept", names_x),
    estimate = unname(fit$coefficients), t = unname(fit$tstat), p_value = unname(fit$pgreqabs)
  )
}

table <- do.call(rbind, lapply(c(60, 170), fit_one))
numbers <- vapply(table, is.double, logical(1))
table[numbers] <- lapply(table[numbers], signif, digits = 12)
path <- file.path(output_folder, "mrqap.csv")
writeLines(paste0("# ", R.version.string, "; sna ", packageVersion("sna")), path)
suppressWarnings(
  write.table(table, path, append = TRUE, sep = ",", row.names = FALSE, quote = FALSE)
)
