"""Data contracts: what every version of a dataset must keep to, and where one goes that does not."""
