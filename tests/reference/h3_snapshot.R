# H3 on german-libraries: least squares across accounts with HC3 errors.
source(file.path("tests", "reference", "shared.R"))

TERMS <- c(
  "reply_share", "log_age", "post_volume", "hashtag_rate", "link_rate", "media_share",
  "automated_share", "follow_back"
)

rows <- read_rows("german-libraries", "h3.snapshot")
fit <- lm(reformulate(TERMS, "log_followers_per_day"), data = rows)
errors <- sqrt(diag(vcovHC(fit, type = "HC3")))
write_reference(
  data.frame(
    dataset = "german-libraries", model = "cross-section", term = TERMS,
    estimate = unname(coef(fit)[TERMS]), error = unname(errors[TERMS]),
    p_value = 2 * pt(-abs(coef(fit)[TERMS] / errors[TERMS]), fit$df.residual),
    n_obs = nobs(fit), n_accounts = nobs(fit)
  ),
  "h3_snapshot"
)
