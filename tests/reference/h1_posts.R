# H1 on facebook-live: Poisson with dummies for page, month, weekday and hour, errors by page.
source(file.path("tests", "reference", "shared.R"))

TERMS <- c("type_status", "type_video")

rows <- read_rows("facebook-live", "h1.posts")
fit <- glm(
  engagement ~ type_status + type_video + factor(account_id) + factor(month) + factor(weekday) +
    factor(hour),
  family = poisson, data = rows, control = glm.control(epsilon = 1e-12, maxit = 100)
)
errors <- sqrt(diag(vcovCL(fit, cluster = ~account_id, type = "HC0", cadjust = TRUE)))
pages <- length(unique(rows$account_id))
write_reference(
  data.frame(
    dataset = "facebook-live", model = "posts", term = TERMS,
    estimate = unname(coef(fit)[TERMS]), error_by_account = unname(errors[TERMS]),
    n_obs = nobs(fit), n_accounts = pages, parameters = fit$rank - pages
  ),
  "h1_posts"
)
