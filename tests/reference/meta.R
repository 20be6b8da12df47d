# Random-effects means by metafor: REML between sets, Hartung-Knapp's interval as it is and with q
# at least 1 ("adhoc"), the Q profile of tau^2, and a prediction interval with k - 2 degrees of
# freedom from the modified error. Reads and writes files of this folder.
suppressPackageStartupMessages(library(metafor))

folder <- commandArgs(trailingOnly = TRUE)[1]
rows <- read.csv(file.path(folder, "meta_rows.csv"))
exactly <- list(threshold = 1e-14, maxiter = 10000, tol = 1e-12)

pooled <- do.call(rbind, lapply(unique(rows$example), function(name) {
  sets <- rows[rows$example == name, ]
  fit <- function(test) {
    rma(estimate, sei = std_error, data = sets, method = "REML", test = test,
        control = exactly[c("threshold", "maxiter")])
  }
  plain <- fit("knha")
  modified <- fit("adhoc")
  profile <- confint(modified, control = exactly["tol"])$random["tau^2", ]
  reach <- qt(0.975, modified$k - 2) * sqrt(modified$tau2 + modified$se^2)
  data.frame(
    example = name, sets = modified$k, estimate = c(modified$beta), tau2 = modified$tau2,
    tau2_low = profile[["ci.lb"]], tau2_high = profile[["ci.ub"]],
    q = modified$QE, p_q = modified$QEp, i2 = modified$I2 / 100,
    plain_error = plain$se, plain_p = plain$pval,
    std_error = modified$se, ci_low = modified$ci.lb, ci_high = modified$ci.ub,
    p_value = modified$pval,
    prediction_low = c(modified$beta) - reach, prediction_high = c(modified$beta) + reach
  )
}))
numbers <- vapply(pooled, is.double, logical(1))
pooled[numbers] <- lapply(pooled[numbers], signif, digits = 12)
path <- file.path(folder, "meta.csv")
writeLines(paste0("# ", R.version.string, "; metafor ", packageVersion("metafor")), path)
suppressWarnings(
  write.table(pooled, path, append = TRUE, sep = ",", row.names = FALSE, quote = FALSE)
)
