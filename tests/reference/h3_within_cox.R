# H3 within on mathoverflow, where dummies for all accounts are too many for glm: the likelihood of
# Poisson with an effect an account, given the account's total, is that of a Cox model with
# one stratum an account, all times tied (Breslow), and as many events a row as its outcome.
# Each row is in the risk set once; its events are a second row of that weight, whose offset
# takes it out of the risk set.
source(file.path("tests", "reference", "shared.R"))

TERMS <- c(
  "answering", "log_new_now", "log_tenure", "log_past_inbound", "log_past_acts", "post_volume",
  "schedule_focus", "burstiness"
)
OUT_OF_RISK <- -40

rows <- read_rows("mathoverflow", "h3.within")
at_risk <- transform(rows, event = 0, events = 1, shift = 0)
events <- transform(
  rows[rows$lasting_audience > 0, ],
  event = 1, events = lasting_audience, shift = OUT_OF_RISK
)
both <- rbind(at_risk, events)
both$one <- 1
fit <- coxph(
  Surv(one, event) ~ answering + factor(inbound_class) + log_new_now + log_tenure +
    log_past_inbound + log_past_acts + post_volume + schedule_focus + burstiness +
    schedule_focus_missing + factor(period) + offset(shift) + strata(account_id) +
    cluster(account_id),
  data = both, weights = events, ties = "breslow",
  control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50)
)
errors <- sqrt(diag(vcov(fit)))
names(errors) <- names(coef(fit))
write_reference(
  data.frame(
    dataset = "mathoverflow", model = "within", term = TERMS,
    estimate = unname(coef(fit)[TERMS]), error_by_account = unname(errors[TERMS]),
    n_obs = nrow(rows), n_accounts = length(unique(rows$account_id)),
    parameters = sum(!is.na(coef(fit)))
  ),
  "h3_within_cox"
)
