# H3 between as a negative binomial: a factor a period, errors clustered by account.
source(file.path("tests", "reference", "shared.R"))
suppressPackageStartupMessages(library(MASS))

TERMS <- c(
  "answering", "log_new_now", "log_tenure", "log_past_inbound", "log_past_acts", "post_volume",
  "schedule_focus", "burstiness"
)

fit_one <- function(dataset) {
  rows <- read_rows(dataset, "h3.between")
  fit <- glm.nb(
    lasting_audience ~ answering + factor(inbound_class) + log_new_now + log_tenure +
      log_past_inbound + log_past_acts + post_volume + schedule_focus + burstiness +
      schedule_focus_missing + factor(period),
    data = rows, control = glm.control(epsilon = 1e-12, maxit = 100)
  )
  errors <- sqrt(diag(vcovCL(fit, cluster = ~account_id, type = "HC1", cadjust = TRUE)))
  data.frame(
    dataset = dataset, model = "negative binomial", term = TERMS,
    estimate = unname(coef(fit)[TERMS]), error_by_account = unname(errors[TERMS]),
    dispersion = 1 / fit$theta, log_likelihood = as.numeric(logLik(fit)),
    n_obs = nobs(fit), n_accounts = length(unique(rows$account_id))
  )
}

write_reference(
  do.call(rbind, lapply(c("collegemsg", "mathoverflow"), fit_one)), "h3_negative_binomial", "MASS"
)
