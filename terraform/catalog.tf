# What the catalog is to know of a table. Dataplex reads BigQuery by itself: descriptions of tables and columns come from
# schema.json and metadata.yaml. What is said here are labels, by which a table is found (`labels.personal:key`).
#
# Not policy tags: nothing in BigQuery names a person, so there is no column to keep from those who may read its table,
# and a tag's name is known only after an apply, so no plan could show the schemas any more. Not aspects: they go onto
# entries that Dataplex makes some time after the table, so a first apply could fail on them.
locals {
  pseudonym = "user_key" # means a person only together with the schema identity of Postgres

  catalog_labels = {
    for name, found in local.described : name => {
      owner     = found.metadata.owner
      freshness = replace(found.metadata.freshness, " ", "-")
      # As shared/retention.yaml says it: rows of a person under a key that names nobody, or none.
      personal = contains([for column in jsondecode(found.schema) : column.name], local.pseudonym) ? "key" : "none"
    }
  }
}
