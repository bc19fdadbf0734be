"""The unified store: landing, loader, golden rows, publish. Knows nothing of systems or Dagster."""
