# What the scripts share: arguments, reading, writing.
suppressPackageStartupMessages({
  library(survival)
  library(sandwich)
})

args <- commandArgs(trailingOnly = TRUE)
rows_folder <- args[1]
output_folder <- args[2]

read_rows <- function(dataset, model) {
  path <- file.path(rows_folder, paste(dataset, model, "csv", sep = "."))
  types <- c(account_id = "character", contact_id = "character", inbound_class = "character")
  present <- intersect(names(types), names(read.csv(path, nrows = 1)))
  read.csv(path, colClasses = types[present])
}

write_reference <- function(table, name, more = character(0)) {
  path <- file.path(output_folder, paste0(name, ".csv"))
  packages <- c("survival", "sandwich", more)
  versions <- vapply(packages, function(one) as.character(packageVersion(one)), "")
  made_with <- paste(c(paste("#", R.version.string), paste(packages, versions)), collapse = "; ")
  numbers <- vapply(table, is.double, logical(1))
  table[numbers] <- lapply(table[numbers], signif, digits = 12)
  writeLines(made_with, path)
  suppressWarnings(
    write.table(table, path, append = TRUE, sep = ",", row.names = FALSE, quote = FALSE)
  )
}
