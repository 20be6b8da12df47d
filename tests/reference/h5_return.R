# H5: the risk ratio of coming back. Poisson with an effect per account has the likelihood of a
# Cox model in which all times are tied, stratified by account; its score residuals are the same.
source(file.path("tests", "reference", "shared.R"))

fit_one <- function(dataset, model, outcome) {
  rows <- read_rows(dataset, paste0("h5.", model))
  rows$one <- 1
  rows$outcome <- rows[[outcome]]
  fit <- coxph(
    Surv(one, outcome) ~ answered + log_acts_j + log_acts_i + strata(account_id) +
      cluster(account_id),
    data = rows, ties = "breslow"
  )
  plain <- coxph(
    Surv(one, outcome) ~ answered + log_acts_j + log_acts_i + strata(account_id),
    data = rows, ties = "breslow"
  )
  two_way <- vcovCL(
    plain, cluster = rows[c("account_id", "contact_id")], type = "HC0", cadjust = TRUE
  )
  data.frame(
    dataset = dataset, model = gsub("_", " ", model), term = names(coef(fit)),
    estimate = unname(coef(fit)),
    error_by_account = unname(sqrt(diag(vcov(fit)))),
    error_two_way = unname(sqrt(diag(two_way))),
    n_obs = nrow(rows), n_accounts = length(unique(rows$account_id))
  )
}

plan <- list(
  list("collegemsg", "landmark", "returned"),
  list("collegemsg", "negative_control", "elsewhere"),
  list("mathoverflow", "landmark", "returned"),
  list("mathoverflow", "negative_control", "elsewhere")
)
write_reference(do.call(rbind, lapply(plan, function(one) do.call(fit_one, one))), "h5_return")
