# H3 within: Poisson with an effect an account and a period, errors clustered by account.
# HC0 with the clusters' adjustment only: HC1 would count the accounts' effects, which are nested
# in the clusters, among the parameters. `parameters` is the number without them.
source(file.path("tests", "reference", "shared.R"))

TERMS <- c(
  "answering", "log_new_now", "log_tenure", "log_past_inbound", "log_past_acts", "post_volume",
  "schedule_focus", "burstiness"
)

rows <- read_rows("collegemsg", "h3.within")
fit <- glm(
  lasting_audience ~ answering + factor(inbound_class) + log_new_now + log_tenure +
    log_past_inbound + log_past_acts + post_volume + schedule_focus + burstiness +
    schedule_focus_missing + factor(account_id) + factor(period),
  family = poisson, data = rows, control = glm.control(epsilon = 1e-12, maxit = 100)
)
errors <- sqrt(diag(vcovCL(fit, cluster = ~account_id, type = "HC0", cadjust = TRUE)))
accounts <- length(unique(rows$account_id))
write_reference(
  data.frame(
    dataset = "collegemsg", model = "within", term = TERMS,
    estimate = unname(coef(fit)[TERMS]), error_by_account = unname(errors[TERMS]),
    n_obs = nobs(fit), n_accounts = accounts, parameters = fit$rank - accounts
  ),
  "h3_within"
)
