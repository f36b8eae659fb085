"""The verbs: one module per step, as plain functions that are safe to repeat. No Prefect."""
