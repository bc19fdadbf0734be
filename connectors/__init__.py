"""How to speak to one system. Knows nothing of the canonical model, the store or Dagster."""
