# Follower growth within: least squares with account and period effects, errors by account.
# HC0 without a factor; `parameters` counts the slopes and the periods, and not the accounts'
# effects, which are nested in the clusters.
source(file.path("tests", "reference", "shared.R"))
suppressPackageStartupMessages(library(plm))

fit_one <- function(dataset, term) {
  rows <- read_rows(dataset, "followers")
  terms <- c(term, "log_past_acts", "post_volume")
  fit <- plm(
    reformulate(terms, "lasting_growth"), data = rows, index = c("account_id", "period"),
    model = "within", effect = "twoways"
  )
  errors <- sqrt(diag(vcovHC(fit, method = "arellano", type = "HC0", cluster = "group")))
  data.frame(
    dataset = dataset, model = "within", term = terms,
    estimate = unname(coef(fit)[terms]), error_by_account = unname(errors[terms]),
    n_obs = nobs(fit), n_accounts = length(unique(rows$account_id)),
    parameters = length(terms) + length(unique(rows$period))
  )
}

write_reference(
  rbind(
    fit_one("candidates-2020", "reply_share"),
    fit_one("youtube-entertainment", "cadence")
  ),
  "followers_within", "plm"
)
