"""Who is the same: matchers of one entity each, pure functions of rows and of what people ruled."""
