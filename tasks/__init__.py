"""The verbs: one module a step, as plain functions that are safe to repeat. No Prefect."""
