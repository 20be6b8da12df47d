# H5, described: the next act of a first contact by time since the answer, stratified by account.
source(file.path("tests", "reference", "shared.R"))

TERMS <- c(
  "answered_0_1_days", "answered_1_7_days", "answered_7_28_days", "answered_28_days_on",
  "log_acts_j", "log_acts_i"
)

fit_one <- function(dataset) {
  rows <- read_rows(dataset, "h5.cox")
  formula <- reformulate(
    c(TERMS, "strata(account_id)"), response = quote(Surv(start, stop, acted_again))
  )
  seconds <- system.time(
    fit <- coxph(formula, data = rows, ties = "breslow", cluster = account_id)
  )[["elapsed"]]
  message(dataset, ": ", round(seconds, 1), " s in coxph")
  data.frame(
    dataset = dataset, model = "time-varying Cox", term = names(coef(fit)),
    estimate = unname(coef(fit)),
    error = unname(sqrt(diag(fit$naive.var))),
    error_by_account = unname(sqrt(diag(vcov(fit)))),
    log_likelihood = fit$loglik[2],
    n_obs = fit$n, n_events = fit$nevent, n_accounts = length(unique(rows$account_id))
  )
}

write_reference(do.call(rbind, lapply(c("collegemsg", "mathoverflow"), fit_one)), "h5_cox")
